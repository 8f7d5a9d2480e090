package complete

import "bytes"

// The events of the Responses API.
const (
	memberResponse = memberOwn + iota
	memberOutput
	memberContent
	memberSummary
	memberDelta
	memberItem
)

var responsesMembers = own("id", "model", "response", "output_index", "content_index", "summary_index", "delta", "item")

// responsesEvent reads one event: what the call has become, a piece of an item, or
// the frame around one.
func responsesEvent(s *Stream, typ, _ []byte) Signal {
	switch string(typ) {
	case "response.completed", "response.incomplete", "response.failed", "response.cancelled":
		return s.responseEnds(typ)
	case "response.queued", "response.in_progress":
		s.responseNames()
		return 0
	case "response.created":
		s.responseNames()
	}
	item := index(s.members[memberOutput])
	if bytes.HasSuffix(typ, []byte(".delta")) {
		part := max(index(s.members[memberContent]), index(s.members[memberSummary]))
		return s.add(item, channelOf(typ), part, s.members[memberDelta])
	}
	if s.track != nil {
		s.track.mark(item, typ)
	}
	if string(typ) == "response.output_item.added" {
		return s.add(item, channelTool, 0, get(s.members[memberItem], "name"))
	}
	return 0
}

// channelOf is where the pieces of a type go.
func channelOf(typ []byte) channel {
	switch string(typ) {
	case "response.output_text.delta":
		return channelText
	case "response.refusal.delta":
		return channelRefusal
	case "response.reasoning_text.delta":
		return channelReasoning
	case "response.reasoning_summary_text.delta":
		return channelSummary
	case "response.audio.delta":
		return channelAudio
	case "response.audio.transcript.delta":
		return channelTranscript
	}
	return channelArguments // of functions, custom tools, MCP calls, code
}

// responseNames reads the object of an event that only says how far it is.
func (s *Stream) responseNames() {
	if s.r.ID == "" || s.r.Model == "" {
		var m [2][]byte
		_ = pick(s.members[memberResponse], m[:], "id", "model")
		s.name(m[0], m[1])
	}
}

// responseEnds judges the last event by its type and by the object in it, which
// must not say otherwise.
func (s *Stream) responseEnds(typ []byte) Signal {
	body := s.members[memberResponse]
	if KindOf(body) != KindObject {
		return SignalDone
	}
	var r Result
	why := responses(Query{Body: body}, &r)
	if r.ID == "" {
		r.ID = s.r.ID
	}
	if r.Model == "" {
		r.Model = s.r.Model
	}
	s.r.ID, s.r.Model, s.r.Input, s.r.Output, s.r.HasUsage = r.ID, r.Model, r.Input, r.Output, r.HasUsage
	status := string(typ[len("response."):])
	switch {
	case status == "failed", status == "cancelled", why == reasonFailed:
		s.end = endFailed
		if value := get(body, "error"); !s.failed && KindOf(value) == KindObject {
			s.err = errorObject(value)
		}
	case why == "", why == reasonNoStatus:
		s.end = endWhole
	case why == reasonError:
		return SignalDone | s.failChoice(get(body, "error"))
	default:
		return SignalDone // it says of itself that it is still running
	}
	for _, reason := range r.FinishReasons {
		status = reason
	}
	if len(s.tally.why) == 0 {
		s.tally.say(0, status)
	}
	if s.track != nil {
		s.track.once(key{choice: allChoices, channel: channelFinish}, []byte(status))
	}
	return SignalDone
}
