package llmidem

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"strconv"
	"strings"

	"github.com/llmidem/llmidem-go/llmidem/identity"
)

// passing is why a request passes untouched; "" when it is an inference call.
type passing string

const (
	passNoRoute passing = "no_such_route"
	passNoModel passing = "no_model"
)

// identify makes a call of a request: it takes a snapshot, so that nothing the
// caller changes afterwards matters, and makes the key, once. A request that is
// no inference call is given back as passing; an error is about a request that
// cannot be identified, and nothing is sent under a guessed key.
func (c *Client) identify(req *http.Request) (*call, passing, error) {
	path := req.URL.EscapedPath()
	match, ok := c.provider.Rules.Match(path)
	if req.Method != http.MethodPost || !ok {
		return nil, passNoRoute, nil
	}
	cl := &call{core: c.core, progress: &progress{}, span: noSpan}
	cl.state, _ = req.Context().Value(stateKey).(*callState)
	if cl.state != nil {
		cl.opts = cl.state.opts
	} else {
		cl.opts = optionsFrom(req.Context(), nil)
	}
	if cl.opts.invalid != nil {
		closeBody(req)
		return cl, "", cl.opts.invalid
	}
	body, err := c.snapshot(req)
	if err != nil {
		return cl, "", err
	}
	cl.body = body
	cl.doc, err = c.provider.Rules.Identify(
		identity.Request{Path: path, Header: req.Header, Body: body}, cl.opts.identityCall(c.cfg.ExcludedFields, c.provider.Rules.Exclude))
	var refusal *identity.Refusal
	if errors.As(err, &refusal) && refusal.Code == identity.CodeNoModel {
		req.Body = io.NopCloser(bytes.NewReader(body)) // what passes is as it was
		return nil, passNoModel, nil
	}
	if err != nil {
		return cl, "", invalid("the request has no canonical form: "+err.Error(), err)
	}
	cl.facts = factsOf(cl.doc)
	cl.endpoint = endpoint(req.URL, match.Prefix)
	cl.req = outline(req, c.provider.Headers)
	return cl, "", cl.sign(req)
}

// identityCall is what the call's options mean to package identity.
func (o callOptions) identityCall(configured, byRule []string) identity.Call {
	exclude := configured
	if len(o.exclude) > 0 {
		if exclude == nil {
			exclude = byRule
		}
		exclude = append(append([]string{}, exclude...), o.exclude...)
	}
	return identity.Call{User: o.user, Scope: o.scopeOf(), Occurrence: o.occurrence, Exclude: exclude}
}

// sign gives the call its key, address and fingerprint, and the key to its
// request.
func (c *call) sign(req *http.Request) (err error) {
	if c.key, err = c.chooseKey(req); err != nil {
		return err
	}
	if err := c.place(req); err != nil {
		return err
	}
	return c.putKey()
}

// place says where the record of a call lies and what it must be the answer to.
// req carries the credentials; nil has none.
func (c *call) place(req *http.Request) (err error) {
	if c.finger, err = fingerprint(c.scheme, c.doc, c.endpoint, c.result); err != nil {
		return invalid("the fingerprint cannot be made: "+err.Error(), err)
	}
	account, _ := c.accountOf(req)
	c.address = address(c.namespaceOf(account), c.endpoint, c.key.String())
	if c.opts.key != nil && !c.opts.key.binds(c.finger) {
		return c.failure(CodeConflict, "the option Key was used for another request already; make one Key per call", nil)
	}
	c.scoped = c.opts.scope != "" || c.opts.nonce != ""
	c.recallMode = c.modeOf()
	if req != nil && c.seeAccount(account) {
		c.warnSecond.Do(func() {
			c.log(req.Context(), levelWarn, "a second account is used through one client: their answers are kept apart; "+
				"if the credentials rotate, say WithTenant(id)")
		})
	}
	return nil
}

// chooseKey is the caller's own key, by option or by header, or the one that is
// made of the content.
func (c *call) chooseKey(req *http.Request) (identity.Key, error) {
	own, err := c.headerKey(req)
	if err != nil {
		return own, err
	}
	switch {
	case !own.IsZero() && c.opts.key != nil && own != c.opts.key.key:
		return own, &Error{Code: CodeConflict, Key: own, reason: "the option Key and the request's key header differ; set one of them"}
	case !own.IsZero():
		c.ownHeader = true
		return own, nil
	case c.opts.key != nil:
		return c.opts.key.key, nil
	}
	key, err := c.scheme.Key(c.doc)
	if err != nil {
		return key, invalid("the key cannot be made: "+err.Error(), err)
	}
	return key, nil
}

// headerKey is the key that the caller set as a header, in whatever case and
// quoted or not.
func (c *call) headerKey(req *http.Request) (identity.Key, error) {
	var values []string
	for name, v := range req.Header {
		if strings.EqualFold(name, c.header) {
			values = append(values, v...)
		}
	}
	if len(values) == 0 {
		return identity.Key{}, nil
	}
	if len(values) > 1 {
		return identity.Key{}, invalid("the request has "+strconv.Itoa(len(values))+" key headers; set one", nil)
	}
	text := values[0]
	if n := len(text); n >= 2 && text[0] == '"' && text[n-1] == '"' {
		text = text[1 : n-1]
	}
	key, err := identity.Foreign(text)
	if err != nil {
		return key, invalid("the request's key header: "+err.Error(), err)
	}
	return key, nil
}

// putKey sets the key header as the provider takes it, once.
func (c *call) putKey() error {
	for name := range c.req.Header {
		if name != c.header && strings.EqualFold(name, c.header) {
			delete(c.req.Header, name)
		}
	}
	if c.noKeyHeader && !c.ownHeader {
		return nil
	}
	text := c.key.String()
	if err := c.provider.Keys.accept(text, c.pattern); err != nil {
		return invalid(err.Error(), err)
	}
	if c.provider.Keys.Quoted {
		text = `"` + text + `"`
	}
	c.req.Header[c.header] = []string{text}
	return nil
}

// snapshot reads the request's body, which it closes.
func (c *Client) snapshot(req *http.Request) ([]byte, error) {
	if req.Body == nil {
		return nil, nil
	}
	defer req.Body.Close()
	body, more, err := readUpTo(req.Body, req.ContentLength, c.cfg.MaxBody)
	switch {
	case err != nil:
		return nil, invalid("the request's body cannot be read", err)
	case more:
		return nil, invalid("the request's body is larger than Config.MaxBody ("+strconv.FormatInt(c.cfg.MaxBody, 10)+" bytes); raise it", nil)
	case req.ContentLength > 0 && int64(len(body)) != req.ContentLength:
		return nil, invalid("the request's body is not as long as its ContentLength says", nil)
	}
	return body, nil
}

// outline is the request without its body, as it goes out on every attempt; what
// the caller does to its own afterwards changes nothing.
func outline(req *http.Request, extra http.Header) *http.Request {
	out := req.Clone(context.Background())
	out.Body, out.GetBody = nil, nil
	if out.Header == nil {
		out.Header = http.Header{}
	}
	for name, values := range extra {
		if name = http.CanonicalHeaderKey(name); out.Header[name] == nil {
			out.Header[name] = append([]string{}, values...)
		}
	}
	return out
}

func closeBody(req *http.Request) {
	if req.Body != nil {
		req.Body.Close()
	}
}
