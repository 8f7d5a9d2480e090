package complete

// The lines of Ollama's own API.
const (
	memberDone = memberOwn + iota
	memberDoneReason
	memberPromptCount
	memberCount
	memberChat
	memberGenerated
	memberThinking
)

var ollamaMembers = own("id", "model", "done", "done_reason", "prompt_eval_count", "eval_count", "message", "response", "thinking")

func ollamaLine(s *Stream, _, _ []byte) Signal {
	m := &s.members
	s.name(m[memberID], m[memberModel])
	sig := s.add(0, channelText, 0, m[memberGenerated]) | s.add(0, channelReasoning, 0, m[memberThinking])
	sig |= s.ollamaMessage(m[memberChat])
	if string(m[memberDone]) != "true" {
		return sig
	}
	s.r.bill(m[memberPromptCount:memberPromptCount+1], m[memberCount:memberCount+1])
	s.end = endWhole
	why := inner(m[memberDoneReason])
	if len(why) > 0 && len(s.tally.why) == 0 {
		s.tally.say(0, string(why))
	}
	if s.track != nil {
		s.track.once(key{channel: channelFinish}, []byte("done"))
	}
	return sig | SignalDone
}

// ollamaMessage reads a piece of a chat message; tool calls come whole, with
// their arguments as an object.
func (s *Stream) ollamaMessage(message []byte) (sig Signal) {
	_ = eachMember(message, func(name, value []byte) bool {
		switch string(name) {
		case "role":
			s.addOnce(0, channelRole, value)
		case "content":
			sig |= s.add(0, channelText, 0, value)
		case "thinking":
			sig |= s.add(0, channelReasoning, 0, value)
		case "tool_calls":
			_ = eachElement(value, func(_ int, call []byte) bool {
				sig |= s.call(0, 0, get(call, "function"))
				return true
			})
		}
		return true
	})
	return sig
}
