package llmidem

import (
	"maps"
	"net/http"
	"slices"
	"time"

	"github.com/llmidem/llmidem-go/llmidem/identity"
)

// A Provider says what the client must know of one service. It is data: package
// providers has a constructor for each known service, each of which returns a
// fresh copy that may be changed before it is given to [New]. New takes its own
// copy, so later changes have no effect.
type Provider struct {
	// Name is the provider's name in spans (gen_ai.provider.name) and part of the
	// namespace of its records. Required: [a-z0-9._-], at most 64 bytes.
	Name string

	// Rules say which requests are inference calls and what identifies them.
	// Required.
	Rules *identity.Rules

	// Dialect is whose wire format answers have, by the name of one of the rule
	// tables of package identity; it decides when an answer is complete. Default:
	// Rules.Name.
	Dialect string

	// Keys say what the service does with an idempotency key. The zero value is
	// that of every large inference service: it ignores them.
	Keys Keys

	// Account returns what tells one account of the service from another: the
	// credentials of a request, or the part of them that stays when they rotate.
	// It is digested before it is used; "" means no recognised credential. It is
	// called concurrently and must not change the request. Default: the values of
	// Authorization, Api-Key, X-Api-Key and X-Goog-Api-Key, and of key and
	// access_token in the query.
	Account func(*http.Request) string

	// Headers are set on every request that goes out, unless the request has
	// them. Default: none.
	Headers http.Header

	// CacheHits are the response headers, with their values in whatever case, by
	// which the service says that an answer came out of a cache of its own. Such an
	// answer is [SourceReplay]: it was not paid for. Default: none.
	CacheHits http.Header

	// Errors name the error codes of the service that decide whether an attempt
	// is made again. The zero value knows those of the OpenAI API.
	Errors ErrorCodes
}

// ErrorCodes name what a service writes into the code or type member of an
// error body. Text is compared whole, in Quota and TooLarge also with the
// beginning of the message. A nil list means the codes of the OpenAI API, an
// empty one none.
type ErrorCodes struct {
	// Quota are final under any status: waiting does not help.
	Quota []string
	// Overload say, under a status from 500 or in a stream, that the request was
	// turned away unexecuted.
	Overload []string
	// InProgress tell a 409 that the call of this key is still running from
	// other conflicts.
	InProgress []string
	// TooLarge are final although they come as 429: the request never fits.
	TooLarge []string
	// Filtered are final under any status: the content is refused, and would be
	// again.
	Filtered []string
}

// KeyClass is what a service does with a repeated idempotency key.
type KeyClass uint8

const (
	// Ignore: the service does not look at keys. A repeated request is executed
	// and billed again.
	Ignore KeyClass = iota
	// Replay: the service answers a repeated key with the first answer.
	Replay
	// Reject: the service refuses a repeated key, whatever became of the first.
	Reject
)

// String returns "ignore", "replay" or "reject".
func (c KeyClass) String() string {
	switch c {
	case Ignore:
		return "ignore"
	case Replay:
		return "replay"
	case Reject:
		return "reject"
	}
	return "invalid"
}

// Keys is how a service takes idempotency keys.
type Keys struct {
	// Class is what the service does with a repeated key. Default: Ignore.
	Class KeyClass
	// Header is the request header that carries the key. Default:
	// Idempotency-Key. It goes out on every attempt whatever the class, except
	// under [ForLegacy] and as Cache says.
	Header string
	// Quoted sends the key as a quoted string, as
	// draft-ietf-httpapi-idempotency-key-header asks for. Default: bare.
	Quoted bool
	// MaxLen is the longest key the service takes, in bytes, quotes not counted.
	// Default: no limit.
	MaxLen int
	// Pattern is a regular expression (RE2) that the whole key must match.
	// Default: none.
	Pattern string
	// Window is how long the service remembers a key; a retry after that is
	// refused with [CodeWindowElapsed]. Default: for ever.
	Window time.Duration
	// Cache says that Header names an entry of a cache at the service, which all
	// its callers share, and not a call: Header is required then, and the class is
	// Ignore. In place of the key a digest of the record's address and fingerprint
	// goes out (64 hexadecimal digits), in which the tenant and the whole request
	// are; and only with calls whose answers may be given again to anybody, so not
	// under RecallOff, RecallUndelivered where it applies, or NoRecall. A header
	// that the caller sets goes out as it is. Default: no.
	Cache bool
}

// dialect is whose format the provider's answers have.
func (p Provider) dialect() string {
	if p.Dialect != "" {
		return p.Dialect
	}
	return p.Rules.Name
}

// clone returns a provider that shares nothing with p that could change.
func (p Provider) clone() Provider {
	p.Headers, p.CacheHits = p.Headers.Clone(), p.CacheHits.Clone()
	p.Errors = ErrorCodes{
		Quota:      slices.Clone(p.Errors.Quota),
		Overload:   slices.Clone(p.Errors.Overload),
		InProgress: slices.Clone(p.Errors.InProgress),
		TooLarge:   slices.Clone(p.Errors.TooLarge),
		Filtered:   slices.Clone(p.Errors.Filtered),
	}
	if p.Rules == nil {
		return p
	}
	rules := *p.Rules
	rules.Routes = slices.Clone(rules.Routes)
	for i := range rules.Routes {
		rules.Routes[i].Prompt = slices.Clone(rules.Routes[i].Prompt)
	}
	rules.UserFields = slices.Clone(rules.UserFields)
	rules.Base64 = slices.Clone(rules.Base64)
	rules.Headers = slices.Clone(rules.Headers)
	rules.Delivery = slices.Clone(rules.Delivery)
	rules.Exclude = slices.Clone(rules.Exclude)
	rules.Params = maps.Clone(rules.Params)
	for operation, names := range rules.Params {
		rules.Params[operation] = slices.Clone(names)
	}
	p.Rules = &rules
	return p
}
