package complete

// The members that every dialect's events are searched for, and their places.
const (
	memberError = iota
	memberType
	memberObject
	memberID
	memberModel
	memberOwn // the first of the dialect's own

	maxMembers = memberOwn + 8
)

const (
	reasonMalformed = "an event that is not JSON"
	reasonNoEnd     = "no last event"
)

// own puts the members that all have before the dialect's.
func own(id, model string, names ...string) []string {
	return append([]string{"error", "type", "object", id, model}, names...)
}

var frameMembers = own("id", "model")

// foreignEvent is about events for which there is no rule.
func foreignEvent(*Stream, []byte, []byte) Signal { return 0 }

// keepsOpen reports whether a name or type is that of a keep-alive.
func keepsOpen(name []byte) bool {
	switch string(name) {
	case "ping", "keepalive", "keep-alive", "heartbeat":
		return true
	}
	return false
}

// isError reports whether the event is an error frame of any dialect.
func (s *Stream) isError(typ []byte) bool {
	return present(s.members[memberError]) || string(typ) == "error" || string(inner(s.members[memberObject])) == "error"
}

// fail notes an error frame. Only what the first one says is kept: it is the
// cause.
func (s *Stream) fail(data []byte) Signal {
	if !s.failed {
		s.failed = true
		e := ErrorBody(data)
		switch {
		case Valid(data):
			e.Object = true // services wrap no proxy's page in an event
		case e.Message == "":
			e.Message = cut(string(data[:min(len(data), maxMessage+4)]), maxMessage)
		}
		if e.Type == "error" {
			e.Type = "" // the frame's own type
		}
		s.err = e
	}
	return SignalError
}

// failChoice notes a choice that ended in an error; value is its error member.
func (s *Stream) failChoice(value []byte) Signal {
	if !s.failed {
		s.failed = true
		s.err = ErrorInfo{Object: true}
		if KindOf(value) == KindObject {
			s.err = errorObject(value)
		}
	}
	return SignalError
}

// name notes the first id and model that the answer tells.
func (s *Stream) name(id, model []byte) {
	if s.r.ID == "" && len(id) > 2 {
		s.r.ID = text(id, maxName)
	}
	if s.r.Model == "" && len(model) > 2 {
		s.r.Model = text(model, maxName)
	}
}

// inner is the text between a string's quotes, decoded only if it must be; nil if
// it is no string.
func inner(value []byte) []byte {
	if KindOf(value) != KindString {
		return nil
	}
	return unescaped(value[1 : len(value)-1])
}

// index reads the number of a choice; absent is 0.
func index(value []byte) int64 {
	n, _ := Int(value)
	return n
}
