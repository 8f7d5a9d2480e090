package main

import (
	"context"
	"encoding/json"
	"errors"
	"net"
	"net/http"
	"os"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// Headers by which services say that an answer was given before.
var markers = []string{"Idempotent-Replayed", "Idempotency-Replayed", "Idempotent-Replay", "Idempotency-Replay",
	"X-Idempotent-Replayed", "X-Idempotency-Replayed", "X-Idempotent-Replay", "X-Idempotency-Replay"}

// Headers by which caches in front of services say so, besides the provider's own.
var caches = http.Header{"X-Cache": {"HIT"}, "Cf-Cache-Status": {"HIT"}, "X-Cache-Status": {"HIT"}}

// read judges a response.
func (p *prober) read(res *http.Response, body []byte, key string) outcome {
	o := outcome{kind: failed, status: res.StatusCode, body: body, mark: marker(res.Header)}
	for _, list := range []http.Header{p.provider.CacheHits, caches} {
		for name, values := range list {
			for _, v := range values {
				if o.cached == "" && strings.EqualFold(res.Header.Get(name), v) {
					o.cached = name
				}
			}
		}
	}
	switch {
	case len(body) > maxAnswer:
		o.why = "an answer of more than " + strconv.Itoa(maxAnswer>>20) + " MiB"
		return o
	case res.StatusCode == http.StatusOK:
		var ok bool
		if o.id, o.text, ok = p.dialect.read(body); ok {
			o.kind = answered
		} else {
			o.why = "200, but no whole answer of the " + p.dialect.name + " API"
		}
		return o
	}
	p.readError(&o, res.Header, key)
	return o
}

// marker returns the header that says that an answer was given before, or "".
func marker(h http.Header) string {
	for _, name := range markers {
		switch strings.ToLower(h.Get(name)) {
		case "", "false", "0", "no":
		default:
			return name
		}
	}
	return ""
}

// readError reads an error, and classes it by status and code.
func (p *prober) readError(o *outcome, h http.Header, key string) {
	lower := strings.ToLower(string(o.body))
	o.code = p.showable(errorCode(o.body), key)
	o.aboutKey = strings.Contains(lower, "idempot") || strings.Contains(lower, strings.ToLower(p.keyHeader))
	o.aboutUse = strings.Contains(lower, "max_tokens") || strings.Contains(lower, "temperature")
	if s, err := strconv.ParseFloat(h.Get("Retry-After"), 64); err == nil && s > 0 && s < 3600 {
		o.wait = time.Duration(s * float64(time.Second))
	}
	switch o.status {
	case http.StatusBadRequest, http.StatusPreconditionFailed, http.StatusRequestEntityTooLarge,
		http.StatusUnprocessableEntity, http.StatusRequestHeaderFieldsTooLarge:
		o.kind = denied
	case http.StatusTooEarly:
		o.kind = busy
	case http.StatusConflict:
		o.kind = denied
		if o.wait > 0 || inUse.MatchString(lower) {
			o.kind = busy
		}
	}
}

// inUse is how errors say that the first request of a key is still running.
var inUse = regexp.MustCompile(`in[_ -]?(use|progress|flight)|still (being )?process|concurrent|being processed`)

// errorCode is the code of an error body, else its type or status.
func errorCode(body []byte) string {
	type codes struct {
		Code, Status, Type json.RawMessage
	}
	var in struct {
		Error json.RawMessage
		codes
	}
	if json.Unmarshal(body, &in) != nil {
		return ""
	}
	var inner codes
	_ = json.Unmarshal(in.Error, &inner) // a text has no code
	for _, raw := range []json.RawMessage{inner.Code, inner.Status, inner.Type, in.Code, in.Type} {
		if s := strings.Trim(string(raw), `"`); s != "" && s != "null" {
			return s
		}
	}
	return ""
}

var plainCode = regexp.MustCompile(`^[A-Za-z0-9_.:/-]{1,64}$`)

// showable returns a code that can be shown: short, of plain letters, and without
// the credential or the key, which some services repeat in their errors.
func (p *prober) showable(code, key string) string {
	if !plainCode.MatchString(code) {
		return ""
	}
	for _, s := range append([]string{strings.Trim(key, `"`)}, p.secrets...) {
		if s != "" && (strings.Contains(code, s) || len(code) > 7 && strings.Contains(s, code)) {
			return ""
		}
	}
	return code
}

// noAnswer says why there is none, in our words: those of net/http hold what the
// service wrote where that was no HTTP.
func (p *prober) noAnswer(ctx context.Context, err error) string {
	var dns *net.DNSError
	var op *net.OpError
	var sys *os.SyscallError
	switch {
	case errors.Is(ctx.Err(), context.DeadlineExceeded):
		return "no answer within " + p.timeout.String()
	case ctx.Err() != nil:
		return "interrupted"
	case errors.As(err, &dns):
		return "its host was not found"
	case errors.As(err, &op) && op.Op == "dial":
		if errors.As(err, &sys) {
			return "no connection: " + sys.Err.Error()
		}
		return "no connection"
	case strings.Contains(err.Error(), "tls: ") || strings.Contains(err.Error(), "x509: "):
		return "its TLS or its certificate cannot be used"
	}
	return "the connection was cut, or what came is no HTTP"
}
