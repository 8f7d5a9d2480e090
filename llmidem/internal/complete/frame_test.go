package complete

import (
	"strings"
	"testing"
)

// frames are single events and what they mean in a stream of their dialect.
var frames = []struct {
	name  string // of the case
	op    string
	event string
	data  string
	want  Signal
	err   ErrorInfo
}{
	{"T2 OpenAI", "openai chat", "", `{"error":{"message":"The server had an error","type":"server_error","param":null,"code":"server_error"}}`, SignalError,
		ErrorInfo{Code: "server_error", Type: "server_error", Message: "The server had an error", Object: true}},
	{"T2 a space after the brace", "openai chat", "", ` { "error" : {"message":"m"} } `, SignalError, ErrorInfo{Message: "m", Object: true}},
	{"T2 not the first member", "openai chat", "", `{"id":"x","choices":[{"index":0,"delta":{"content":""},"finish_reason":"error"}],"error":{"code":502,"message":"down"}}`, SignalError,
		ErrorInfo{Code: "502", Message: "down", Object: true}},
	{"T2 an error event", "openai chat", "error", `{"message":"m","code":500}`, SignalError, ErrorInfo{Code: "500", Message: "m", Object: true}},
	{"T2 an error event of text", "openai chat", "error", `upstream gone`, SignalError | SignalMalformed, ErrorInfo{Message: "upstream gone"}},
	{"T2 an error event of nothing", "openai chat", "error", ``, SignalError | SignalMalformed, ErrorInfo{}},
	{"T2 an object of type error", "openai chat", "", `{"object":"error","message":"m","type":"BadRequestError","code":400}`, SignalError,
		ErrorInfo{Code: "400", Type: "BadRequestError", Message: "m", Object: true}},
	{"T2 of a choice", "openai chat", "", `{"choices":[{"index":0,"delta":{},"error":{"message":"m","code":429}}]}`, SignalContent | SignalError,
		ErrorInfo{Code: "429", Message: "m", Object: true}},
	{"T2 a choice's reason", "openai chat", "", `{"choices":[{"index":0,"delta":{},"finish_reason":"error"}]}`, SignalContent | SignalError, ErrorInfo{Object: true}},
	{"T2 completions", "openai text_completion", "", `{"error":"text"}`, SignalError, ErrorInfo{Message: "text", Object: true}},
	{"T2 responses", "openai responses", "error", `{"type":"error","code":"rate_limit_exceeded","message":"slow","param":null,"sequence_number":3}`, SignalError,
		ErrorInfo{Code: "rate_limit_exceeded", Message: "slow", Object: true}},
	{"T2 responses, nested", "openai responses", "", `{"type":"error","error":{"type":"insufficient_quota","code":"insufficient_quota","message":"q"}}`, SignalError,
		ErrorInfo{Code: "insufficient_quota", Type: "insufficient_quota", Message: "q", Object: true}},
	{"T2 messages", "anthropic messages", "error", `{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"},"request_id":"r"}`, SignalError,
		ErrorInfo{Type: "overloaded_error", Message: "Overloaded", Object: true}},
	{"T2 gemini", "gemini stream_generate_content", "", `{"error":{"code":503,"message":"overloaded","status":"UNAVAILABLE"}}`, SignalError,
		ErrorInfo{Code: "503", Type: "UNAVAILABLE", Message: "overloaded", Object: true}},
	{"T2 gemini, in an array", "gemini stream_generate_content", "", `[{"error":{"code":503,"message":"overloaded"}}]`, SignalError,
		ErrorInfo{Code: "503", Message: "overloaded", Object: true}},
	{"T2 ollama", "ollama ollama.chat", "", `{"error":"an error was encountered while running the model"}`, SignalError,
		ErrorInfo{Message: "an error was encountered while running the model", Object: true}},
	{"T2 no rule", "some thing", "", `{"error":{"message":"m"}}`, SignalError, ErrorInfo{Message: "m", Object: true}},

	{"T1 ping", "anthropic messages", "ping", `{"type": "ping"}`, SignalPing, ErrorInfo{}},
	{"T1 ping by type", "anthropic messages", "", `{"type":"ping"}`, SignalPing, ErrorInfo{}},
	{"T1 keepalive", "openai responses", "keepalive", `{"type":"keepalive","sequence_number":1}`, SignalPing, ErrorInfo{}},
	{"T1 keepalive of text", "openai chat", "keep-alive", `tick`, SignalPing, ErrorInfo{}},
	{"T1 nothing", "openai chat", "", " ", SignalPing, ErrorInfo{}},

	{"done", "openai chat", "", "[DONE]", SignalDone, ErrorInfo{}},
	{"done with spaces", "openai chat", "", " [DONE] ", SignalDone, ErrorInfo{}},
	{"message_stop alone", "anthropic messages", "message_stop", `{"type":"message_stop"}`, SignalContent | SignalDone, ErrorInfo{}},
	{"completed of nothing", "openai responses", "", `{"type":"response.completed"}`, SignalContent | SignalDone, ErrorInfo{}},
	{"completed, and still running", "openai responses", "", `{"type":"response.completed","response":{"status":"in_progress"}}`, SignalContent | SignalDone, ErrorInfo{}},
	{"completed with an error", "openai responses", "", `{"type":"response.completed","response":{"status":"completed","error":{"code":"c","message":"m"}}}`,
		SignalContent | SignalDone | SignalError, ErrorInfo{Code: "c", Message: "m", Object: true}},

	{"malformed", "openai chat", "", `{"choices":[{"index":0,"del`, SignalMalformed, ErrorInfo{}},
	{"malformed after a value", "openai chat", "", `{"choices":[]}}`, SignalMalformed, ErrorInfo{}},
	{"a page", "openai chat", "", html, SignalMalformed, ErrorInfo{}},
	{"half an array", "openai chat", "", `[1,`, SignalMalformed, ErrorInfo{}},
	{"a number", "openai chat", "", `7`, SignalContent, ErrorInfo{}},
	{"an array", "openai chat", "", `[{"a":1}]`, SignalContent, ErrorInfo{}},
	{"no members", "openai chat", "", `{}`, SignalContent, ErrorInfo{}},
	{"nothing of use", "openai chat", "", `{"choices":{"a":[]},"usage":[],"id":7,"error":null}`, SignalContent, ErrorInfo{}},
	{"an index beyond all bounds", "openai chat", "", `{"choices":[{"index":9223372036854775807,"delta":{"content":"x"},"finish_reason":"stop"}]}`, SignalContent | SignalText, ErrorInfo{}},
	{"a negative index", "openai chat", "", `{"choices":[{"index":-1,"delta":{},"finish_reason":"stop"}]}`, SignalContent, ErrorInfo{}},
	{"no reason is a reason", "gemini stream_generate_content", "", `{"candidates":[{"finishReason":"FINISH_REASON_UNSPECIFIED"}]}`, SignalContent, ErrorInfo{}},
}

func TestR13a_Frames(t *testing.T) {
	for _, c := range frames {
		s := streamOf(c.op, "", 0)
		if got := s.Event(c.event, []byte(c.data)); got != c.want {
			t.Errorf("%s: signal %b, want %b", c.name, got, c.want)
		}
		if s.Err() != c.err {
			t.Errorf("%s: %+v, want %+v", c.name, s.Err(), c.err)
		}
		if r := s.Result(); r.Terminal || r.Keep {
			t.Errorf("%s: %+v", c.name, r)
		}
	}
}

// TestT2_StreamWithAFrame puts a frame before each event of a whole stream, and
// after the last one.
func TestT2_StreamWithAFrame(t *testing.T) {
	for _, c := range whole {
		events := eventsOf(c.stream)
		for at := range len(events) + 1 {
			for _, frame := range []event{{"", `{"error":{"message":"secret words","code":"first"}}`}, {"", "no JSON"}, {"ping", "{}"}} {
				s := streamOf(c.op, c.req, c.n)
				for i := range len(events) + 1 {
					if i == at {
						s.Event(frame.name, []byte(frame.data))
					}
					if i < len(events) {
						s.Event(events[i].name, []byte(events[i].data))
					}
				}
				keep := frame.name == "ping" || frame.data == "no JSON" && at > c.finished
				if r := s.Result(); r.Keep != keep || r.Terminal != keep || strings.Contains(r.Reason, "secret") {
					t.Errorf("%s: %q before event %d: %+v", c.name, frame.data, at, r)
				}
				if got := s.Err().Code; got == "first" != strings.HasPrefix(frame.data, `{"error"`) {
					t.Errorf("%s: code %q of %q", c.name, got, frame.data)
				}
			}
		}
	}
}

func TestStream_FailedIsTerminal(t *testing.T) {
	for typ, body := range map[string]string{
		"failed":    `{"id":"r","status":"failed","error":{"code":"server_error","message":"m"},"usage":null}`,
		"cancelled": `{"id":"r","status":"cancelled","error":null}`,
	} {
		s := streamOf("openai responses", "", 0)
		for _, e := range eventsOf(responsesBegin) {
			s.Event(e.name, []byte(e.data))
		}
		if typ == "failed" { // told twice
			s.Event("error", []byte(`{"type":"error","code":"server_error","message":"m"}`))
		}
		sig := s.Event("response."+typ, []byte(`{"type":"response.`+typ+`","response":`+body+`}`))
		if sig != SignalContent|SignalFinished|SignalDone {
			t.Errorf("%s: signal %b", typ, sig)
		}
		if r := s.Result(); verdictOf(r) != lost || r.Model != "gpt-5-2025-08-07" || len(r.FinishReasons) != 1 || r.FinishReasons[0] != typ {
			t.Errorf("%s: %+v", typ, r)
		}
		if got := s.Err().Code; got == "server_error" != (typ == "failed") {
			t.Errorf("%s: code %q", typ, got)
		}
	}
}

func TestP5_StreamBlockedOrEmpty(t *testing.T) {
	for _, c := range []struct{ op, data, finish string }{
		{"gemini stream_generate_content", `{"promptFeedback":{"blockReason":"SAFETY"},"usageMetadata":{"promptTokenCount":3}}`, "SAFETY"},
		{"openai chat", `{"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}`, "stop"},
		{"openai chat", `{"choices":[{"delta":{},"finish_reason":"content_filter"}],"error":null}`, "content_filter"},
		{"anthropic messages", `{"type":"message_delta","delta":{"stop_reason":"refusal"}}`, "refusal"},
		{"ollama ollama.generate", `{"done":true}`, ""},
	} {
		s := streamOf(c.op, "", 0)
		if sig := s.Event("", []byte(c.data)); !sig.Has(SignalContent | SignalFinished) {
			t.Errorf("%s: signal %b", c.data, sig)
		}
		if r := s.Result(); verdictOf(r) != keep || strings.Join(r.FinishReasons, " ") != c.finish {
			t.Errorf("%s: %+v", c.data, r)
		}
	}
}
