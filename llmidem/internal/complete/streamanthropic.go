package complete

// The events of Anthropic's messages.
const (
	memberMessage = memberOwn + iota
	memberBlockDelta
	memberTally
	memberBlock
	memberIndex
)

var anthropicMembers = own("id", "model", "message", "delta", "usage", "content_block", "index")

func anthropicEvent(s *Stream, typ, _ []byte) Signal {
	switch string(typ) {
	case "message_start":
		var m [3][]byte
		_ = pick(s.members[memberMessage], m[:], "id", "model", "usage")
		s.name(m[0], m[1])
		s.anthropicUsage(m[2])
	case "content_block_start":
		return s.block(index(s.members[memberIndex]), s.members[memberBlock])
	case "content_block_delta":
		return s.blockDelta(index(s.members[memberIndex]), s.members[memberBlockDelta])
	case "message_delta":
		s.anthropicUsage(s.members[memberTally])
		if why := inner(get(s.members[memberBlockDelta], "stop_reason")); len(why) > 0 {
			s.end = endWhole
			if len(s.tally.why) == 0 {
				s.tally.say(0, string(why))
			}
			if s.track != nil {
				s.track.once(key{channel: channelFinish}, why)
			}
		}
		return 0
	case "message_stop":
		return SignalDone
	}
	if s.track != nil {
		s.track.mark(index(s.members[memberIndex]), typ)
	}
	return 0
}

// block reads the beginning of a content block: a tool call's name is there, and
// all of what is not sent in pieces.
func (s *Stream) block(block int64, value []byte) (sig Signal) {
	_ = eachMember(value, func(name, v []byte) bool {
		switch string(name) {
		case "name":
			sig |= s.add(0, channelTool, block, v)
		case "text":
			sig |= s.add(0, channelText, block, v)
		case "thinking":
			sig |= s.add(0, channelReasoning, block, v)
		case "type":
			if s.track != nil {
				s.track.mark(block, inner(v))
			}
		}
		return true
	})
	return sig
}

// blockDelta reads a piece of a content block. A signature or citation is a piece
// of its own sort.
func (s *Stream) blockDelta(block int64, value []byte) (sig Signal) {
	_ = eachMember(value, func(name, v []byte) bool {
		switch string(name) {
		case "text":
			sig |= s.add(0, channelText, block, v)
		case "thinking":
			sig |= s.add(0, channelReasoning, block, v)
		case "partial_json":
			sig |= s.add(0, channelArguments, block, v)
		}
		return true
	})
	return sig
}

// anthropicUsage reads counts that only grow: the input comes at the beginning,
// may be corrected, and may be absent from the last one.
func (s *Stream) anthropicUsage(value []byte) {
	var now Result
	now.usage(value, []string{"input_tokens", "cache_creation_input_tokens", "cache_read_input_tokens"}, []string{"output_tokens"})
	if now.HasUsage {
		s.r.Input, s.r.Output, s.r.HasUsage = max(s.r.Input, now.Input), max(s.r.Output, now.Output), true
	}
}
