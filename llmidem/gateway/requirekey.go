package gateway

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/textproto"
	"strings"

	"github.com/llmidem/llmidem-go/llmidem/identity"
)

// defaultHeader is the header of draft-ietf-httpapi-idempotency-key-header.
const defaultHeader = "Idempotency-Key"

// A KeyOption changes what [RequireKey] asks for. Later options override earlier
// ones.
type KeyOption func(*keyCheck)

// WithHeader names the header of the key. Default: Idempotency-Key.
func WithHeader(name string) KeyOption {
	return func(c *keyCheck) { c.header = textproto.CanonicalMIMEHeaderKey(name) }
}

// WithMethods names the methods whose requests need a key. Requests of other
// methods pass as they are, whatever headers they have. Default: POST and PATCH,
// which the draft speaks of; the others are idempotent by themselves.
func WithMethods(methods ...string) KeyOption {
	return func(c *keyCheck) { c.methods = append([]string{}, methods...) }
}

// WithOptionalKey lets requests without a key pass; one that is there must still
// have the form. Default: they get 400.
func WithOptionalKey() KeyOption {
	return func(c *keyCheck) { c.optional = true }
}

// WithProblemType is the URI of the page that documents the service's keys: the type
// of the problem and a Link of the response. Default: about:blank, and no Link.
func WithProblemType(uri string) KeyOption {
	return func(c *keyCheck) { c.problemType = uri }
}

// RequireKey returns middleware for services that receive keys. A request whose key
// is not of the policy's form is answered with 400 and a problem (RFC 9457,
// application/problem+json) and never reaches the next handler; so is one without a
// key, and one with several. The key may come bare or as the quoted string of the
// draft. The next handler finds it by [KeyOf], and the header as it came.
//
// No response holds any part of what came: it may be a credential in the wrong
// place. The error is about the policy ([identity.Policy.Err]) or an option.
func RequireKey(policy identity.Policy, opts ...KeyOption) (func(next http.Handler) http.Handler, error) {
	c := &keyCheck{policy: policy, header: defaultHeader, methods: []string{http.MethodPost, http.MethodPatch}}
	for _, o := range opts {
		if o != nil {
			o(c)
		}
	}
	if err := c.validate(); err != nil {
		return nil, err
	}
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { c.serve(w, r, next) })
	}, nil
}

type contextKey struct{}

// KeyOf returns the key that RequireKey found in the request of this context, and
// whether there is one.
func KeyOf(ctx context.Context) (identity.Key, bool) {
	k, ok := ctx.Value(contextKey{}).(identity.Key)
	return k, ok
}

// keyCheck is what one RequireKey asks for.
type keyCheck struct {
	policy      identity.Policy
	header      string
	methods     []string
	optional    bool
	problemType string
}

func (c *keyCheck) validate() error {
	var errs []error
	if err := c.policy.Err(); err != nil {
		errs = append(errs, fmt.Errorf("gateway: RequireKey: %w", err))
	}
	if !token(c.header) {
		errs = append(errs, fmt.Errorf("gateway: WithHeader: %q is no header name; use letters, digits and hyphens, as in Idempotency-Key", c.header))
	}
	if len(c.methods) == 0 {
		errs = append(errs, errors.New("gateway: WithMethods: no method is named, so that nothing would be checked; name one, or leave the option out"))
	}
	for _, m := range c.methods {
		if !token(m) || m != strings.ToUpper(m) {
			errs = append(errs, fmt.Errorf("gateway: WithMethods: %q is no method; methods are in upper case, as in POST", m))
		}
	}
	if strings.ContainsFunc(c.problemType, func(r rune) bool { return r <= ' ' || r > '~' || r == '<' || r == '>' || r == '"' }) {
		errs = append(errs, errors.New("gateway: WithProblemType: this is no URI; use one like https://example.com/keys"))
	}
	return errors.Join(errs...)
}

// serve answers the request itself where its key is not of the form.
func (c *keyCheck) serve(w http.ResponseWriter, r *http.Request, next http.Handler) {
	checked := false
	for _, m := range c.methods {
		checked = checked || m == r.Method
	}
	if !checked {
		next.ServeHTTP(w, r)
		return
	}
	values := r.Header[c.header]
	if len(values) == 0 && c.optional {
		next.ServeHTTP(w, r)
		return
	}
	key, bad := c.read(values)
	if bad != nil {
		bad.write(w, c.problemType)
		return
	}
	next.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), contextKey{}, key)))
}

// read takes the key out of the header's lines.
func (c *keyCheck) read(values []string) (identity.Key, *problem) {
	switch {
	case len(values) == 0:
		return identity.Key{}, &problem{Header: c.header, Fault: "missing",
			Detail: "The request has no " + c.header + " header. Send a key that is the same for every attempt of one call."}
	case len(values) > 1:
		return identity.Key{}, &problem{Header: c.header, Fault: "several",
			Detail: fmt.Sprintf("The request has %d %s headers. Send one.", len(values), c.header)}
	}
	text, ok := unquote(strings.Trim(values[0], " \t"))
	if !ok {
		return identity.Key{}, &problem{Header: c.header, Fault: string(identity.FaultForm),
			Detail: "The value of " + c.header + " begins with a quotation mark and is no quoted string (RFC 8941, section 3.3.3)."}
	}
	key, err := c.policy.Parse(text)
	if err == nil {
		return key, nil
	}
	bad := &problem{Header: c.header, Fault: string(identity.FaultForm), Detail: "The value of " + c.header + " is no key of the agreed form."}
	var fault *identity.KeyError
	if errors.As(err, &fault) {
		bad.Fault = string(fault.Fault)
		bad.Detail += " What is wrong: " + fault.Reason
		if fault.Offset >= 0 {
			bad.Detail += fmt.Sprintf(", at byte %d", fault.Offset)
		}
		bad.Detail += "."
	}
	return identity.Key{}, bad
}

// unquote reads the string of a structured field, or a text that is bare.
func unquote(s string) (string, bool) {
	if s == "" || s[0] != '"' {
		return s, true
	}
	var b strings.Builder
	for i := 1; i < len(s); i++ {
		switch s[i] {
		case '"':
			return b.String(), i == len(s)-1
		case '\\':
			i++
			if i == len(s) || s[i] != '"' && s[i] != '\\' {
				return "", false
			}
		}
		b.WriteByte(s[i])
	}
	return "", false
}

// token reports whether a name is a token of RFC 9110, section 5.6.2.
func token(s string) bool {
	for i := range len(s) {
		if c := s[i]; c <= ' ' || c >= 0x7f || strings.IndexByte(`"(),/:;<=>?@[\]{}`, c) >= 0 {
			return false
		}
	}
	return s != ""
}
