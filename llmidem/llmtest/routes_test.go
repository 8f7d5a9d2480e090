package llmtest_test

import (
	"bytes"
	"encoding/json"
	"log/slog"
	"mime/multipart"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/llmidem/llmidem-go/llmidem"
	"github.com/llmidem/llmidem-go/llmidem/identity"
	"github.com/llmidem/llmidem-go/llmidem/internal/complete"
	"github.com/llmidem/llmidem-go/llmidem/llmtest"
)

// An operation is a request to one of the routes, whole or in pieces.
type operation struct {
	name, path, body string
	rules            *identity.Rules
	contentType      string // of the request; "" is JSON
	answers          string // content type of the answer
	stream           bool   // in pieces that end the answer one by one
	opaque           bool   // that all of it came is told by the framing alone
	fixed            bool   // there is no text that could be unfinished
}

const (
	jsonOf   = "application/json"
	eventsOf = "text/event-stream"
)

// upload is a form with a file and fields in pairs, and its content type.
func upload(file string, fields ...string) (body, contentType string) {
	var b bytes.Buffer
	w := multipart.NewWriter(&b)
	_ = w.SetBoundary("llmtest")
	part, _ := w.CreateFormFile(file, "name.bin")
	_, _ = part.Write([]byte("\x00content of the file"))
	for i := 0; i < len(fields); i += 2 {
		_ = w.WriteField(fields[i], fields[i+1])
	}
	_ = w.Close()
	return b.String(), w.FormDataContentType()
}

func operations() []operation {
	const (
		says     = `"messages":[{"role":"user","content":"one two three"}]`
		contents = `{"contents":[{"role":"user","parts":[{"text":"one two three"}]}]`
		model    = "/v1beta/models/gemini-2.5-flash"
	)
	edit, form := upload("image", "prompt", "one two three", "n", "2")
	variation, _ := upload("image", "model", "dall-e-2")
	sound, _ := upload("file", "model", "whisper-1")
	subtitles, _ := upload("file", "model", "whisper-1", "response_format", "srt")
	verbose, _ := upload("file", "model", "whisper-1", "response_format", "verbose_json")
	o, a, g, l := identity.OpenAI(), identity.Anthropic(), identity.Gemini(), identity.Ollama()
	const plain = "text/plain; charset=utf-8"
	return []operation{
		{name: "chat", path: "/v1/chat/completions", body: `{"model":"m","n":2,` + says + `}`, rules: o, answers: jsonOf},
		{name: "chat stream", path: "/v1/chat/completions", body: `{"model":"m","n":2,"stream":true,"stream_options":{"include_usage":true},` + says + `}`, rules: o, answers: eventsOf, stream: true},
		{name: "completion", path: "/v1/completions", body: `{"model":"m","prompt":["one","two"]}`, rules: o, answers: jsonOf},
		{name: "completion stream", path: "/v1/completions", body: `{"model":"m","prompt":["one","two"],"stream":true}`, rules: o, answers: eventsOf, stream: true},
		{name: "responses", path: "/v1/responses", body: `{"model":"m","input":"one two three"}`, rules: o, answers: jsonOf},
		{name: "responses stream", path: "/v1/responses", body: `{"model":"m","input":"one two three","stream":true}`, rules: o, answers: eventsOf, stream: true},
		{name: "embeddings", path: "/v1/embeddings", body: `{"model":"m","input":["one","two"]}`, rules: o, answers: jsonOf, fixed: true},
		{name: "moderations", path: "/v1/moderations", body: `{"input":["one","two"]}`, rules: o, answers: jsonOf, fixed: true},
		{name: "images", path: "/v1/images/generations", body: `{"prompt":"one two three","n":2}`, rules: o, answers: jsonOf, fixed: true},
		{name: "images in base64", path: "/v1/images/generations", body: `{"prompt":"one two three","model":"gpt-image-1"}`, rules: o, answers: jsonOf, fixed: true},
		{name: "edit", path: "/v1/images/edits", body: edit, contentType: form, rules: o, answers: jsonOf, fixed: true},
		{name: "variation", path: "/v1/images/variations", body: variation, contentType: form, rules: o, answers: jsonOf, fixed: true},
		{name: "speech", path: "/v1/audio/speech", body: `{"model":"tts-1","voice":"alloy","input":"one two three"}`, rules: o, answers: "audio/mpeg", opaque: true, fixed: true},
		{name: "transcription", path: "/v1/audio/transcriptions", body: sound, contentType: form, rules: o, answers: jsonOf, fixed: true},
		{name: "transcription in full", path: "/v1/audio/transcriptions", body: verbose, contentType: form, rules: o, answers: jsonOf, fixed: true},
		{name: "subtitles", path: "/v1/audio/transcriptions", body: subtitles, contentType: form, rules: o, answers: plain, opaque: true, fixed: true},
		{name: "translation", path: "/v1/audio/translations", body: sound, contentType: form, rules: o, answers: jsonOf, fixed: true},
		{name: "message", path: "/v1/messages", body: `{"model":"claude","max_tokens":99,` + says + `}`, rules: a, answers: jsonOf},
		{name: "message stream", path: "/v1/messages", body: `{"model":"claude","max_tokens":99,"stream":true,` + says + `}`, rules: a, answers: eventsOf + "; charset=utf-8", stream: true},
		{name: "content", path: model + ":generateContent", body: contents + `,"generationConfig":{"candidateCount":2}}`, rules: g, answers: "application/json; charset=UTF-8"},
		{name: "content stream", path: model + ":streamGenerateContent?alt=sse", body: contents + `,"generationConfig":{"candidateCount":2}}`, rules: g, answers: eventsOf, stream: true},
		{name: "content array", path: model + ":streamGenerateContent", body: contents + `}`, rules: g, answers: "application/json; charset=UTF-8"},
		{name: "ollama chat", path: "/api/chat", body: `{"model":"llama","stream":false,` + says + `}`, rules: l, answers: "application/json; charset=utf-8"},
		{name: "ollama chat stream", path: "/api/chat", body: `{"model":"llama",` + says + `}`, rules: l, answers: "application/x-ndjson", stream: true},
		{name: "ollama generate", path: "/api/generate", body: `{"model":"llama","stream":false,"prompt":"one two three"}`, rules: l, answers: "application/json; charset=utf-8"},
		{name: "ollama generate stream", path: "/api/generate", body: `{"model":"llama","prompt":"one two three"}`, rules: l, answers: "application/x-ndjson", stream: true},
		{name: "ollama embed", path: "/api/embed", body: `{"model":"llama","input":["one","two"]}`, rules: l, answers: "application/json; charset=utf-8", fixed: true},
	}
}

// ask sends the operation.
func (o operation) ask(t *testing.T, srv *llmtest.Server, header ...string) reply {
	if o.contentType != "" {
		header = append(header, "Content-Type", o.contentType)
	}
	return send(t.Context(), srv, "POST", srv.BaseURL()+o.path, o.body, header...)
}

// operation is what package identity calls it.
func (o operation) operation(t *testing.T) string {
	path, _, _ := strings.Cut(o.path, "?")
	m, ok := o.rules.Match(path)
	require.True(t, ok)
	return m.Route.Operation
}

func (o operation) query(t *testing.T, r reply) complete.Query {
	q := complete.Query{Dialect: o.rules.Name, Operation: o.operation(t), Body: []byte(r.Body)}
	if r.Header != nil {
		q.ContentType = r.Header.Get("Content-Type")
	}
	if o.contentType == "" {
		q.Request = []byte(o.body)
	} else if strings.Contains(o.body, "\"n\"") {
		q.N = 2
	}
	return q
}

// judge is what package complete says of the answer, and for a stream the number
// of the event with which it is finished, from 1.
func (o operation) judge(t *testing.T, r reply) (result complete.Result, finished int) {
	if !o.stream || !strings.Contains(o.answers, "event-stream") && !strings.Contains(o.answers, "ndjson") {
		return complete.Check(o.query(t, r)), 0
	}
	s := complete.NewStream(o.query(t, r))
	for i, e := range o.events(r.Body) {
		if s.Event(e[0], []byte(e[1])).Has(complete.SignalFinished) && finished == 0 {
			finished = i + 1
		}
	}
	return s.Result(), finished
}

// events are the names and data of the events in a body.
func (o operation) events(body string) [][2]string {
	var out [][2]string
	if strings.Contains(o.answers, "ndjson") {
		for line := range strings.Lines(body) {
			out = append(out, [2]string{"", line})
		}
		return out
	}
	body = strings.ReplaceAll(body, "\r\n", "\n")
	for event := range strings.SplitSeq(strings.TrimSuffix(body, "\n\n"), "\n\n") {
		var e [2]string
		for line := range strings.Lines(event) {
			if name, ok := strings.CutPrefix(line, "event: "); ok {
				e[0] = strings.TrimSpace(name)
			}
			if data, ok := strings.CutPrefix(line, "data: "); ok {
				e[1] += strings.TrimSpace(data)
			}
		}
		out = append(out, e)
	}
	return out
}

func TestEveryRouteAnswersInFull(t *testing.T) {
	for _, o := range operations() {
		t.Run(o.name, func(t *testing.T) {
			overAll(t, func(t *testing.T, srv *llmtest.Server) {
				r := o.ask(t, srv, "Idempotency-Key", "k")
				require.NoError(t, r.Err)
				require.Equal(t, 200, r.Status, r.Body)
				require.Equal(t, o.answers, r.Header.Get("Content-Type"))
				got, finished := o.judge(t, r)
				require.True(t, got.Keep, "%s\n%s", got.Reason, r.Body)
				if o.stream {
					require.NotZero(t, finished)
				}
				l := srv.Ledger()
				require.Equal(t, 1, l.ExecutionsOf("k"))
				require.Equal(t, o.operation(t), l.Work[0].Operation)
				require.NotEmpty(t, l.Work[0].Model)
				require.NotEmpty(t, l.Work[0].Prompt)
				require.NotZero(t, l.Billed().Input)
				if got.HasUsage {
					require.EqualValues(t, l.Billed().Input, got.Input)
					require.EqualValues(t, l.Billed().Output, got.Output)
				}
				require.Equal(t, o.stream || strings.Contains(o.path, "stream"), l.Requests[0].Stream)
			})
		})
	}
}

// A stream is whole from the event on that finishes it, and never without.
func TestNoRouteIsWholeWhenItIsCut(t *testing.T) {
	for _, o := range operations() {
		t.Run(o.name, func(t *testing.T) {
			srv := llmtest.New(t, llmtest.InMemory())
			whole := o.ask(t, srv)
			_, finished := o.judge(t, whole)
			if o.stream {
				all := o.events(whole.Body)
				require.GreaterOrEqual(t, finished, len(all)-2, "what follows is usage and the end")
				for n := range len(all) {
					srv.Next(llmtest.CutEvents(n))
					r := o.ask(t, srv)
					require.Error(t, r.Err)
					got, _ := o.judge(t, r)
					require.Equal(t, n >= finished, got.Keep, "%d of %d: %s\n%s", n, len(all), got.Reason, r.Body)
				}
			}
			for n := range len(strings.TrimRight(whole.Body, "\n")) {
				if o.stream && n%7 != 0 {
					continue
				}
				srv.Reset() // ids count executions, and get longer
				srv.Next(llmtest.CutBody(n))
				r := o.ask(t, srv)
				require.Error(t, r.Err)
				require.Len(t, r.Body, n)
				if !o.stream && !o.opaque {
					got, _ := o.judge(t, r)
					require.False(t, got.Terminal, "%d bytes: %s", n, r.Body)
				}
			}
		})
	}
}

// What is sent in place of an answer, or damaged, is not whole either.
func TestNoRouteIsWholeWhenItIsDamaged(t *testing.T) {
	for _, o := range operations() {
		t.Run(o.name, func(t *testing.T) {
			srv := llmtest.New(t, llmtest.InMemory())
			faults := []llmtest.Fault{llmtest.ErrorOK(), llmtest.HTML()}
			if !o.opaque {
				faults = append(faults, llmtest.CutJSON(), llmtest.StreamError(0))
			}
			if !o.opaque && o.operation(t) != "responses" { // which may have any number of outputs
				faults = append(faults, llmtest.MissingChoice())
			}
			if !o.fixed {
				faults = append(faults, llmtest.NoFinish(), llmtest.ForgedDone())
			}
			if o.stream || strings.Contains(o.path, "stream") {
				for n := range len(o.events(o.ask(t, srv).Body)) {
					faults = append(faults, llmtest.StreamError(n))
				}
			}
			for _, f := range faults {
				srv.Next(f)
				r := o.ask(t, srv)
				require.NoError(t, r.Err)
				require.Equal(t, 200, r.Status)
				got, finished := o.judge(t, r)
				if finished > 0 {
					continue // the error came behind the answer
				}
				require.False(t, got.Keep, "%s\n%s", f, r.Body)
			}
		})
	}
}

// Through a client every operation is executed once and given again as it was.
func TestEveryRouteThroughAClient(t *testing.T) {
	for _, o := range operations() {
		t.Run(o.name, func(t *testing.T) {
			srv := llmtest.New(t, llmtest.InMemory())
			client, err := llmidem.New(srv.ProviderOf(o.rules), llmidem.WithTransport(srv.Transport()),
				llmidem.WithLogger(slog.New(slog.DiscardHandler)))
			require.NoError(t, err)
			defer func() { require.NoError(t, client.Close(t.Context())) }()
			if o.name == "content array" {
				r := through(t.Context(), client, srv.BaseURL()+o.path, o.body, "")
				require.True(t, complete.Check(o.query(t, r)).Keep)
				return // is passed on as it comes, and not kept
			}
			var first string
			for i := range 2 {
				ctx, receipt := llmidem.WithReceipt(t.Context())
				r := through(ctx, client, srv.BaseURL()+o.path, o.body, o.contentType)
				require.NoError(t, r.Err)
				require.Equal(t, 200, r.Status, r.Body)
				require.Equal(t, o.answers, r.Header.Get("Content-Type"))
				require.Equal(t, i == 0, receipt().Paid(), "%+v", receipt())
				require.True(t, receipt().Complete && receipt().Kept, "%+v", receipt())
				first += r.Body
			}
			require.Equal(t, first[:len(first)/2], first[len(first)/2:])
			require.Equal(t, 1, srv.Ledger().Executions())
			require.NotEmpty(t, srv.Ledger().Work[0].Key)
		})
	}
}

// The bodies that clients send are not trusted to be any of it.
func TestWhatIsNoRequestIsRefusedInEachDialect(t *testing.T) {
	bodies := []string{"", "{", "[]", `"x"`, "\xff\x00", `{"messages":[],"contents":[],"prompt":1,"input":1}`, "--x\r\n\r\n--x--"}
	for _, o := range operations() {
		for _, body := range bodies {
			srv := llmtest.New(t, llmtest.InMemory())
			o.body = body
			if o.contentType != "" {
				o.contentType = "multipart/form-data; boundary=x"
			}
			r := o.ask(t, srv)
			assert.Equal(t, 400, r.Status, "%s %q: %s", o.name, body, r.Body)
			assert.True(t, json.Valid([]byte(r.Body)), r.Body)
			assert.True(t, complete.ErrorBody([]byte(r.Body)).Object, r.Body)
			assert.Zero(t, srv.Ledger().Executions())
		}
	}
}
