package llmtest

import "strconv"

// Frame sets the whole text of the error frame of [StreamError], line ends
// included, in place of the usual one: with a comment in front, with other white
// space, without a blank line behind it.
func (f Fault) Frame(text string) Fault {
	f = f.with("Frame(" + strconv.Quote(text) + ")")
	f.frame = text
	return f
}

// Before puts a text in front of every event of a stream, as a service does that
// keeps the connection open: ": keep-alive\n\n", "event: ping\ndata: {}\n\n".
func (f Fault) Before(text string) Fault {
	f = f.with("Before(" + strconv.Quote(text) + ")")
	f.before = text
	return f
}

// Newline ends the lines of a stream with "\r\n" or "\r". Default: "\n".
func (f Fault) Newline(end string) Fault {
	f = f.with("Newline(" + strconv.Quote(end) + ")")
	f.newline = end
	return f
}

// Split writes the body in pieces of n bytes, whatever stands in them. Default:
// event by event.
func (f Fault) Split(n int) Fault {
	f = f.with("Split(" + strconv.Itoa(n) + ")")
	f.split = max(n, 0)
	return f
}
