package complete

import (
	"bytes"
	"slices"
	"testing"
)

var fuzzOps = []string{"openai chat", "openai text_completion", "openai responses", "anthropic messages",
	"gemini stream_generate_content", "ollama ollama.chat", "ollama ollama.generate", "some thing"}

// FuzzStream: no event can be said of a stream to have ended it that is not the
// one with a finish reason; nothing panics; what a stream says does not depend on
// whether anybody wants to know it; and it begins with what it said.
func FuzzStream(f *testing.F) {
	for i, c := range whole {
		var joined []byte
		for _, e := range eventsOf(c.stream) {
			joined = append(joined, e.name+"|"+e.data+"\n\n"...)
		}
		f.Add(byte(slices.Index(fuzzOps, c.op)), byte(i%3), joined)
	}
	for _, c := range frames {
		f.Add(byte(slices.Index(fuzzOps, c.op)), byte(1), []byte(c.event+"|"+c.data))
	}
	f.Fuzz(func(t *testing.T, op, n byte, joined []byte) {
		plain, tracked, again := fuzzed(op, n), fuzzed(op, n), fuzzed(op, n)
		tracked.Track()
		ended := false
		for block := range bytes.SplitSeq(joined, []byte("\n\n")) {
			name, data, _ := bytes.Cut(block, []byte("|"))
			sig := plain.Event(string(name), data)
			if other := tracked.Event(string(name), data); other != sig {
				t.Fatalf("%q: signal %b, tracked %b", block, sig, other)
			}
			r := plain.Result()
			if r.Terminal && !sig.Has(SignalFinished) || r.Keep && !r.Terminal || (r.Reason == "") != r.Keep {
				t.Fatalf("%q: signal %b, %+v", block, sig, r)
			}
			if r.Terminal && !ended && !bytes.ContainsAny(data, `{`) {
				t.Fatalf("%q ended the stream", block)
			}
			ended = ended || sig.Has(SignalFinished)
			bounded(t, r)
		}
		said := tracked.Content()
		repeated(t, again, said, joined)
		resumed(t, fuzzed(op, n), said, joined)
	})
}

// repeated lets a stream come again as it was.
func repeated(t *testing.T, s *Stream, said Content, joined []byte) {
	s.Resume(said)
	for block := range bytes.SplitSeq(joined, []byte("\n\n")) {
		name, data, _ := bytes.Cut(block, []byte("|"))
		s.Event(string(name), data)
		if got := s.Overlap(); got > OverlapWithin {
			t.Fatalf("%q: %d of its own repetition", block, got)
		}
	}
	if !s.Resumed() || !s.Content().HasPrefix(said) || !said.HasPrefix(s.Content()) {
		t.Fatalf("%q: not its own repetition", joined)
	}
}

// resumed lets a stream resume after what may be another one, cut anywhere: what
// is left of an event is an event.
func resumed(t *testing.T, s *Stream, said Content, joined []byte) {
	for i := range said.parts {
		p := &said.parts[i]
		cut := len(p.text) * i / len(said.parts)
		said.size -= len(p.text) - cut
		p.text = p.text[:cut]
	}
	s.Resume(said)
	for block := range bytes.SplitSeq(joined, []byte("\n\n")) {
		name, data, _ := bytes.Cut(block, []byte("|"))
		sig := s.Event(string(name), data)
		if rest := s.Rest(data); Valid(data) && !Valid(rest) || !sig.Has(SignalContent) && !bytes.Equal(rest, data) {
			t.Fatalf("the rest of %q is %q", data, rest)
		}
	}
}

func fuzzed(op, n byte) *Stream {
	return streamOf(fuzzOps[int(op)%len(fuzzOps)], `{"prompt":["a"]}`, int(n%4))
}

func bounded(t *testing.T, r Result) {
	t.Helper()
	if len(r.ID) > maxName || len(r.Model) > maxName || len(r.FinishReasons) > maxReasons {
		t.Fatalf("%+v", r)
	}
	for _, why := range r.FinishReasons {
		if len(why) > maxReason {
			t.Fatalf("%+v", r)
		}
	}
}
