package llmidem

import (
	"context"
	"errors"
	"math"
	"net/http"
	"strconv"
	"strings"

	"github.com/llmidem/llmidem-go/llmidem/identity"
	"github.com/llmidem/llmidem-go/llmidem/internal/complete"
)

// passing is why a request passes untouched; "" when it is an inference call.
type passing string

const (
	passNoRoute  passing = "no_such_route"
	passNoModel  passing = "no_model"
	passTooLarge passing = "body_too_large"
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
		return cl, "", cl.opts.refusal()
	}
	if err := cl.enterRun(req.Context()); err != nil {
		closeBody(req)
		return cl, "", err
	}
	plain, why, err := cl.readBody(c, req)
	if err != nil || why != "" {
		return cl, why, err
	}
	err = cl.identifyAs(req, plain)
	var refusal *identity.Refusal
	if errors.As(err, &refusal) && refusal.Code == identity.CodeNoModel {
		return cl, passNoModel, nil
	}
	if err != nil {
		return cl, "", unidentified(err)
	}
	if cl.coded && cl.doc.Splices() != nil {
		return cl, "", invalid("the request is compressed, and nothing can be put in the place of the placeholders in it; "+
			"send requests with attachments without a Content-Encoding", nil)
	}
	cl.facts = factsOf(cl.doc, plain)
	if cl.coded || len(plain) > spoolAbove { // nobody reads it a second time
		cl.inputs = int32(min(complete.InputsOf(cl.facts.operation, plain), math.MaxInt32))
	}
	cl.home, cl.in = c.homeOf(req, match.Prefix), req
	if err := cl.count(req, func() error { return cl.identifyAs(req, plain) }); err != nil {
		return cl, "", unidentified(err)
	}
	return cl, "", cl.sign(req)
}

// unidentified is the error of a request that is refused an identity.
func unidentified(err error) *Error {
	var refusal *identity.Refusal
	if errors.As(err, &refusal) && refusal.Code == identity.CodeBadAttachment {
		return invalid("an attachment of the request cannot be sent: "+err.Error(), err)
	}
	return invalid("the request has no canonical form: "+err.Error(), err)
}

// identifyAs makes the identity document of the request, whose body says plain,
// under the options as they are.
func (c *call) identifyAs(req *http.Request, plain []byte) (err error) {
	rules := c.provider.Rules
	c.doc, err = rules.Identify(identity.Request{Path: req.URL.EscapedPath(), Header: req.Header, Body: plain,
		Attachments: attachmentsOf(req.Context()), Context: req.Context()},
		c.opts.identityCall(c.cfg.ExcludedFields, rules.Exclude))
	return err
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

// sign gives the call its key, address and fingerprint.
func (c *call) sign(req *http.Request) (err error) {
	if c.key, err = c.chooseKey(req); err != nil {
		return err
	}
	if err := c.place(req.Context()); err != nil {
		return err
	}
	if !c.ownHeader && (c.noKeyHeader || c.provider.Keys.Cache) { // the form of a cache's entry is New's matter
		return nil
	}
	if err := c.provider.Keys.accept(c.keyText, c.pattern); err != nil {
		return invalid(err.Error(), err)
	}
	return nil
}

// place says where the record of a call lies and what it must be the answer to.
func (c *call) place(ctx context.Context) (err error) {
	c.keyText = c.key.String()
	if c.finger, err = fingerprint(c.scheme, c.doc, c.home.endpoint, c.result); err != nil {
		return invalid("the fingerprint cannot be made: "+err.Error(), err)
	}
	c.address = address(c.home.namespace, c.home.endpoint, c.keyText)
	if c.opts.key != nil && !c.opts.key.binds(c.finger) {
		return c.failure(CodeConflict, "the option Key was used for another request already; make one Key per call", nil)
	}
	c.scoped = c.opts.scope != "" || c.opts.nonce != ""
	if c.recallMode = c.modeOf(); c.recallMode == recallNone {
		c.scope = nil // it has no part in the run
	}
	if err := c.promised(); err != nil {
		return err
	}
	if c.shared && c.home.account == "" && c.namespace == "" && c.recallMode != recallNone {
		return c.failure(CodeInvalid, "the store is shared and nothing says whose record this is: the call has no credentials that are known; "+
			"give the client WithTenant(id) or WithNamespace(name)", nil)
	}
	if c.seeAccount(c.home.account) {
		c.warnSecond.Do(func() {
			c.log(ctx, levelWarn, "a second account is used through one client: their answers are kept apart; "+
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
		return c.agreed(own)
	case c.opts.key != nil:
		return c.agreed(c.opts.key.key)
	}
	key, err := c.scheme.Key(c.doc)
	if err != nil {
		return key, invalid("the key cannot be made: "+err.Error(), err)
	}
	return key, nil
}

// agreed refuses a caller's own key that is not of the agreed form. It is no key
// then, and is not shown as one: it may be a credential in the wrong place.
func (c *call) agreed(key identity.Key) (identity.Key, error) {
	if err := c.cfg.KeyPolicy.Check(key); err != nil {
		return identity.Key{}, invalid("the caller's own key breaks Config.KeyPolicy: "+err.Error(), err)
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
		text = strings.ReplaceAll(text[1:n-1], `\\`, `\`)
	}
	key, err := identity.Foreign(text)
	if err != nil {
		return key, invalid("the request's key header: "+err.Error(), err)
	}
	return key, nil
}

// readBody takes the snapshot, and returns what it says: its bytes without their
// content coding.
func (c *call) readBody(client *Client, req *http.Request) (plain []byte, why passing, err error) {
	body, rest, err := client.snapshot(req)
	if err != nil {
		return nil, "", err
	}
	if rest != nil {
		c.in = req.WithContext(req.Context())
		c.in.Body = rest
		return nil, passTooLarge, nil
	}
	c.body = snapshot{data: body}
	plain, coded, more, err := decoded(req.Header, body, c.cfg.MaxBody)
	switch {
	case more && c.cfg.PassOverMaxBody:
		return nil, passTooLarge, nil
	case more:
		return nil, "", client.overMaxBody("compressed, and decoded it is ")
	}
	c.coded = coded
	return plain, "", err
}

func closeBody(req *http.Request) {
	if req.Body != nil {
		req.Body.Close()
	}
}
