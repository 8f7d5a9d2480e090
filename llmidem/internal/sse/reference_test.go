package sse

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"strings"
	"testing"
)

// plain is a line as the reference sees it, however the body was split.
type plain struct {
	kind  Kind
	value string
	ended bool
}

// reference reads a whole body, one byte after the other, in the words of the
// standard.
func reference(body string, f Format, maxLine int) (out []plain) {
	var line []byte
	first := true
	finish := func(ended bool) {
		out = append(out, referenceLine(string(line), f, maxLine, first, ended))
		line, first = nil, false
	}
	for i := 0; i < len(body); i++ {
		switch c := body[i]; {
		case c == '\n' && f == Events && i > 0 && body[i-1] == '\r': // the line is over
		case c == '\n', c == '\r' && f == Events:
			finish(true)
		default:
			line = append(line, c)
		}
	}
	if len(line) > 0 {
		finish(false)
	}
	return out
}

func referenceLine(text string, f Format, maxLine int, first, ended bool) plain {
	if len(text) > maxLine {
		return plain{TooLong, "", ended}
	}
	if first {
		text = strings.TrimPrefix(text, "\uFEFF")
	}
	if f == Lines {
		if text = strings.TrimSuffix(text, "\r"); text == "" {
			return plain{Blank, "", ended}
		}
		return plain{Data, text, ended}
	}
	if text == "" {
		return plain{Blank, "", ended}
	}
	name, value, _ := strings.Cut(text, ":")
	value = strings.TrimPrefix(value, " ")
	kinds := map[string]Kind{"": Comment, "data": Data, "event": Event, "id": ID, "retry": Retry}
	if k, ok := kinds[name]; ok {
		return plain{k, value, ended}
	}
	return plain{Other, text, ended}
}

// scan reads a body with the scanner. The pieces of a line that is too long
// become one, and the LF left at the end none.
func scan(r io.Reader, f Format, maxLine int) (lines []plain, body string, err error) {
	s := NewScanner(r, f, maxLine)
	var raw []byte
	for {
		line, err := s.Next()
		if err != nil {
			if _, again := s.Next(); again != err {
				return nil, "", fmt.Errorf("%w after %w", again, err)
			}
			return lines, string(raw), err
		}
		if err := sound(s, line, raw); err != nil {
			return nil, "", err
		}
		raw = append(raw, line.Raw...)
		p := plain{line.Kind, string(line.Value), line.Ended}
		switch n := len(lines); {
		case line.Lead == 1 && len(line.Raw) == 1 && line.Kind == Other:
			if _, err := s.Next(); err == nil {
				return nil, "", errors.New("an LF of its own before the end")
			}
		case n > 0 && lines[n-1].kind == TooLong && !lines[n-1].ended:
			lines[n-1] = p
		default:
			lines = append(lines, p)
		}
	}
}

// sound reports what cannot be of any line.
func sound(s *Scanner, line Line, before []byte) error {
	switch {
	case len(line.Raw) == 0:
		return errors.New("a line of no bytes")
	case line.Value != nil && !bytes.Contains(line.Raw, line.Value):
		return fmt.Errorf("%q is no part of %q", line.Value, line.Raw)
	case line.Lead > 1, line.Lead == 1 && (line.Raw[0] != '\n' || !bytes.HasSuffix(before, []byte("\r"))):
		return fmt.Errorf("lead %d of %q after %q", line.Lead, line.Raw, before)
	case len(s.buf) > max(firstSize, s.max+2):
		return fmt.Errorf("a buffer of %d bytes", len(s.buf))
	}
	return nil
}

// pieces gives a body out in pieces of random length, some empty, the last one
// with or without the error.
type pieces struct {
	body   string
	random *rand.Rand
	end    error
}

func (p *pieces) Read(to []byte) (int, error) {
	n := min(p.random.IntN(9), len(to), len(p.body))
	copy(to, p.body[:n])
	if p.body = p.body[n:]; p.body == "" && (n == 0 || p.random.IntN(2) == 0) {
		return n, p.end
	}
	return n, nil
}

// same fails the test unless the scanner reads a body from r as the reference
// does.
func same(t *testing.T, what, body string, r io.Reader, f Format, maxLine int, end error) {
	t.Helper()
	want := reference(body, f, maxLine)
	got, raw, err := scan(r, f, maxLine)
	switch {
	case !errors.Is(err, end):
		t.Fatalf("%s of %q: %v, want %v", what, body, err, end)
	case raw != body:
		t.Fatalf("%s: the lines of %q are the bytes %q", what, body, raw)
	case fmt.Sprint(got) != fmt.Sprint(want):
		t.Fatalf("%s of %q:\n%v, want\n%v", what, body, got, want)
	}
}
