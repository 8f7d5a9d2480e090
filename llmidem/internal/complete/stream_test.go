package complete

import (
	"fmt"
	"strings"
	"testing"
)

// streamOf is a judge for an operation as the tables name it.
func streamOf(op, req string, n int) *Stream {
	dialect, operation, _ := strings.Cut(op, " ")
	return NewStream(Query{Dialect: dialect, Operation: operation, Request: []byte(req), N: n})
}

// whole are streams of which nothing is missing.
var whole = []struct {
	name, op, req string
	n             int
	stream        string
	id, model     string
	finish        string
	in, out       int64 // tokens; -1: no usage
	finished      int   // the event, from 0, by which all is finished
	said          string
}{
	{"chat", "openai chat", "", 0, chatStream, "chatcmpl-B9", "gpt-4.1-2025-04-14", "stop", 19, 10, 3, "0/text=Café \"au lait\", bitte"},
	{"T6 tool calls", "openai chat", "", 1, toolStream, "c", "m", "tool_calls", -1, -1, 4,
		`0/tool=weather 0/arguments={"city":"Kyiv"} 0/tool.1=time 0/arguments.1={}`},
	{"T6 two choices", "openai chat", `{"n":2}`, 0, twoStream, "c", "m", "stop length", -1, -1, 3, "1/text=bbB 0/text=aaA"},
	{"T6 reasoning, usage beside the end", "openai chat", "", 0, reasoningStream, "d", "deepseek-reasoner", "stop", 5, 7, 4, "0/reasoning=Hmmm. 0/text=42"},
	{"completions of two prompts", "openai text_completion", `{"prompt":["a","b"]}`, 0, textStream, "cmpl-1", "gpt-3.5-turbo-instruct",
		"length stop", -1, -1, 3, "0/text=One! 1/text=Two"},
	{"responses", "openai responses", "", 0, responsesStream, "resp_1", "gpt-5-2025-08-07", "completed", 36, 87, 8, "0/text=Hello"},
	{"responses incomplete", "openai responses", "", 0, responsesCall, "resp_2", "gpt-5", "max_output_tokens", 3, 4, 7,
		`0/tool=weather 0/arguments={"city":"Kyiv"}`},
	{"messages", "anthropic messages", "", 0, anthropicStream, "msg_01", "claude-sonnet-4-20250514", "tool_use", 125, 89, 13,
		`0/reasoning=Let me see 0/text.1=Okay 0/tool.2=weather 0/arguments.2={"city":"Kyiv"}`},
	{"gemini", "gemini stream_generate_content", "", 0, geminiStream, "r1", "gemini-2.5-pro", "STOP", 10, 34, 2,
		`0/reasoning=Thinking 0/text=Hello there 0/tool=f 0/arguments={"a":1}`},
	{"ollama chat", "ollama ollama.chat", "", 0, ollamaChatStream, "", "llama3.2", "stop", 26, 282, 3, "0/reasoning=Hm 0/text=The sky"},
	{"ollama generate", "ollama ollama.generate", "", 0, ollamaTextStream, "", "llama3.2", "length", 1, 2, 1, "0/text=The"},
}

func TestP5_StreamWhole(t *testing.T) {
	for _, c := range whole {
		s := streamOf(c.op, c.req, c.n)
		s.Track()
		for i, e := range eventsOf(c.stream) {
			sig := s.Event(e.name, []byte(e.data))
			r := s.Result()
			if sig.Has(SignalFinished) != (i >= c.finished) || r.Terminal != (i >= c.finished) || r.Keep != r.Terminal {
				t.Errorf("%s: event %d: signal %b, %+v", c.name, i, sig, r)
			}
			if sig&(SignalError|SignalMalformed) != 0 || sig.Has(SignalPing) == sig.Has(SignalContent) && e.data != "[DONE]" {
				t.Errorf("%s: event %d: signal %b", c.name, i, sig)
			}
		}
		r := s.Result()
		if r.ID != c.id || r.Model != c.model || strings.Join(r.FinishReasons, " ") != c.finish {
			t.Errorf("%s: %+v", c.name, r)
		}
		if r.HasUsage != (c.in >= 0) || r.HasUsage && (r.Input != c.in || r.Output != c.out) {
			t.Errorf("%s: %d and %d tokens (%v), want %d and %d", c.name, r.Input, r.Output, r.HasUsage, c.in, c.out)
		}
		if got := describe(s.Content()); got != c.said {
			t.Errorf("%s said\n%s, want\n%s", c.name, got, c.said)
		}
		if s.Err() != (ErrorInfo{}) {
			t.Errorf("%s: %+v", c.name, s.Err())
		}
	}
}

// TestP7_StreamCut: no stream is whole before the event that finishes it, and
// [DONE] makes none so.
func TestP7_StreamCut(t *testing.T) {
	for _, c := range whole {
		events := eventsOf(c.stream)
		for n := range c.finished {
			s := streamOf(c.op, c.req, c.n)
			for _, e := range events[:n] {
				s.Event(e.name, []byte(e.data))
			}
			if sig := s.Event("", []byte("[DONE]")); sig != SignalDone {
				t.Errorf("%s: [DONE] after %d events: signal %b", c.name, n, sig)
			}
			if r := s.Result(); r.Terminal || r.Keep || r.Reason == "" {
				t.Errorf("%s: %d of %d events: %+v", c.name, n, len(events), r)
			}
		}
	}
}

// TestT6_StreamOfTooFew: the stream of another request is not whole for this one.
func TestT6_StreamOfTooFew(t *testing.T) {
	for _, c := range []struct {
		op, req string
		n       int
		stream  string
	}{
		{"openai chat", "", 2, chatStream}, {"openai chat", `{"n":3}`, 0, twoStream}, {"openai chat", "", 1 << 30, twoStream},
		{"openai text_completion", `{"prompt":["a","b"],"n":2}`, 0, textStream},
		{"gemini generate_content", `{"generationConfig":{"candidateCount":2}}`, 0, geminiStream},
		{"openai embeddings", "", 0, chatStream}, {"mistral chat", "", 0, chatStream}, {"anthropic chat", "", 0, anthropicStream},
	} {
		s := streamOf(c.op, c.req, c.n)
		for _, e := range eventsOf(c.stream) {
			if sig := s.Event(e.name, []byte(e.data)); sig.Has(SignalFinished) {
				t.Errorf("%+v: signal %b", c, sig)
			}
		}
		if r := s.Result(); r.Terminal || r.Reason == "" {
			t.Errorf("%s %s %d: %+v", c.op, c.req, c.n, r)
		}
	}
}

var channels = []string{"text", "refusal", "reasoning", "summary", "tool", "arguments", "audio", "transcript", "role", "finish", "mark"}

// describe writes down what was said, apart from roles, ends and frames.
func describe(c Content) string {
	var out []string
	for _, p := range c.parts {
		if p.key.channel >= channelRole {
			continue
		}
		where := fmt.Sprintf("%d/%s", p.key.choice, channels[p.key.channel])
		if p.key.tool != 0 {
			where += fmt.Sprintf(".%d", p.key.tool)
		}
		out = append(out, where+"="+string(p.text))
	}
	return strings.Join(out, " ")
}
