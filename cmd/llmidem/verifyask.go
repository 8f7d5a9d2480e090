package main

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptrace"
	"sync"
	"time"

	sdk "github.com/llmidem/llmidem-go/llmidem" // its own name is a function of the tests
)

// maxAnswer is how much of an answer is read: the answers asked for are short.
const maxAnswer = 1 << 20

// A prober sends single requests, each once, and tells what came back. It is no
// llmidem client, whose recall would hide what the service does.
type prober struct {
	rt        http.RoundTripper
	service   service
	provider  sdk.Provider
	dialect   *dialect
	base, url string      // as it was given, and completed
	header    http.Header // all but the key's
	keyHeader string
	secrets   []string // values that are never shown
	model     string
	tokens    int
	plain     bool // ask without what newer models refuse
	timeout   time.Duration
	maxCalls  int

	mu    sync.Mutex
	calls int
}

// left is how many requests may still be sent.
func (p *prober) left() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.maxCalls - p.calls
}

// take counts a request before it is sent; false means that none may be.
func (p *prober) take() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.calls >= p.maxCalls {
		return false
	}
	p.calls++
	return true
}

// ask sends a prompt under a key as it stands in the header, "" for none.
func (p *prober) ask(ctx context.Context, key, prompt string) outcome {
	return p.traced(ctx, key, prompt, &trace{})
}

// traced is ask with hooks.
func (p *prober) traced(ctx context.Context, key, prompt string, t *trace) outcome {
	if !p.take() {
		return outcome{kind: notAsked, why: "no calls left"}
	}
	ctx, cancel := context.WithTimeout(ctx, p.timeout)
	defer cancel()
	req, err := p.request(httptrace.WithClientTrace(ctx, t.hooks()), key, prompt)
	if err != nil {
		return outcome{kind: failed, why: "the request cannot be made"}
	}
	res, err := p.rt.RoundTrip(req)
	if err != nil {
		return outcome{kind: failed, why: p.noAnswer(ctx, err)}
	}
	defer res.Body.Close()
	body, err := io.ReadAll(io.LimitReader(res.Body, maxAnswer+1))
	if err != nil {
		return outcome{kind: failed, why: p.noAnswer(ctx, err)}
	}
	return p.read(res, body, key)
}

// request makes a request that net/http cannot send again by itself, as it does
// with those that have an Idempotency-Key and a GetBody.
func (p *prober) request(ctx context.Context, key, prompt string) (*http.Request, error) {
	body, err := json.Marshal(p.dialect.body(ask{p.model, prompt, p.tokens, p.plain}))
	if err != nil {
		return nil, err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, p.url, io.NopCloser(bytes.NewReader(body)))
	if err != nil {
		return nil, err
	}
	req.ContentLength = int64(len(body))
	req.Header = p.header.Clone()
	if key != "" {
		req.Header.Set(p.keyHeader, key)
	}
	return req, nil
}

// transport has a connection of its own for every request, and HTTP/1.1 alone, so
// that a request that is given up is a connection that is cut.
func transport() http.RoundTripper {
	t := &http.Transport{
		Proxy:                  http.ProxyFromEnvironment,
		TLSHandshakeTimeout:    10 * time.Second,
		DisableKeepAlives:      true,
		DisableCompression:     true,
		MaxResponseHeaderBytes: 64 << 10,
		Protocols:              new(http.Protocols),
	}
	t.Protocols.SetHTTP1(true)
	return t
}
