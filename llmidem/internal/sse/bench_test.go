package sse

import (
	"fmt"
	"strings"
	"testing"
)

// endless gives the same bytes over and over, as much as fits.
type endless struct {
	body string
	at   int
}

func (e *endless) Read(p []byte) (int, error) {
	n := copy(p, e.body[e.at:])
	if e.at += n; e.at == len(e.body) {
		e.at = 0
	}
	return n, nil
}

// chunk is a chat chunk of about the usual size, or with that much text.
func chunk(text int, end string) string {
	return fmt.Sprintf(`data: {"id":"chatcmpl-B9MBs8CjcvOU2jLn4n570S5qMJKcT","object":"chat.completion.chunk","created":1741569952,`+
		`"model":"gpt-4.1-2025-04-14","choices":[{"index":0,"delta":{"content":"%s"},"logprobs":null,"finish_reason":null}]}`+"%s%s",
		strings.Repeat("x", text), end, end)
}

var streams = map[string]string{
	"tiny":    strings.Repeat("data: {}\n\n", 100),
	"short":   strings.Repeat("data: {\"t\":\"a word\"}\n\n", 100),
	"chunk":   strings.Repeat(chunk(5, "\n"), 20),
	"crlf":    strings.Repeat(chunk(5, "\r\n"), 20),
	"cr":      strings.Repeat(chunk(5, "\r"), 20),
	"long":    chunk(64<<10, "\n"),
	"longest": chunk(4<<20, "\n"),
}

func TestScanner_AllocatesNothing(t *testing.T) {
	for name, body := range streams {
		s := NewScanner(&endless{body: body}, Events, 0)
		next := func() {
			if line, err := s.Next(); err != nil || line.Kind == TooLong {
				t.Fatal(line, err)
			}
		}
		for range 20 { // the buffer becomes as large as it must
			next()
		}
		if n := testing.AllocsPerRun(100, next); n != 0 {
			t.Errorf("%s: %v allocations a line, want none", name, n)
		}
	}
}

func BenchmarkScanner(b *testing.B) {
	for name, body := range streams {
		b.Run(name, func(b *testing.B) {
			s := NewScanner(&endless{body: body}, Events, 0)
			lines := strings.Count(strings.ReplaceAll(strings.ReplaceAll(body, "\r\n", "\n"), "\r", "\n"), "\n")
			b.SetBytes(int64(len(body)))
			b.ReportAllocs()
			for b.Loop() {
				for range lines {
					if _, err := s.Next(); err != nil {
						b.Fatal(err)
					}
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*lines), "ns/line")
		})
	}
}
