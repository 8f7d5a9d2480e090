package goopenai_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"mime"
	"net/http"
	"net/url"
	"reflect"
	"strconv"
	"strings"
	"sync"
	"testing"

	openai "github.com/sashabaranov/go-openai"
	"github.com/stretchr/testify/require"

	"github.com/llmidem/llmidem-go/llmidem"
	"github.com/llmidem/llmidem-go/llmidem/llmtest"
	"github.com/llmidem/llmidem-go/llmidem/providers"
	"github.com/llmidem/llmidem-go/llmidem/providers/goopenai"
)

// service answers every request that go-openai makes, in memory, and keeps them.
type service struct {
	mu     sync.Mutex
	saw    []seen
	faults []fault // of the next requests
}

// seen is a request as it went out, with a form's random boundary made equal.
type seen struct {
	Method, URL, Body string
	Header            http.Header
	Length            int64
}

// fault answers in place of the service.
type fault func() (*http.Response, error)

func (s *service) RoundTrip(req *http.Request) (*http.Response, error) {
	var text []byte
	if req.Body != nil {
		var err error
		text, err = io.ReadAll(req.Body)
		req.Body.Close()
		if err != nil {
			return nil, err
		}
	}
	q := seen{Method: req.Method, URL: req.URL.String(), Body: string(text), Header: req.Header.Clone(), Length: req.ContentLength}
	if kind := q.Header.Get("Content-Type"); strings.HasPrefix(kind, "multipart/") {
		_, params, err := mime.ParseMediaType(kind)
		if err != nil {
			return nil, err
		}
		q.Body = strings.ReplaceAll(q.Body, params["boundary"], "BOUNDARY")
		q.Header.Set("Content-Type", strings.ReplaceAll(kind, params["boundary"], "BOUNDARY"))
	}
	s.mu.Lock()
	s.saw = append(s.saw, q)
	var f fault
	if len(s.faults) > 0 {
		f, s.faults = s.faults[0], s.faults[1:]
	}
	s.mu.Unlock()
	if f != nil {
		return f()
	}
	return answer(req.URL.Path, string(text)), nil
}

func (s *service) next(faults ...fault) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults = faults
}

// take returns the requests so far and forgets them.
func (s *service) take() []seen {
	s.mu.Lock()
	defer s.mu.Unlock()
	saw := s.saw
	s.saw = nil
	return saw
}

// answers of the inference routes, by the end of the path, JSON and stream.
var answers = []struct{ suffix, kind, text, stream string }{
	{"/chat/completions", "application/json", `{"id":"c","object":"chat.completion","choices":[{"index":0,"finish_reason":"stop","message":{"role":"assistant","content":"hi"}}],"usage":{"prompt_tokens":1,"completion_tokens":2}}`,
		`{"choices":[{"index":0,"delta":{"content":"h"}}]}` + "\n\n" + `data: {"choices":[{"index":0,"delta":{"content":"i"},"finish_reason":"stop"}]}` + "\n\ndata: [DONE]"},
	{"/completions", "application/json", `{"id":"c","choices":[{"index":0,"finish_reason":"stop","text":"hi"}]}`,
		`{"choices":[{"index":0,"text":"h"}]}` + "\n\n" + `data: {"choices":[{"index":0,"text":"i","finish_reason":"stop"}]}` + "\n\ndata: [DONE]"},
	{"/responses", "application/json", `{"id":"r","object":"response","status":"completed","output":[]}`,
		`{"type":"response.created","response":{"id":"r"}}` + "\n\n" + `data: {"type":"response.completed","response":{"id":"r","status":"completed","output":[]}}`},
	{"/embeddings", "application/json", `{"object":"list","data":[{"index":0,"embedding":[0.5]}],"model":"m"}`, ""},
	{"/images/generations", "application/json", `{"created":1,"data":[{"b64_json":"AAAA"},{"b64_json":"BBBB"}]}`, ""},
	{"/images/edits", "application/json", `{"created":1,"data":[{"b64_json":"AAAA"},{"b64_json":"BBBB"}]}`, ""},
	{"/images/variations", "application/json", `{"created":1,"data":[{"url":"https://x.invalid/1"},{"url":"https://x.invalid/2"}]}`, ""},
	{"/audio/speech", "audio/mpeg", "\xff\xfbsound", ""},
	{"/audio/transcriptions", "application/json", `{"text":"words"}`, ""},
	{"/audio/translations", "application/json", `{"text":"words"}`, ""},
	{"/moderations", "application/json", `{"id":"m","model":"m","results":[{"flagged":true}]}`, ""},
}

func answer(path, body string) *http.Response {
	for _, a := range answers {
		switch {
		case !strings.HasSuffix(path, a.suffix):
		case strings.Contains(body, `"stream":true`):
			return page(200, "text/event-stream", "data: "+a.stream+"\n\n")
		case strings.Contains(body, "\r\n\r\nvtt\r\n"):
			return page(200, "text/vtt; charset=utf-8", "WEBVTT\n\n00:00.000 --> 00:01.000\nwords\n")
		default:
			return page(200, a.kind, a.text)
		}
	}
	return page(200, "application/json", `{"id":"x"}`)
}

func page(status int, kind, text string) *http.Response {
	return &http.Response{Status: strconv.Itoa(status) + " As Told", StatusCode: status, Proto: "HTTP/2.0", ProtoMajor: 2, ContentLength: int64(len(text)),
		Header: http.Header{"Content-Type": {kind}, "X-Request-Id": {"req_1"}, "X-Ratelimit-Remaining-Requests": {"7"}}, Body: io.NopCloser(strings.NewReader(text))}
}

// pair is go-openai over the service, bare and through llmidem.
type pair struct {
	bare, ours *openai.Client
	service    *service
	spans      *llmtest.SpanRecorder
}

func newPair(t *testing.T) *pair {
	t.Helper()
	p := &pair{service: &service{}, spans: llmtest.Spans()}
	cfg := openai.DefaultConfig("sk-test")
	cfg.BaseURL, cfg.HTTPClient = "https://api.invalid/v1", &http.Client{Transport: p.service}
	p.bare = openai.NewClientWithConfig(cfg)
	client, err := llmidem.New(providers.OpenAI(), quiet, llmidem.WithTracerProvider(p.spans), llmidem.WithRetry(llmidem.RetryPolicy{BaseDelay: 1}))
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, client.Close(context.Background())) })
	api := goopenai.New(cfg, client)
	require.NoError(t, api.Err())
	p.ours = api.Client
	return p
}

// result is all that a caller of go-openai gets.
type result struct {
	Value  string   // as JSON
	Chunks []string // of a stream
	Raw    string   // of a body that is handed on
	Header http.Header
	Err    error
}

// call calls a method by name. A nil request stands for arguments of every kind.
func call(t *testing.T, api *openai.Client, name string, request any) result {
	t.Helper()
	method := reflect.ValueOf(api).MethodByName(name)
	args := []reflect.Value{reflect.ValueOf(context.Background())}
	for i := 1; i < method.Type().NumIn(); i++ {
		if method.Type().IsVariadic() && i == method.Type().NumIn()-1 {
			break
		}
		if request != nil {
			args = append(args, reflect.ValueOf(request))
			continue
		}
		args = append(args, sample(t, method.Type().In(i), 0))
	}
	return read(t, method.Call(args))
}

// read reads what a method returned, to the end of a stream or body.
func read(t *testing.T, out []reflect.Value) result {
	t.Helper()
	var r result
	r.Err, _ = out[len(out)-1].Interface().(error)
	if len(out) == 1 || r.Err != nil {
		return r
	}
	value := out[0].Interface()
	if h, ok := value.(interface{ Header() http.Header }); ok {
		r.Header = h.Header()
	} else if p := reflect.New(out[0].Type()); out[0].Kind() == reflect.Struct {
		p.Elem().Set(out[0])
		if h, ok := p.Interface().(interface{ Header() http.Header }); ok {
			r.Header = h.Header()
		}
	}
	if recv := out[0].MethodByName("Recv"); recv.IsValid() {
		for {
			got := recv.Call(nil)
			if err, _ := got[1].Interface().(error); err != nil {
				r.Err = err
				break
			}
			r.Chunks = append(r.Chunks, asJSON(t, got[0].Interface()))
		}
		out[0].MethodByName("Close").Call(nil)
		return r
	}
	if body, ok := value.(io.ReadCloser); ok {
		text, err := io.ReadAll(body)
		require.NoError(t, err)
		require.NoError(t, body.Close())
		r.Raw = string(text)
		return r
	}
	r.Value = asJSON(t, value)
	return r
}

func asJSON(t *testing.T, v any) string {
	t.Helper()
	text, err := json.Marshal(v)
	require.NoError(t, err)
	return string(text)
}

// plain is a result as a bare client has it: without what llmidem adds to headers,
// and with the error that net/http would wrap.
func (r result) plain() result {
	r.Header = r.Header.Clone()
	for _, name := range []string{"Idempotency-Key", "Llmidem-Source", "Idempotent-Replayed"} {
		r.Header.Del(name)
	}
	var u *url.Error
	if errors.As(r.Err, &u) {
		r.Err = u.Err
	}
	var e *llmidem.Error
	if errors.As(r.Err, &e) {
		r.Err = e.Err
	}
	return r
}

// sample is a value with something in it.
func sample(t *testing.T, of reflect.Type, depth int) reflect.Value {
	v := reflect.New(of).Elem()
	switch value := v.Addr().Interface().(type) {
	case *io.Reader:
		*value = bytes.NewReader([]byte("sample"))
		return v
	case *json.Marshaler:
		*value = json.RawMessage(`"sample"`)
		return v
	case *openai.FileRequest:
		*value = openai.FileRequest{FileName: "sample.txt", FilePath: "testdata/surface.txt", Purpose: "batch"}
		return v
	}
	switch of.Kind() {
	case reflect.String:
		v.SetString("sample")
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Int, reflect.Int64, reflect.Int32:
		v.SetInt(7)
	case reflect.Uint8:
		v.SetUint(7)
	case reflect.Float32, reflect.Float64:
		v.SetFloat(0.25)
	case reflect.Pointer:
		v.Set(reflect.New(of.Elem()))
		v.Elem().Set(sample(t, of.Elem(), depth))
	case reflect.Slice:
		if element := sample(t, of.Elem(), depth+1); element.Kind() != reflect.Interface || !element.IsNil() {
			v.Set(reflect.Append(v, element))
		}
	case reflect.Map:
		v.Set(reflect.MakeMap(of))
		v.SetMapIndex(sample(t, of.Key(), depth+1), sample(t, of.Elem(), depth+1))
	case reflect.Interface:
		if of.NumMethod() == 0 {
			v.Set(reflect.ValueOf("sample"))
		}
	case reflect.Struct:
		for i := range of.NumField() {
			if of.Field(i).IsExported() && depth < 3 {
				v.Field(i).Set(sample(t, of.Field(i).Type, depth+1))
			}
		}
	}
	return v
}

var quiet = llmidem.WithLogger(slog.New(slog.DiscardHandler))
