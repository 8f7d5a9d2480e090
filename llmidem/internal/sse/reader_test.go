package sse

import (
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"
)

// script gives one piece a read, and counts.
type script struct {
	pieces []string
	reads  int
}

func (s *script) Read(p []byte) (int, error) {
	if s.reads == len(s.pieces) {
		return 0, io.EOF
	}
	s.reads++
	return copy(p, s.pieces[s.reads-1]), nil
}

// TestScanner_DoesNotWait: a body may be silent after a line for minutes, and
// that line must be out by then.
func TestScanner_DoesNotWait(t *testing.T) {
	r := &script{pieces: []string{"data: a\r", "\nda", "ta: b\n", "\n", ": c\r\n\r\n", "data: d\r", "\rdata: e\n\n"}}
	s := NewScanner(r, Events, 0)
	for _, want := range []struct {
		raw   string
		lead  int
		reads int
	}{
		{"data: a\r", 0, 1}, {"\ndata: b\n", 1, 3}, {"\n", 0, 4}, {": c\r\n", 0, 5}, {"\r\n", 0, 5},
		{"data: d\r", 0, 6}, {"\r", 0, 7}, {"data: e\n", 0, 7}, {"\n", 0, 7},
	} {
		line, err := s.Next()
		if err != nil || string(line.Raw) != want.raw || line.Lead != want.lead || r.reads != want.reads {
			t.Fatalf("%q, lead %d, after %d reads (%v), want %+v", line.Raw, line.Lead, r.reads, err, want)
		}
	}
	if _, err := s.Next(); err != io.EOF {
		t.Fatal(err)
	}
}

func TestScanner_Readers(t *testing.T) {
	reset := errors.New("connection reset")
	for name, c := range map[string]struct {
		r    io.Reader
		want error
	}{
		"data and the error at once": {iotest.DataErrReader(io.MultiReader(strings.NewReader("data: x"), iotest.ErrReader(reset))), reset},
		"empty reads":                {&script{pieces: []string{"", "", "data: x", "", ""}}, io.EOF},
		"nothing, for ever":          {io.MultiReader(strings.NewReader("data: x"), silent{}), io.ErrNoProgress},
		"a wrong count":              {io.MultiReader(strings.NewReader("data: x"), liar{}), errCount},
	} {
		s := NewScanner(c.r, Events, 0)
		line, err := s.Next()
		if err != nil || line.Ended || line.Kind != Data || string(line.Value) != "x" {
			t.Errorf("%s: %+v %v", name, line, err)
		}
		for range 2 {
			if _, err := s.Next(); err != c.want {
				t.Errorf("%s: %v, want %v", name, err, c.want)
			}
		}
	}
}

type silent struct{}

func (silent) Read([]byte) (int, error) { return 0, nil }

type liar struct{}

func (liar) Read(p []byte) (int, error) { return len(p) + 1, nil }

// TestT5_LongLines reads a line of 10 MB in one piece, and one of 40 MB in pieces,
// in no more memory than the bound.
func TestT5_LongLines(t *testing.T) {
	for _, size := range []int{10 << 20, 40 << 20} {
		body := "data: " + strings.Repeat("x", size) + "\n\ndata: y\n\n"
		s := NewScanner(strings.NewReader(body), Events, 0)
		first, err := s.Next()
		if err != nil || (first.Kind == Data) != (size <= defaultMax) || first.Ended != (first.Kind == Data) {
			t.Fatalf("%d bytes: kind %d, ended %v, %v", size, first.Kind, first.Ended, err)
		}
		read, last := len(first.Raw), first
		for read < len(body) {
			if last, err = s.Next(); err != nil {
				t.Fatal(err)
			}
			if read += len(last.Raw); last.Kind == Data && string(last.Value) != "y" {
				t.Fatalf("%q", last.Raw)
			}
		}
		if read != len(body) || cap(s.buf) > defaultMax+2 {
			t.Errorf("%d of %d bytes, a buffer of %d", read, len(body), cap(s.buf))
		}
	}
}
