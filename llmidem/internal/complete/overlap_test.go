package complete

import (
	"strconv"
	"strings"
	"testing"
)

// contentOf is what events say.
func contentOf(op string, events []event) Content {
	s := streamOf(op, "", 0)
	s.Track()
	for _, e := range events {
		s.Event(e.name, []byte(e.data))
	}
	return s.Content()
}

// TestR13_ResumedStream: of a stream that comes again, exactly the events that
// were given out lie within what was given out, wherever it had been cut.
func TestR13_ResumedStream(t *testing.T) {
	for _, c := range whole {
		events := eventsOf(c.stream)
		for cut := range len(events) + 1 {
			given := contentOf(c.op, events[:cut])
			s := streamOf(c.op, c.req, c.n)
			s.Resume(given)
			for i, e := range events {
				s.Event(e.name, []byte(strings.ReplaceAll(e.data, "chatcmpl-B9", "chatcmpl-C0")))
				// Of those given out the last may come again if they say nothing.
				may, got := i < cut, s.Overlap()
				must := may && says(c.op, events[:i], events[i:cut])
				if must && got != OverlapWithin || !may && got != OverlapNone || got > OverlapWithin {
					t.Errorf("%s cut at %d: event %d (%s): %d", c.name, cut, i, e.data, got)
				}
			}
			if !s.Resumed() || !s.Content().HasPrefix(given) || given.Len() > s.Content().Len() {
				t.Errorf("%s cut at %d: not resumed", c.name, cut)
			}
		}
	}
}

// says reports whether the events after those before say anything.
func says(op string, before, after []event) bool {
	all := append(append([]event(nil), before...), after...)
	return contentOf(op, all).Len() > contentOf(op, before).Len()
}

func chatDelta(delta string) event {
	return event{"", `{"choices":[{"index":0,"delta":` + delta + `,"finish_reason":null}]}`}
}

func TestR13_ResumedInOtherPieces(t *testing.T) {
	given := contentOf("openai chat", []event{chatDelta(`{"role":"assistant","content":""}`), chatDelta(`{"content":"Hello \u00e4"}`),
		chatDelta(`{"content":" world"}`)})
	for name, c := range map[string]struct {
		events []event
		want   []Overlap
	}{
		"one piece": {[]event{chatDelta(`{"role":"assistant","content":"Hello ä world"}`), chatDelta(`{"content":"!"}`)}, []Overlap{OverlapWithin, OverlapNone}},
		"smaller pieces, nothing between": {[]event{chatDelta(`{"role":"assistant"}`), chatDelta(`{"content":"Hel"}`), chatDelta(`{}`), chatDelta(`{"content":"lo \u00E4 world"}`), chatDelta(`{}`)},
			[]Overlap{OverlapWithin, OverlapWithin, OverlapWithin, OverlapWithin, OverlapNone}},
		"over the edge": {[]event{chatDelta(`{"role":"assistant","content":"Hello ä wor"}`), chatDelta(`{"content":"ld and"}`), chatDelta(`{"content":" all"}`)},
			[]Overlap{OverlapWithin, OverlapPart, OverlapNone}},
		"another text":  {[]event{chatDelta(`{"role":"assistant","content":"Hallo"}`), chatDelta(`{"content":" ä world"}`)}, []Overlap{OverlapDiffers, OverlapDiffers}},
		"another role":  {[]event{chatDelta(`{"role":"tool","content":"Hello"}`)}, []Overlap{OverlapDiffers}},
		"another sort":  {[]event{chatDelta(`{"role":"assistant","refusal":"Hello ä world"}`)}, []Overlap{OverlapDiffers}},
		"shorter":       {[]event{chatDelta(`{"role":"assistant","content":"Hello"}`), {"", `{"choices":[{"delta":{},"finish_reason":"stop"}]}`}}, []Overlap{OverlapWithin, OverlapDiffers}},
		"then a tool":   {[]event{chatDelta(`{"role":"assistant","content":"Hello"}`), chatDelta(`{"tool_calls":[{"index":0,"function":{"name":"f"}}]}`)}, []Overlap{OverlapWithin, OverlapDiffers}},
		"other choices": {[]event{{"", `{"choices":[{"index":1,"delta":{"content":"x"}}]}`}, chatDelta(`{"role":"assistant","content":"Hello ä world"}`)}, []Overlap{OverlapNone, OverlapWithin}},
	} {
		s := streamOf("openai chat", "", 0)
		s.Resume(given)
		for i, e := range c.events {
			s.Event(e.name, []byte(e.data))
			if got := s.Overlap(); got != c.want[i] {
				t.Errorf("%s: event %d: %d, want %d", name, i, got, c.want[i])
			}
		}
	}
}

func TestContent_HasPrefix(t *testing.T) {
	a := contentOf("openai chat", []event{chatDelta(`{"content":"Hello"}`)})
	b := contentOf("openai chat", []event{chatDelta(`{"content":"Hel"}`), chatDelta(`{"content":"lo!"}`)})
	other := contentOf("openai chat", []event{chatDelta(`{"content":"Hey"}`)})
	if !b.HasPrefix(a) || a.HasPrefix(b) || !a.HasPrefix(a) || a.HasPrefix(other) || !a.HasPrefix(Content{}) || (Content{}).HasPrefix(a) {
		t.Error("not the prefixes that there are")
	}
	if untracked := streamOf("openai chat", "", 0).Content(); untracked.Len() != 0 || !untracked.HasPrefix(Content{}) {
		t.Error("content of a stream that keeps none")
	}
}

// TestContent_IsAValue: what is said later does not reach a content taken before.
func TestContent_IsAValue(t *testing.T) {
	s := streamOf("openai chat", "", 0)
	s.Track()
	s.Event("", []byte(chatDelta(`{"content":"a"}`).data))
	before := s.Content()
	for range 100 {
		s.Event("", []byte(chatDelta(`{"content":"b"}`).data))
	}
	if string(before.text(key{})) != "a" || before.Len() != 1 || s.Content().Len() != 101 {
		t.Errorf("%q, %d bytes", before.text(key{}), before.Len())
	}
}

func TestContent_IsBounded(t *testing.T) {
	s := streamOf("openai chat", "", 0)
	s.Track()
	for i := range maxParts + 1 {
		s.Event("", []byte(strings.Replace(chatDelta(`{"tool_calls":[{"index":N,"function":{"arguments":"x"}}]}`).data, "N", strconv.Itoa(i), 1)))
	}
	if c := s.Content(); len(c.parts) > maxParts || c.HasPrefix(Content{}) {
		t.Errorf("%d parts", len(c.parts))
	}
	piece := []byte(chatDelta(`{"content":"` + strings.Repeat("x", 1<<20) + `"}`).data)
	s = streamOf("openai chat", "", 0)
	s.Track()
	for range 70 {
		s.Event("", piece)
	}
	if c := s.Content(); c.Len() > maxSaid || c.HasPrefix(Content{}) {
		t.Errorf("%d bytes", c.Len())
	}
	s = streamOf("openai chat", "", 0)
	s.Resume(Content{over: true})
	if s.Event("", piece); s.Overlap() != OverlapDiffers {
		t.Error("resumed what is not known")
	}
}
