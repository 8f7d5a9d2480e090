package sse

import "bytes"

// Kind is what a line is.
type Kind uint8

// The kinds of lines.
const (
	// Blank is an empty line. It ends an event.
	Blank Kind = iota
	// Comment is a line that begins with a colon.
	Comment
	// Data, Event, ID and Retry are the fields that the standard knows. In JSON
	// lines every line that is not blank is Data. An id that has a NUL in it and
	// a retry that is no number are not told from others.
	Data
	Event
	ID
	Retry
	// Other is an unknown field, or garbage; and the LF that was left of a line
	// that a CR had ended, when the body ends with it.
	Other
	// TooLong is a line, or a piece of one, that is longer than the scanner may
	// keep.
	TooLong
)

// Line is one line of a body. Its bytes are the scanner's, and good until the
// next call of Next.
type Line struct {
	// Raw is every byte as it came, the terminator included. A byte order mark
	// belongs to the first line.
	Raw []byte
	// Value is the value of the field without the one space that may precede it,
	// or the text of a comment likewise. Of Other it is the line itself without
	// terminator, of TooLong and Blank nil. It is a part of Raw.
	Value []byte
	// Lead is how many bytes at the beginning of Raw belong to the line before: 1
	// for an LF that had not been read yet when a CR ended that one, else 0. Who
	// leaves a line out but kept the one before it passes these bytes on.
	Lead int
	// Kind says what the line is. It is set for an unfinished line too.
	Kind Kind
	// Ended says that the terminator came. A line without one is the last of a
	// body that broke off, or a piece of a line that is too long.
	Ended bool
}

// parse says what a line of events is; text has no terminator.
func parse(text []byte) (Kind, []byte) {
	if len(text) == 0 {
		return Blank, nil
	}
	if len(text) > 6 && string(text[:6]) == "data: " { // nearly every one
		return Data, text[6:]
	}
	const longest = len("event")
	colon := bytes.IndexByte(text[:min(len(text), longest+1)], ':')
	if colon < 0 && len(text) > longest {
		return Other, text
	}
	name, value := text, text[len(text):]
	if colon >= 0 {
		name, value = text[:colon], text[colon+1:]
		if len(value) > 0 && value[0] == ' ' {
			value = value[1:]
		}
	}
	switch string(name) {
	case "data":
		return Data, value
	case "":
		return Comment, value
	case "event":
		return Event, value
	case "id":
		return ID, value
	case "retry":
		return Retry, value
	}
	return Other, text
}

// parseJSON says what one of the JSON lines is; text has no terminator.
func parseJSON(text []byte) (Kind, []byte) {
	if n := len(text); n > 0 && text[n-1] == '\r' {
		text = text[:n-1]
	}
	if len(text) == 0 {
		return Blank, nil
	}
	return Data, text
}
