package complete

import (
	"fmt"
	"runtime"
	"slices"
	"strings"
	"testing"
)

// verdict is what a test expects of an answer.
type verdict string

const (
	keep verdict = "keep"
	lost verdict = "terminal, not kept"
	no   verdict = "not terminal"
)

func verdictOf(r Result) verdict {
	switch {
	case r.Keep && r.Terminal && r.Reason == "":
		return keep
	case r.Terminal && !r.Keep && r.Reason != "":
		return lost
	case !r.Terminal && !r.Keep && r.Reason != "":
		return no
	}
	return verdict(fmt.Sprintf("contradiction: %+v", r))
}

// choice is a finished chat choice.
func choice(index int) string {
	return fmt.Sprintf(`{"index":%d,"message":{"role":"assistant","content":"hi"},"finish_reason":"stop"}`, index)
}

func chat(choices ...string) string { return `{"choices":[` + strings.Join(choices, ",") + `]}` }

const html = "<!DOCTYPE html><html><body>502 Bad Gateway</body></html>"

// answers has a row for each rule of completeness.
var answers = []struct {
	name string
	op   string // dialect operation
	req  string
	n    int
	typ  string
	body string
	want verdict
}{
	{"one choice", "openai chat", "", 0, "", chat(choice(0)), keep},
	{"P5 empty completion", "openai chat", "", 0, "", chat(`{"index":0,"message":{"content":""},"finish_reason":"stop"}`), keep},
	{"tool calls", "openai chat", "", 0, "", chat(`{"index":0,"message":{"content":null,"tool_calls":[{}]},"finish_reason":"tool_calls"}`), keep},
	{"error null", "openai chat", "", 0, "", `{"error":null,"choices":[` + choice(0) + `]}`, keep},
	{"index absent", "openai chat", "", 0, "", chat(`{"message":{},"finish_reason":"stop"}`), keep},
	{"white space around", "openai chat", "", 0, "", "\n " + chat(choice(0)) + "\r\n", keep},
	{"P7 finish reason null", "openai chat", "", 0, "", chat(`{"index":0,"message":{"content":"h"},"finish_reason":null}`), no},
	{"P7 finish reason empty", "openai chat", "", 0, "", chat(`{"index":0,"message":{"content":"h"},"finish_reason":""}`), no},
	{"P7 finish reason no text", "openai chat", "", 0, "", chat(`{"index":0,"message":{"content":"h"},"finish_reason":1}`), no},
	{"P7 finish reason absent", "openai chat", "", 0, "", chat(`{"index":0,"message":{"content":"h"}}`), no},
	{"upstream broke off", "openai chat", "", 0, "", chat(`{"index":0,"message":{"content":"h"},"finish_reason":"error"}`), no},
	{"error in a choice", "openai chat", "", 0, "", chat(`{"index":0,"message":{"content":"h"},"finish_reason":"stop","error":{"code":502}}`), no},
	{"a chunk", "openai chat", "", 0, "", chat(`{"index":0,"delta":{},"finish_reason":"stop"}`), no},
	{"no choices", "openai chat", "", 0, "", chat(), no},
	{"choices null", "openai chat", "", 0, "", `{"choices":null}`, no},
	{"choices absent", "openai chat", "", 0, "", `{}`, no},
	{"P7 truncated", "openai chat", "", 0, "", `{"choices":[` + choice(0), no},
	{"P7 trailing text", "openai chat", "", 0, "", chat(choice(0)) + "data: [DONE]", no},
	{"P7 HTML", "openai chat", "", 0, "text/html", html, no},
	{"P7 JSON error", "openai chat", "", 0, "", `{"error":{"message":"overloaded"}}`, no},
	{"P7 JSON error and choices", "openai chat", "", 0, "", `{"error":{},"choices":[` + choice(0) + `]}`, no},
	{"P7 empty", "openai chat", "", 0, "", "", no},
	{"P7 null", "openai chat", "", 0, "", "null", no},
	{"P7a n 2, one came", "openai chat", "", 2, "", chat(choice(0)), no},
	{"P7a n 2, one finished", "openai chat", "", 2, "", chat(choice(0), `{"index":1,"message":{},"finish_reason":null}`), no},
	{"P7a n 2, one twice", "openai chat", "", 2, "", chat(choice(0), choice(0)), no},
	{"P7a n 2 by the request", "openai chat", `{"n":2}`, 0, "", chat(choice(0)), no},
	{"n 2, both", "openai chat", `{"n":2}`, 0, "", chat(choice(1), choice(0)), keep},
	{"n 70, all", "openai chat", "", 70, "", chat(manyChoices(70)...), keep},
	{"n 70, 69", "openai chat", "", 70, "", chat(manyChoices(69)...), no},
	{"n of a stranger", "openai chat", `{"n":9223372036854775807}`, 0, "", chat(choice(0)), no},
	{"n of a stranger × prompts", "openai text_completion", `{"prompt":["a","b","c","d"]}`, 1 << 62, "", chat(choice(0)), no},
	{"index negative", "openai chat", "", 0, "", chat(choice(-1)), no},

	{"prompt", "openai text_completion", `{"prompt":"a"}`, 0, "", `{"choices":[{"text":"","index":0,"finish_reason":"length"}]}`, keep},
	{"2 prompts", "openai text_completion", `{"prompt":["a","b"]}`, 0, "", `{"choices":[{"text":"","index":0,"finish_reason":"length"},{"text":"","index":1,"finish_reason":"stop"}]}`, keep},
	{"2 prompts, 1 choice", "openai text_completion", `{"prompt":["a","b"]}`, 0, "", `{"choices":[{"text":"","index":0,"finish_reason":"length"}]}`, no},
	{"2 prompts × 2, 2 choices", "openai text_completion", `{"prompt":["a","b"],"n":2}`, 0, "", `{"choices":[{"index":0,"finish_reason":"stop"},{"index":1,"finish_reason":"stop"}]}`, no},
	{"tokens", "openai text_completion", `{"prompt":[1,2,3]}`, 0, "", `{"choices":[{"text":"","index":0,"finish_reason":"length"}]}`, keep},
	{"2 token prompts", "openai text_completion", `{"prompt":[[1],[2,3]]}`, 0, "", `{"choices":[{"text":"","index":0,"finish_reason":"length"}]}`, no},

	{"completed", "openai responses", "", 0, "", `{"status":"completed","error":null}`, keep},
	{"incomplete", "openai responses", "", 0, "", `{"status":"incomplete","incomplete_details":{"reason":"max_output_tokens"}}`, keep},
	{"P7 failed", "openai responses", "", 0, "", `{"status":"failed","error":{"code":"server_error"}}`, lost},
	{"P7 cancelled", "openai responses", "", 0, "", `{"status":"cancelled"}`, lost},
	{"P7 queued", "openai responses", "", 0, "", `{"status":"queued"}`, no},
	{"P7 in progress", "openai responses", "", 0, "", `{"status":"in_progress"}`, no},
	{"no status", "openai responses", "", 0, "", `{"output":[]}`, no},
	{"another status", "openai responses", "", 0, "", `{"status":"paused"}`, no},
	{"completed with an error", "openai responses", "", 0, "", `{"status":"completed","error":{"code":"x"}}`, no},
	{"error alone", "openai responses", "", 0, "", `{"error":{"code":"x"}}`, no},

	{"embedding", "openai embeddings", `{"input":"a"}`, 0, "", `{"data":[{"index":0,"embedding":[0.1]}]}`, keep},
	{"embedding in base64", "openai embeddings", `{"input":"a"}`, 0, "", `{"data":[{"embedding":"AAAA"}]}`, keep},
	{"2 inputs, 1 embedding", "openai embeddings", `{"input":["a","b"]}`, 0, "", `{"data":[{"embedding":[0.1]}]}`, no},
	{"2 inputs, 1 empty", "openai embeddings", `{"input":["a","b"]}`, 0, "", `{"data":[{"embedding":[0.1]},{"embedding":[ ]}]}`, no},
	{"2 inputs, 1 null", "openai embeddings", `{"input":["a","b"]}`, 0, "", `{"data":[{"embedding":[0.1]},{"embedding":null}]}`, no},
	{"token input", "openai embeddings", `{"input":[5,6]}`, 0, "", `{"data":[{"embedding":[0.1]}]}`, keep},
	{"2 token inputs", "openai embeddings", `{"input":[[5],[6]]}`, 0, "", `{"data":[{"embedding":[0.1]},{"embedding":[0.2]}]}`, keep},
	{"no input, no data", "openai embeddings", `{"input":[]}`, 0, "", `{"data":[]}`, no},
	{"no data", "openai embeddings", "", 0, "", `{"data":[]}`, no},

	{"moderation", "openai moderations", `{"input":"a"}`, 0, "", `{"results":[{"flagged":false}]}`, keep},
	{"2 moderated, 1 result", "openai moderations", `{"input":["a","b"]}`, 0, "", `{"results":[{"flagged":false}]}`, no},
	{"parts of one input", "openai moderations", `{"input":[{"type":"text"},{"type":"image_url"}]}`, 0, "", `{"results":[{"flagged":false}]}`, keep},

	{"image", "openai images.generations", "", 0, "", `{"data":[{"b64_json":"AAAA"}]}`, keep},
	{"image by URL", "openai images.edits", "", 1, "", `{"data":[{"url":"https://x"}]}`, keep},
	{"2 images, 1 came", "openai images.generations", `{"n":2}`, 0, "", `{"data":[{"url":"https://x"}]}`, no},
	{"2 images, 1 empty", "openai images.variations", "", 2, "", `{"data":[{"url":"https://x"},{"url":""}]}`, no},
	{"no image", "openai images.generations", "", 0, "", `{"data":[]}`, no},

	{"P7b speech", "openai audio.speech", "", 0, "audio/mpeg", "ID3\x04\x00", keep},
	{"P7b speech of no type", "openai audio.speech", "", 0, "application/octet-stream", "RIFF", keep},
	{"P7b speech in capitals", "openai audio.speech", "", 0, "Audio/WAV; x=1", "RIFF", keep},
	{"P7b speech: JSON", "openai audio.speech", "", 0, "application/json", `{"error":{}}`, no},
	{"P7b speech: JSON as audio", "openai audio.speech", "", 0, "audio/mpeg", `{"detail":"busy"}`, no},
	{"P7b speech: HTML", "openai audio.speech", "", 0, "text/html", html, no},
	{"P7b speech: HTML as audio", "openai audio.speech", "", 0, "audio/mpeg", "\n" + html, no},
	{"P7b speech: nothing", "openai audio.speech", "", 0, "audio/mpeg", "", no},
	{"P7b speech: no type", "openai audio.speech", "", 0, "", "RIFF", no},

	{"P7b transcript", "openai audio.transcriptions", "", 0, "application/json; charset=utf-8", `{"text":""}`, keep},
	{"P7b transcript cut", "openai audio.transcriptions", "", 0, "application/json", `{"text":"a`, no},
	{"P7b transcript without text", "openai audio.translations", "", 0, "application/json", `{"segments":[]}`, no},
	{"P7b transcript: error", "openai audio.translations", "", 0, "application/json", `{"text":"","error":{"message":"x"}}`, no},
	{"P7b transcript as text", "openai audio.transcriptions", "", 0, "text/plain; charset=utf-8", "hello\n", keep},
	{"P7b transcript as text: error", "openai audio.transcriptions", "", 0, "text/plain", `{"error":{"message":"x"}}`, no},
	{"P7b transcript as text: nothing", "openai audio.transcriptions", "", 0, "text/plain", "", no},
	{"P7b transcript: HTML as text", "openai audio.transcriptions", "", 0, "text/plain", html, no},
	{"P7b transcript: HTML", "openai audio.transcriptions", "", 0, "text/html", html, no},
	{"P7b subtitles", "openai audio.transcriptions", "", 0, "application/x-subrip", "1\n00:00:00,000 --> 00:00:01,000\nhi\n", keep},
	{"P7b captions", "openai audio.transcriptions", "", 0, "text/vtt", "\ufeffWEBVTT\n\n", keep},
	{"P7b no captions", "openai audio.transcriptions", "", 0, "text/vtt", "busy", no},

	{"message", "anthropic messages", "", 0, "", `{"type":"message","content":[],"stop_reason":"end_turn"}`, keep},
	{"P7 no stop reason", "anthropic messages", "", 0, "", `{"type":"message","content":[],"stop_reason":null}`, no},
	{"P7 no message", "anthropic messages", "", 0, "", `{"type":"completion","stop_reason":"end_turn"}`, no},
	{"P7 error", "anthropic messages", "", 0, "", `{"type":"error","error":{"type":"overloaded_error"}}`, no},
	{"P7 error beside a message", "anthropic messages", "", 0, "", `{"type":"message","stop_reason":"end_turn","error":{}}`, no},
	{"P7 error by type alone", "anthropic messages", "", 0, "", `{"type":"error","stop_reason":"end_turn"}`, no},

	{"candidate", "gemini generate_content", "", 0, "", `{"candidates":[{"finishReason":"STOP"}]}`, keep},
	{"blocked", "gemini generate_content", "", 0, "", `{"promptFeedback":{"blockReason":"SAFETY"}}`, keep},
	{"P7 block reason unspecified", "gemini generate_content", "", 0, "", `{"promptFeedback":{"blockReason":"BLOCK_REASON_UNSPECIFIED"}}`, no},
	{"P7 reason unspecified", "gemini generate_content", "", 0, "", `{"candidates":[{"finishReason":"FINISH_REASON_UNSPECIFIED"}]}`, no},
	{"P7 unfinished", "gemini generate_content", "", 0, "", `{"candidates":[{"content":{}}]}`, no},
	{"P7a second unfinished", "gemini generate_content", "", 0, "", `{"candidates":[{"finishReason":"STOP"},{"index":1}]}`, no},
	{"P7a second missing", "gemini generate_content", `{"generationConfig":{"candidateCount":2}}`, 0, "", `{"candidates":[{"finishReason":"STOP"}]}`, no},
	{"two candidates", "gemini generate_content", `{"generationConfig":{"candidateCount":2}}`, 0, "", `{"candidates":[{"finishReason":"STOP"},{"index":1,"finishReason":"MAX_TOKENS"}]}`, keep},
	{"no candidate", "gemini generate_content", "", 0, "", `{"candidates":[]}`, no},
	{"P7 error 200", "gemini generate_content", "", 0, "", `{"error":{"code":503},"candidates":[{"finishReason":"STOP"}]}`, no},
	{"array of chunks", "gemini stream_generate_content", "", 0, "", `[{"candidates":[{"content":{}}]},{"candidates":[{"finishReason":"STOP"}]}]`, keep},
	{"P7 array without its end", "gemini stream_generate_content", "", 0, "", `[{"candidates":[{"content":{}}]},{"candidates":[{"finishReason":"STOP"}]}`, no},
	{"P7 array unfinished", "gemini stream_generate_content", "", 0, "", `[{"candidates":[{"content":{}}]}]`, no},
	{"P7 array with an error", "gemini stream_generate_content", "", 0, "", `[{"candidates":[{"finishReason":"STOP"}]},{"error":{}}]`, no},
	{"P7 number", "gemini generate_content", "", 0, "", `5`, no},

	{"done", "ollama ollama.chat", "", 0, "", `{"message":{"content":""},"done":true,"done_reason":"stop"}`, keep},
	{"P7 not done", "ollama ollama.generate", "", 0, "", `{"response":"a","done":false}`, no},
	{"P7 done as text", "ollama ollama.generate", "", 0, "", `{"response":"a","done":"true"}`, no},
	{"P7 Ollama's error", "ollama ollama.chat", "", 0, "", `{"error":"model not found","done":true}`, no},
	{"lines", "ollama ollama.chat", "", 0, "", `{"done":false}` + "\n" + `{"done":true}`, no},
	{"embed", "ollama ollama.embed", `{"input":["a","b"]}`, 0, "", `{"embeddings":[[1],[2]]}`, keep},
	{"embed, one missing", "ollama ollama.embed", `{"input":["a","b"]}`, 0, "", `{"embeddings":[[1]]}`, no},
	{"embed, one empty", "ollama ollama.embed", `{"input":["a","b"]}`, 0, "", `{"embeddings":[[1],[]]}`, no},

	{"unknown operation", "openai batches", "", 0, "", chat(choice(0)), no},
	{"unknown operation", "anthropic chat", "", 0, "", `{"type":"message","stop_reason":"end_turn"}`, no},
	{"unknown operation", "gemini chat", "", 0, "", `{"candidates":[{"finishReason":"STOP"}]}`, no},
	{"unknown operation", "ollama chat", "", 0, "", `{"done":true}`, no},
	{"unknown dialect", "cohere chat", "", 0, "", chat(choice(0)), no},
}

func manyChoices(n int) []string {
	out := make([]string, n)
	for i := range out {
		out[i] = choice(i)
	}
	return out
}

func query(op, req string, n int, contentType string, body []byte) Query {
	dialect, operation, _ := strings.Cut(op, " ")
	q := Query{Dialect: dialect, Operation: operation, N: n, ContentType: contentType, Body: body}
	if req != "" {
		q.Request = []byte(req)
	}
	return q
}

func TestP7_Check(t *testing.T) {
	for _, a := range answers {
		t.Run(a.op+"/"+a.name, func(t *testing.T) {
			r := Check(query(a.op, a.req, a.n, a.typ, []byte(a.body)))
			if got := verdictOf(r); got != a.want {
				t.Errorf("%s, want %s (%s)", got, a.want, r.Reason)
			}
		})
	}
}

// Of an answer in JSON that is whole, no beginning is.
func TestP7_NoPrefixIsTerminal(t *testing.T) {
	for _, a := range answers {
		body := []byte(strings.TrimSpace(a.body))
		if a.want == no || body[0] != '{' && body[0] != '[' {
			continue
		}
		for i := range body {
			if r := Check(query(a.op, a.req, a.n, a.typ, body[:i:i])); r.Terminal {
				t.Errorf("%s/%s: %q is terminal", a.op, a.name, body[:i])
			}
		}
	}
}

func TestCheck_Details(t *testing.T) {
	for _, c := range []struct {
		op, body string
		want     Result
	}{
		{"openai chat", string(chatAnswer(62)), Result{ID: "chatcmpl-B9MBs8CjcvOU2jLn4n570S5qMJKcT", Model: "gpt-4.1-2025-04-14",
			FinishReasons: []string{"stop"}, Input: 19, Output: 10, HasUsage: true}},
		{"openai chat", `{"id":null,"model":5,"choices":[` + choice(0) + `],"usage":{"prompt_tokens":3,"completion_tokens":1,"cache_read_input_tokens":2}}`,
			Result{FinishReasons: []string{"stop"}, Input: 3, Output: 1, HasUsage: true}},
		{"openai responses", `{"id":"r","model":"m","status":"incomplete","incomplete_details":{"reason":"max_output_tokens"},"usage":{"input_tokens":1,"output_tokens":2}}`,
			Result{ID: "r", Model: "m", FinishReasons: []string{"max_output_tokens"}, Input: 1, Output: 2, HasUsage: true}},
		{"openai embeddings", `{"data":[{"embedding":[1]}],"model":"m","usage":{"prompt_tokens":8,"total_tokens":8}}`,
			Result{Model: "m", Input: 8, HasUsage: true}},
		{"openai images.generations", `{"data":[{"url":"u"}],"usage":{"input_tokens":1,"output_tokens":1056}}`, Result{Input: 1, Output: 1056, HasUsage: true}},
		{"anthropic messages", `{"id":"msg","type":"message","model":"c","stop_reason":"max_tokens","usage":{"input_tokens":1,"cache_creation_input_tokens":20,"cache_read_input_tokens":300,"output_tokens":4}}`,
			Result{ID: "msg", Model: "c", FinishReasons: []string{"max_tokens"}, Input: 321, Output: 4, HasUsage: true}},
		{"gemini generate_content", `{"responseId":"r","modelVersion":"g","candidates":[{"finishReason":"STOP"}],"usageMetadata":{"promptTokenCount":1,"toolUsePromptTokenCount":10,"candidatesTokenCount":2,"thoughtsTokenCount":30}}`,
			Result{ID: "r", Model: "g", FinishReasons: []string{"STOP"}, Input: 11, Output: 32, HasUsage: true}},
		{"gemini stream_generate_content", `[{"responseId":"r","modelVersion":"g","candidates":[{}],"usageMetadata":{"promptTokenCount":1}},{"candidates":[{"finishReason":"STOP"}],"usageMetadata":{"promptTokenCount":1,"candidatesTokenCount":2}}]`,
			Result{ID: "r", Model: "g", FinishReasons: []string{"STOP"}, Input: 1, Output: 2, HasUsage: true}},
		{"ollama ollama.chat", `{"model":"l","done":true,"done_reason":"stop","prompt_eval_count":26,"eval_count":298}`,
			Result{Model: "l", FinishReasons: []string{"stop"}, Input: 26, Output: 298, HasUsage: true}},
		{"openai chat", `{"choices":[` + choice(0) + `],"usage":{"prompt_tokens":-1,"completion_tokens":99999999999999999}}`, Result{FinishReasons: []string{"stop"}}},
	} {
		got := Check(query(c.op, "", 0, "", []byte(c.body)))
		c.want.Terminal, c.want.Keep = true, true
		if fmt.Sprintf("%+v", got) != fmt.Sprintf("%+v", c.want) {
			t.Errorf("%s\n got %+v\nwant %+v", c.op, got, c.want)
		}
	}
}

// What is told of an answer that is not complete is told all the same, since it
// may have been billed.
func TestCheck_DetailsOfTheIncomplete(t *testing.T) {
	r := Check(query("openai chat", "", 2, "", chatAnswer(62)))
	if r.Keep || !r.HasUsage || r.Input != 19 || r.ID == "" || !slices.Equal(r.FinishReasons, []string{"stop"}) {
		t.Errorf("%+v", r)
	}
}

func TestCheck_IsBounded(t *testing.T) {
	long := strings.Repeat("é", 4000)
	body := fmt.Sprintf(`{"id":"x%s","model":"%s","choices":[%s]}`, long, long, strings.Join(manyChoices(500), ","))
	r := Check(query("openai chat", "", 500, "", []byte(body)))
	if !r.Keep || len(r.FinishReasons) != maxReasons || len(r.Model) != maxName || len(r.ID) != maxName-1 || strings.ContainsRune(r.ID, '\ufffd') {
		t.Errorf("keep %v, %d reasons, id of %d, model of %d bytes", r.Keep, len(r.FinishReasons), len(r.ID), len(r.Model))
	}
}

// However many choices a request asks for, what is allocated is bounded by the
// answer.
func TestCheck_AllocatesByTheAnswer(t *testing.T) {
	q := query("openai chat", `{"n":2000000000}`, 0, "", []byte(chat(choice(0))))
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	r := Check(q)
	runtime.ReadMemStats(&after)
	if used := after.TotalAlloc - before.TotalAlloc; r.Terminal || used > 1<<20 {
		t.Errorf("%d bytes, terminal %v", used, r.Terminal)
	}
}

func FuzzCheck(f *testing.F) {
	for _, a := range answers {
		f.Add(a.op, a.req, a.n, a.typ, []byte(a.body))
	}
	f.Fuzz(func(t *testing.T, op, req string, n int, contentType string, body []byte) {
		q := query(op, req, n, contentType, body)
		r := Check(q)
		if v := verdictOf(r); v != keep && v != lost && v != no {
			t.Fatal(v)
		}
		if r.Terminal && !strings.HasPrefix(q.Operation, "audio.") {
			if !Valid(body) {
				t.Fatalf("%s: kept what is not JSON: %q", op, body)
			}
			whole := strings.TrimRight(string(body), " \t\r\n")
			for i := range min(len(whole), 300) {
				q.Body = []byte(whole[:len(whole)-1-i])
				if Check(q).Terminal {
					t.Fatalf("%s: %q is terminal", op, q.Body)
				}
			}
		}
	})
}
