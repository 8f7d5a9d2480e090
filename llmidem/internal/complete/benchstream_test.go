package complete

import (
	"strings"
	"testing"
)

// steady are the events that most of a stream consists of.
var steady = map[string]struct{ op, name, data string }{
	"chat":      {"openai chat", "", eventsOf(chatStream)[2].data},
	"chat-tool": {"openai chat", "", eventsOf(toolStream)[1].data},
	"chat-usage-each": {"openai chat", "", strings.Replace(eventsOf(chatStream)[2].data, `"usage":null`,
		`"usage":{"prompt_tokens":19,"completion_tokens":10,"total_tokens":29}`, 1)},
	"completions": {"openai text_completion", "", eventsOf(textStream)[0].data},
	"responses":   {"openai responses", "response.output_text.delta", eventsOf(responsesStream)[4].data},
	"messages":    {"anthropic messages", "content_block_delta", eventsOf(anthropicStream)[3].data},
	"gemini":      {"gemini stream_generate_content", "", eventsOf(geminiStream)[1].data},
	"ollama":      {"ollama ollama.chat", "", eventsOf(ollamaChatStream)[1].data},
	"done":        {"openai chat", "", "[DONE]"},
	"ping":        {"anthropic messages", "ping", `{"type": "ping"}`},
}

func TestStream_AllocatesNothing(t *testing.T) {
	for name, c := range steady {
		s := streamOf(c.op, "", 0)
		data := []byte(c.data)
		next := func() { s.Event(c.name, data) }
		next()
		if n := testing.AllocsPerRun(100, next); n != 0 {
			t.Errorf("%s: %v allocations an event, want none", name, n)
		}
	}
}

func BenchmarkStream(b *testing.B) {
	for name, c := range steady {
		data := []byte(c.data)
		b.Run(name, func(b *testing.B) {
			s := streamOf(c.op, "", 0)
			b.SetBytes(int64(len(data)))
			b.ReportAllocs()
			for b.Loop() {
				s.Event(c.name, data)
			}
		})
		b.Run(name+"/tracked", func(b *testing.B) {
			s := streamOf(c.op, "", 0)
			s.Track()
			b.SetBytes(int64(len(data)))
			b.ReportAllocs()
			for b.Loop() {
				s.Event(c.name, data)
			}
		})
	}
}
