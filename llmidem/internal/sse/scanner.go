package sse

import (
	"bytes"
	"errors"
	"io"
)

// Format is how a body is written.
type Format uint8

const (
	// Events is text/event-stream. LF, CR and CRLF end a line.
	Events Format = iota
	// Lines is one JSON value a line, as Ollama streams. LF and CRLF end a line.
	Lines
)

const (
	defaultMax = 16 << 20
	firstSize  = 8 << 10 // of the buffer; most streams never need more
	maxEmpty   = 100     // reads in a row that give nothing, as in package bufio
)

var errCount = errors.New("sse: the reader returned an impossible count")

// Scanner reads a body line by line. It is for one goroutine at a time.
type Scanner struct {
	r      io.Reader
	err    error // what the reader ended with
	buf    []byte
	start  int // buf[start:end] is read and not given out
	end    int
	lf, cr int // the first LF and CR from start on, end where there is none
	max    int
	format Format
	begun  bool // the first line is over: no more byte order mark
	afterC bool // the line before ended with a CR whose LF may still come
	long   bool // a piece of the line was given out already
}

// NewScanner returns a scanner over a body. maxLine is the length in bytes,
// without terminator, up to which a line is kept in one piece, and so the bound
// of the memory that the scanner uses; 0 or less means 16 MiB.
func NewScanner(r io.Reader, f Format, maxLine int) *Scanner {
	if maxLine <= 0 {
		maxLine = defaultMax
	}
	return &Scanner{r: r, format: f, max: maxLine}
}

// Next returns the next line as soon as its terminator has been read; it does not
// read on to see what follows. So a CR ends a line at once, and an LF behind it
// that has not been read yet begins the Raw of the next line.
//
// A line longer than the bound comes in pieces of kind [TooLong]. The error is
// [io.EOF] at the end of the body and otherwise the reader's, each time from then
// on; before it comes what was read of a line that was not ended.
func (s *Scanner) Next() (line Line, err error) {
	for {
		lead := s.lead()
		from := s.start + lead
		if at := s.terminator(from); at < s.end {
			s.give(&line, lead, at, s.after(at), true)
			return line, nil
		}
		switch have := s.end - from; {
		case s.err != nil && s.start == s.end:
			return line, s.err
		case s.err != nil && have == 0: // the LF of a line that was given out
			line = Line{Raw: s.buf[s.start:s.end], Value: s.buf[from:from], Lead: lead, Kind: Other, Ended: true}
			s.start, s.afterC = s.end, false
			return line, nil
		case s.err != nil, have > s.max, s.long && have > 0:
			s.give(&line, lead, s.end, s.end, false)
			return line, nil
		}
		s.fill()
	}
}

// lead is 1 if the bytes to come begin with the LF of a CRLF whose CR is gone.
func (s *Scanner) lead() int {
	if s.afterC && s.start < s.end && s.buf[s.start] == '\n' {
		return 1
	}
	return 0
}

// terminator returns the index of the byte that ends the line that begins there,
// or end. Each byte is looked at once for each of the two, however long the lines
// are and however few of them have the one or the other.
func (s *Scanner) terminator(from int) int {
	if s.lf < from {
		s.lf = s.find('\n', from)
	}
	if s.format == Lines {
		return s.lf
	}
	if s.cr < from {
		s.cr = s.find('\r', from)
	}
	return min(s.lf, s.cr)
}

func (s *Scanner) find(c byte, from int) int {
	if i := bytes.IndexByte(s.buf[from:s.end], c); i >= 0 {
		return from + i
	}
	return s.end
}

// after returns the index behind the terminator that begins at that index, the LF
// of a CRLF included if it is there.
func (s *Scanner) after(at int) int {
	if s.buf[at] == '\r' && at+1 < s.end && s.buf[at+1] == '\n' {
		return at + 2
	}
	return at + 1
}

// give takes the line out of the buffer; its text ends before at, and itself
// before next. It fills in a line instead of returning one because copying a
// freshly written struct takes longer than all the rest.
func (s *Scanner) give(line *Line, lead, at, next int, ended bool) {
	text := s.buf[s.start+lead : at]
	line.Raw, line.Lead, line.Ended = s.buf[s.start:next:next], lead, ended
	switch {
	case s.long || len(text) > s.max:
		line.Kind = TooLong
	default:
		if !s.begun {
			text = bytes.TrimPrefix(text, []byte("\xEF\xBB\xBF"))
		}
		if s.format == Lines {
			line.Kind, line.Value = parseJSON(text)
		} else {
			line.Kind, line.Value = parse(text)
		}
	}
	s.start, s.begun, s.long = next, true, !ended
	s.afterC = ended && s.format == Events && s.buf[next-1] == '\r'
}
