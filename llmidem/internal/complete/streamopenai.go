package complete

// The chunks of chat and text completions.
const (
	memberChoices = memberOwn + iota
	memberUsage
)

var chatMembers = own("id", "model", "choices", "usage")

func chatChunk(s *Stream, _, _ []byte) Signal { return s.chunk("delta") }

func textChunk(s *Stream, _, _ []byte) Signal { return s.chunk("text") }

// chunk reads one chunk; content is the member that has a choice's piece.
func (s *Stream) chunk(content string) Signal {
	s.name(s.members[memberID], s.members[memberModel])
	if usage := s.members[memberUsage]; present(usage) {
		s.r.promptUsage(usage)
	}
	var sig Signal
	_ = eachElement(s.members[memberChoices], func(_ int, value []byte) bool {
		var c [4][]byte
		_ = pick(value, c[:], "index", "finish_reason", "error", content)
		choice := index(c[0])
		s.tally.see(choice)
		if content == "text" {
			sig |= s.add(choice, channelText, 0, c[3])
		} else {
			sig |= s.delta(choice, c[3])
		}
		why := inner(c[1])
		switch {
		case present(c[2]) || string(why) == "error":
			sig |= s.failChoice(c[2]) // a gateway's word for an upstream that broke off
		case len(why) > 0:
			s.finish(choice, why)
		}
		return true
	})
	return sig
}

// finish notes a choice's finish reason, which is a part of what was said.
func (s *Stream) finish(choice int64, why []byte) {
	s.tally.finish(choice, why)
	if s.track != nil {
		s.track.once(key{choice: choice, channel: channelFinish}, why)
	}
}

// delta reads a piece of a chat message.
func (s *Stream) delta(choice int64, delta []byte) (sig Signal) {
	_ = eachMember(delta, func(name, value []byte) bool {
		switch string(name) {
		case "role":
			s.addOnce(choice, channelRole, value)
		case "content":
			sig |= s.add(choice, channelText, 0, value)
		case "refusal":
			sig |= s.add(choice, channelRefusal, 0, value)
		case "reasoning_content", "reasoning":
			sig |= s.add(choice, channelReasoning, 0, value)
		case "function_call":
			sig |= s.call(choice, -1, value)
		case "tool_calls":
			_ = eachElement(value, func(i int, call []byte) bool {
				sig |= s.toolCall(choice, i, call)
				return true
			})
		case "audio":
			sig |= s.add(choice, channelAudio, 0, get(value, "data"))
			sig |= s.add(choice, channelTranscript, 0, get(value, "transcript"))
		}
		return true
	})
	return sig
}

// toolCall reads a piece of a tool call, which has a number of its own; services
// that leave it out send each call whole, in order.
func (s *Stream) toolCall(choice int64, position int, call []byte) Signal {
	var c [3][]byte
	_ = pick(call, c[:], "index", "function", "custom")
	tool := int64(position)
	if n, ok := Int(c[0]); ok {
		tool = n
	}
	return s.call(choice, tool, c[1]) | s.call(choice, tool, c[2])
}

// call reads the name and arguments of a function, or the input of a custom tool.
func (s *Stream) call(choice, tool int64, function []byte) Signal {
	var f [3][]byte
	_ = pick(function, f[:], "name", "arguments", "input")
	return s.add(choice, channelTool, tool, f[0]) | s.add(choice, channelArguments, tool, f[1]) |
		s.add(choice, channelArguments, tool, f[2])
}
