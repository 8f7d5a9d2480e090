package complete

// The chunks of Gemini.
const (
	memberCandidates = memberOwn + iota
	memberGeminiUsage
	memberFeedback
)

var geminiMembers = own("responseId", "modelVersion", "candidates", "usageMetadata", "promptFeedback")

func geminiChunk(s *Stream, _, _ []byte) (sig Signal) {
	s.name(s.members[memberID], s.members[memberModel])
	s.r.usage(s.members[memberGeminiUsage], []string{"promptTokenCount", "toolUsePromptTokenCount"},
		[]string{"candidatesTokenCount", "thoughtsTokenCount"})
	if why := inner(get(s.members[memberFeedback], "blockReason")); named(string(why)) && s.end == endOpen {
		s.end = endBlocked
		s.tally.say(0, string(why))
	}
	_ = eachElement(s.members[memberCandidates], func(_ int, value []byte) bool {
		var c [3][]byte
		_ = pick(value, c[:], "index", "finishReason", "content")
		candidate := index(c[0])
		s.tally.see(candidate)
		_ = eachElement(get(c[2], "parts"), func(_ int, part []byte) bool {
			sig |= s.part(candidate, part)
			return true
		})
		if why := inner(c[1]); named(string(why)) {
			s.finish(candidate, why)
		}
		return true
	})
	return sig
}

// part reads a part of a candidate. A text is a piece; everything else comes
// whole.
func (s *Stream) part(candidate int64, part []byte) (sig Signal) {
	where := channelText
	if string(get(part, "thought")) == "true" {
		where = channelReasoning
	}
	_ = eachMember(part, func(name, value []byte) bool {
		switch string(name) {
		case "text":
			sig |= s.add(candidate, where, 0, value)
		case "functionCall":
			var f [2][]byte
			_ = pick(value, f[:], "name", "args")
			sig |= s.add(candidate, channelTool, 0, f[0]) | s.add(candidate, channelArguments, 0, f[1])
		case "inlineData", "fileData", "executableCode", "codeExecutionResult":
			sig |= s.add(candidate, channelAudio, 0, value)
		}
		return true
	})
	return sig
}
