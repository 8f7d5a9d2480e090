package complete

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"
)

// cutContents are the contents that a stream may have given out between two of
// its events, had it been cut into others.
func cutContents(op string, events []event) (out []Content) {
	for n := range events {
		before, after := contentOf(op, events[:n]), contentOf(op, events[:n+1])
		for i, p := range after.parts {
			old := len(before.text(p.key))
			for k := old + 1; k < len(p.text) && p.key.channel < channelRole; k++ {
				if !utf8.RuneStart(p.text[k]) {
					continue
				}
				c := Content{parts: slices.Clone(after.parts[:i])}
				c.parts = append(c.parts, said{p.key, p.text[:k]})
				for _, later := range after.parts[i+1:] {
					c.parts = append(c.parts, said{later.key, before.text(later.key)})
				}
				for _, q := range c.parts {
					c.size += len(q.text)
				}
				out = append(out, c)
			}
		}
	}
	return out
}

// TestR13_ResumedInsideAnEvent: what was given out and what is left of the stream
// that comes again are the answer, and nothing in it is said twice.
func TestR13_ResumedInsideAnEvent(t *testing.T) {
	for _, c := range whole {
		events := eventsOf(c.stream)
		full, tried := contentOf(c.op, events), 0
		for _, given := range cutContents(c.op, events) {
			s := streamOf(c.op, c.req, c.n)
			s.Resume(given)
			var left []event
			overlap := OverlapNone
			for _, e := range events {
				data := []byte(" " + e.data + "\n")
				s.Event(e.name, data)
				switch overlap = max(overlap, s.Overlap()); s.Overlap() {
				case OverlapNone:
					left = append(left, e)
				case OverlapPart:
					rest := s.Rest(data)
					if !json.Valid(rest) {
						t.Fatalf("%s: the rest of %s is %s", c.name, e.data, rest)
					}
					left = append(left, event{e.name, string(rest)})
				}
			}
			if overlap == OverlapDiffers && (strings.HasPrefix(c.op, "gemini") || strings.HasPrefix(c.op, "ollama")) {
				continue // half an object, of arguments that no service sends in halves
			}
			tried++
			said := contentOf(c.op, left)
			for _, p := range full.parts {
				if got := string(given.text(p.key)) + string(said.text(p.key)); p.key.channel < channelRole && got != string(p.text) {
					t.Errorf("%s: %+v is %q, want %q", c.name, p.key, got, p.text)
				}
			}
		}
		if tried == 0 {
			t.Errorf("%s: nothing was tried", c.name)
		}
	}
}

func TestRest(t *testing.T) {
	given := contentOf("openai chat", []event{chatDelta(`{"role":"assistant","content":"a\"b"}`)})
	for in, want := range map[string]string{
		`{"content":"a\u0022bc\\ \"d\"\n\u0001ä"}`:                                                       `{"content":"c\\ \"d\"\n\u0001ä"}`,
		`{"role":"assistant","content":"a\"bc"}`:                                                         `{"role":"assistant","content":"c"}`,
		`{"refusal":"r","content":"a\"b"}`:                                                               `{"refusal":"r","content":""}`,
		`{"content":"a\"b","tool_calls":[{"index":0,"id":"x","function":{"arguments":"{","name":"f"}}]}`: `{"content":"","tool_calls":[{"index":0,"id":"x","function":{"arguments":"{","name":"f"}}]}`,
	} {
		s := streamOf("openai chat", "", 0)
		s.Resume(given)
		s.Event("", []byte(chatDelta(`{"role":"assistant"}`).data))
		data := []byte(chatDelta(in).data)
		before := string(data)
		s.Event("", data)
		if got := string(s.Rest(data)); got != chatDelta(want).data || string(data) != before {
			t.Errorf("%s: %d: %s, want %s", in, s.Overlap(), got, want)
		}
	}
	plain := streamOf("openai chat", "", 0)
	if got := string(plain.Rest([]byte("x"))); got != "x" {
		t.Errorf("%q", got)
	}
	s := streamOf("gemini generate_content", "", 0)
	s.Resume(contentOf("gemini generate_content", []event{{"", `{"candidates":[{"content":{"parts":[{"functionCall":{"name":"f","args":{"a":1}}}]}}]}`}}))
	s.Event("", []byte(`{"candidates":[{"content":{"parts":[{"functionCall":{"name":"f","args":{"a":1}}},{"text":"x"}]}}]}`))
	if got := s.Overlap(); got != OverlapDiffers {
		t.Errorf("an object that cannot be taken out: %d", got)
	}
}
