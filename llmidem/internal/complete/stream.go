package complete

import "bytes"

// Signal is what an event of a stream means: a set of bits.
type Signal uint8

const (
	// SignalContent: the event belongs to an answer. It need not have text: that
	// an answer begins, ends or was paid for is told by such events too.
	SignalContent Signal = 1 << iota
	// SignalText: it has a piece of what the model writes: text, refusal,
	// reasoning, or a tool call.
	SignalText
	// SignalPing: it only keeps the connection open.
	SignalPing
	// SignalError: it is an error frame, in any dialect's form. A Responses object
	// that failed is none: it is a legal last event.
	SignalError
	// SignalFinished: with this event or one before it every choice is finished.
	// Whether the answer may be kept is told by [Stream.Result].
	SignalFinished
	// SignalDone: it is the last event, [DONE] or the dialect's own. It proves
	// nothing about the choices.
	SignalDone
	// SignalMalformed: it is neither JSON nor [DONE].
	SignalMalformed
)

// Has reports whether all the given bits are set.
func (s Signal) Has(bits Signal) bool { return s&bits == bits }

// Stream judges the answer that comes in as events. It is for one goroutine at a
// time and keeps nothing of what it is given, unless it was told to (see
// [Stream.Track]).
type Stream struct {
	judge     func(s *Stream, typ []byte, data []byte) Signal // the dialect's
	names     []string                                        // of members, for judge
	r         Result
	err       ErrorInfo
	tally     tally
	track     *recorder // nil: content is not wanted
	members   [maxMembers][]byte
	end       ending
	failed    bool // an error frame was seen
	malformed bool // an event before the end was no JSON
}

// ending is how an answer came to its end, where that is told by one event.
type ending uint8

const (
	endOpen    ending = iota
	endWhole          // terminal, to be kept
	endFailed         // terminal: the service declared it failed
	endBlocked        // terminal: no answer for this prompt, which is one
)

// NewStream returns a judge of a stream. The query says what was asked for; its
// Body and ContentType do not matter. Of a dialect or operation that has no rule
// the stream is never terminal, but pings and error frames are told.
func NewStream(q Query) *Stream {
	s := &Stream{}
	s.r.Reason = s.rules(q)
	return s
}

// rules sets how the dialect's events are read.
func (s *Stream) rules(q Query) string {
	switch q.Dialect + " " + q.Operation {
	case "openai chat":
		s.judge, s.names = chatChunk, chatMembers
		s.tally.want = uint64(asked(q, "n"))
	case "openai text_completion":
		s.judge, s.names = textChunk, chatMembers
		s.tally.want = uint64(asked(q, "n")) * uint64(q.inputs())
	case "openai responses":
		s.judge, s.names = responsesEvent, responsesMembers
	case "anthropic messages":
		s.judge, s.names = anthropicEvent, anthropicMembers
	case "gemini generate_content", "gemini stream_generate_content":
		s.judge, s.names = geminiChunk, geminiMembers
		s.tally.want = uint64(asked(q, "generationConfig", "candidateCount"))
	case "ollama ollama.chat", "ollama ollama.generate":
		s.judge, s.names = ollamaLine, ollamaMembers
	default:
		s.judge, s.names = foreignEvent, frameMembers
		return reasonUnknown
	}
	return ""
}

// Event takes the next event: the value of its event field, "" when it has none,
// and its data lines joined by line feeds, or one JSON line. It keeps neither.
func (s *Stream) Event(name string, data []byte) Signal {
	if s.track != nil {
		s.track.begin(data)
	}
	sig := s.read(name, data)
	if s.finished() {
		sig |= SignalFinished
	} else if sig&SignalMalformed != 0 {
		s.malformed = true
	}
	return sig
}

func (s *Stream) read(name string, data []byte) Signal {
	if keepsOpen([]byte(name)) {
		return SignalPing
	}
	data = bytes.TrimSpace(data)
	switch {
	case string(data) == "[DONE]":
		return SignalDone
	case len(data) == 0 && name != "error":
		return SignalPing
	}
	defer clear(s.members[:]) // they are the caller's bytes
	if err := pick(data, s.members[:], s.names...); err != nil {
		return s.noObject(name, data, err)
	}
	typ := inner(s.members[memberType])
	switch {
	case name == "error" || s.isError(typ):
		return s.fail(data)
	case keepsOpen(typ):
		return SignalPing
	}
	if len(typ) == 0 && name != "" {
		return SignalContent | s.judge(s, []byte(name), data)
	}
	return SignalContent | s.judge(s, typ, data)
}

// noObject is about data that is not one JSON object.
func (s *Stream) noObject(name string, data []byte, err error) Signal {
	var sig Signal
	if err != ErrKind || !Valid(data) {
		sig = SignalMalformed
	}
	if name == "error" || sig == 0 && ErrorBody(data).Object {
		return sig | s.fail(data)
	}
	if sig == 0 {
		sig = SignalContent // JSON, of which nothing is known
	}
	return sig
}

// finished reports whether nothing of the answer is missing any more.
func (s *Stream) finished() bool {
	return s.end != endOpen || s.tally.want > 0 && s.tally.complete()
}

// Result judges what came so far, as [Check] does an answer. It is as good in the
// middle of a stream as at its end. An error frame, or an event before the end
// that is no JSON, keeps a stream from being whole.
func (s *Stream) Result() Result {
	r := s.r
	r.FinishReasons = s.tally.reasons()
	r.Reason = s.reason()
	r.Keep = r.Reason == ""
	r.Terminal = r.Keep || r.Reason == reasonFailed
	return r
}

func (s *Stream) reason() string {
	switch {
	case s.r.Reason != "":
		return s.r.Reason
	case s.end == endFailed: // an error frame may come before the word itself
		return reasonFailed
	case s.failed:
		return reasonError
	case s.malformed:
		return reasonMalformed
	case s.end != endOpen:
		return ""
	case s.tally.want == 0:
		return reasonNoEnd
	}
	return s.tally.reason()
}

// Err is what the first error frame said, or the Responses object that failed;
// zero when there was none.
func (s *Stream) Err() ErrorInfo { return s.err }
