package llmtest

import (
	"regexp"

	"github.com/llmidem/llmidem-go/llmidem"
)

// An Option configures a [Server]. Options are given to [New] or [Start]; later
// ones win.
type Option interface{ apply(*config) }

type optionFunc func(*config)

func (f optionFunc) apply(c *config) { f(c) }

type config struct {
	keys        llmidem.Keys
	pattern     *regexp.Regexp
	sampled     bool
	memory      bool
	tls         bool
	http2       bool
	allowUnused bool
	maxBody     int64 // bytes read of a request; more is answered with 413
}

// maxBody is twice what a llmidem client sends.
const maxBody = 256 << 20

// WithKeys says what the server does with idempotency keys, and really does it;
// [Server.Provider] carries the same value. Default: class Ignore.
//
//   - Ignore: keys are recorded in the ledger, nothing else.
//   - Replay: a repeated key gets the first answer with the header
//     Idempotent-Replayed: true. While the first is being worked on the repeat
//     gets 409 idempotency_key_in_use and Retry-After, with another body 422
//     idempotency_key_reused. A key is remembered once its request was worked on.
//   - Reject: a repeated key gets 422 duplicate_key, whatever became of the first
//     request that arrived with it.
//
// The classes other than Ignore answer a key that is longer than MaxLen, does not
// match Pattern or is not in the quoted form that Quoted asks for with 400
// invalid_idempotency_key. Keys of different credentials (Authorization,
// Api-Key, X-Api-Key and X-Goog-Api-Key headers) are different keys. After Window a key is new again; zero means
// never. A Pattern that does not compile makes [Start] panic and [New] fail the test.
func WithKeys(k llmidem.Keys) Option {
	return optionFunc(func(c *config) { c.keys = k })
}

// Sampled makes the text of every execution another one, as with a model that is
// sampled: "Answer 3 to: …" for the third execution; pictures and sounds differ too.
// Embeddings and moderations stay what they are. Default: equal requests have equal answers.
func Sampled() Option {
	return optionFunc(func(c *config) { c.sampled = true })
}

// InMemory leaves the listener out: [Server.URL] is [MemoryURL], which nothing on
// the network answers to, and [Server.Client] goes over [Server.Transport].
// Default: a listener, started at the first use of URL, BaseURL or Client.
func InMemory() Option {
	return optionFunc(func(c *config) { c.memory = true })
}

// WithTLS makes the listener speak HTTPS (HTTP/1.1) with a certificate that
// [Server.Client] trusts. Default: plain HTTP.
func WithTLS() Option {
	return optionFunc(func(c *config) { c.tls = true })
}

// HTTP2 makes the listener speak HTTP/2 over TLS, and [Server.Client] too. A fault
// that drops or cuts then resets its stream alone, unless it is made
// [Fault.WholeConnection]. Default: HTTP/1.1.
func HTTP2() Option {
	return optionFunc(func(c *config) { c.tls, c.http2 = true, true })
}

// AllowUnused lets a test of [New] pass although faults of [Server.Next] were
// left unused. Default: it fails. [Start] ignores this.
func AllowUnused() Option {
	return optionFunc(func(c *config) { c.allowUnused = true })
}

// newConfig compiles what has to be; it returns an error that names the option.
func newConfig(opts []Option) (config, error) {
	c := config{maxBody: maxBody}
	for _, o := range opts {
		o.apply(&c)
	}
	if c.keys.Header == "" {
		c.keys.Header = "Idempotency-Key"
	}
	if c.keys.Pattern != "" {
		re, err := regexp.Compile("^(?:" + c.keys.Pattern + ")$")
		if err != nil {
			return c, &configError{"WithKeys: Pattern is no regular expression: " + err.Error()}
		}
		c.pattern = re
	}
	return c, nil
}

type configError struct{ text string }

func (e *configError) Error() string { return "llmtest: " + e.text }
