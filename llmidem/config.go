package llmidem

import (
	"time"

	"github.com/llmidem/llmidem-go/llmidem/identity"
)

// Config holds the settings of a client as data. It is an [Option]: fields that
// are not zero override what was set before. Zero means the default, so the
// zero Config changes nothing. Durations and sizes that are negative are
// refused by [New].
//
// [LoadConfig] reads one from a file and the environment; the names there are those
// of the fields in lower case, as in cache_ttl and retry.max_attempts.
type Config struct {
	// HeaderName is the request header of the key. Default: the provider's, else
	// Idempotency-Key.
	HeaderName string
	// KeyPrefix is what keys of the default scheme begin with: [a-z0-9]+ and an
	// underscore. Default: idem_. It cannot be combined with WithScheme.
	KeyPrefix string
	// Scheme says how a key is made of an identity, as [WithScheme] does, with which
	// it cannot be combined: sha256, uuid5 or hmac. Default: sha256.
	Scheme string
	// SchemeNamespace is the namespace of uuid5 keys, a UUID. Required there, and
	// only there: generate one, and keep it.
	SchemeNamespace string
	// SchemeSecret says where the secret of hmac keys is: env:NAME or file:PATH,
	// never the secret itself. Of a file one line end at its end does not count.
	// [New] reads it, and refuses a file that others may write to. Required with
	// hmac, and only there.
	SchemeSecret string
	// KeyPolicy is the form that callers' own keys must have (option Key, or the
	// header of a request): one that has not is CodeInvalid, before anything is sent.
	// New refuses a scheme whose keys have not. Default: any key.
	KeyPolicy identity.Policy
	// ExcludedFields are dotted paths of body members that do not count for the
	// identity. The list replaces the default of the rules (timestamp, trace_id,
	// request_id, retry_count); empty but not nil means none.
	ExcludedFields []string

	// Namespace sets the records of one application apart, as [WithNamespace] does.
	// Default: none.
	Namespace string
	// Tenant names whose records these are, as [WithTenant] does. Default: by
	// credentials.
	Tenant string
	// Store says where claims and answers are kept, for the program to open: a URL
	// without a password, or a reference to one, env:NAME or file:PATH.
	// [Config.StoreURL] returns the URL; what was opened goes into [WithStore], and
	// New says so when it did not. Default: a memory of the client's own.
	Store string

	// CacheTTL is how long an answer is given again. Default: 10 minutes in memory,
	// 24 hours in a store that outlasts the process or is shared.
	CacheTTL time.Duration
	// CacheCapacity is how many answers are kept in memory. Default: 10,000.
	CacheCapacity int
	// CacheBytes is how many bytes they may take. Default: 64 MiB.
	CacheBytes int64
	// Recall says when a recorded answer is given again. Default: RecallAlways.
	Recall RecallPolicy

	// Retry is how attempts are repeated.
	Retry RetryPolicy
	// OnAmbiguous says whether an attempt that may have been executed is made
	// again. Default: Retry.
	OnAmbiguous DoubtPolicy
	// OnUnknown says whether a call whose record is in doubt (a process died, the
	// last attempt was ambiguous) is made again when it is asked again. Default:
	// Retry. With Fail it is CodeAmbiguous until [Client.Forget].
	OnUnknown DoubtPolicy
	// StoreDown says what happens when the store fails before anything was sent.
	// Default: Proceed.
	StoreDown StorePolicy
	// AcceptStoreLoss lets [ForFinance] use a shared store that may lose claims, as
	// Redis may in a failover. Default: it is refused.
	AcceptStoreLoss bool
	// StoreTimeout is how long one operation of a store that outlasts the process
	// may take before it counts as failed. Default: 5 seconds.
	StoreTimeout time.Duration

	// DetachLimit is how long a call goes on after its last caller has left.
	// Default: 5 minutes, and never longer than the rest of Retry.Elapsed. For
	// streams see Drain.
	DetachLimit time.Duration
	// Drain lets a stream that every caller has closed before its end be read on,
	// so that it can be given again. Default: it is dropped.
	Drain Drain
	// TolerateTruncation lets a stream that breaks off, or ends without finish
	// reasons, look like one that ended. Default: reading it is CodeInterrupted.
	TolerateTruncation bool
	// MaxBody is the largest request body, in bytes, counted without its content
	// coding where it is compressed, and with the placeholders of attachments
	// ([WithAttachments]) rather than what is sent for them. Larger ones are refused. While a call waits and
	// is repeated a body above 1 MiB lies in a temporary file ([os.TempDir]) that
	// has no name and goes with the process; where none can be written, in memory.
	// Default: 128 MiB.
	MaxBody int64
	// PassOverMaxBody lets requests with a body above MaxBody pass untouched, without
	// key, record and retry, as if they were no inference calls; their spans say so.
	// It cannot be combined with Strict. Default: they are refused.
	PassOverMaxBody bool
	// MaxEntry is the largest answer that is kept, in bytes. Larger ones are
	// passed through. Default: 8 MiB.
	MaxEntry int64
	// MaxFlights is how many calls may be in flight with a record. Above it they
	// go out without one. Default: 10,000.
	MaxFlights int
	// Strict refuses requests that are no inference call, or name no model,
	// instead of passing them untouched. Default: off.
	Strict bool

	from origins // what LoadConfig read
}

// Drain bounds how far a stream is read on that nobody reads any more. Zero in
// both means not at all; in one of them, Config.MaxEntry bytes or one minute.
type Drain struct {
	// Bytes is how much more is read.
	Bytes int64
	// Time is how much longer.
	Time time.Duration
}

func (d Drain) on() bool { return d != Drain{} }

func (d Drain) withDefaults(c Config) Drain {
	def(&d.Bytes, c.MaxEntry)
	def(&d.Time, time.Minute)
	return d
}

// RetryPolicy says how attempts are repeated. Zero fields mean the default.
type RetryPolicy struct {
	// MaxAttempts is how many requests are sent for one call at most, the first
	// included. 1 means no retry. Answers that say "in progress" do not count.
	// Default: 5.
	MaxAttempts int
	// MaxAmbiguous is how many of the repetitions may follow an attempt that may
	// have been executed, where the provider does not replay by key. Default: 2.
	MaxAmbiguous int
	// BaseDelay is the first wait's upper bound; it doubles with every attempt,
	// and the wait is drawn evenly from 0 to the bound ("full jitter").
	// Default: 200 ms.
	BaseDelay time.Duration
	// MaxHint is the longest wait that a provider may ask for; above it the
	// answer is returned instead. Default: 60 s.
	MaxHint time.Duration
	// Elapsed bounds a call with all its attempts and waits. Default: 10 minutes.
	Elapsed time.Duration
	// Budget is how many retries a client may make beyond what successes earn,
	// so that an outage is not multiplied. Default: 100.
	Budget int
	// Refill is what a successful call earns back of the budget. Default: 0.1, so
	// that in the long run at most one call in ten is made again.
	Refill float64
}

// RecallPolicy says when an answer is given again.
type RecallPolicy uint8

const (
	// RecallAlways: equal calls within the time to live have one answer.
	RecallAlways RecallPolicy = iota + 1
	// RecallUndelivered: an answer that a caller received already is given again
	// only for operations whose answer is not drawn (embeddings, moderations, a
	// temperature of 0), for the same call repeated by its SDK, and inside a
	// scope. An answer that no caller received waits for the next one.
	RecallUndelivered
	// RecallOff: no answer is given again or shared.
	RecallOff
)

// DoubtPolicy says what to do where a call may have been executed already.
type DoubtPolicy uint8

const (
	// Retry makes it again: at worst it is paid for twice.
	Retry DoubtPolicy = iota + 1
	// Fail returns CodeAmbiguous: at worst it is not answered.
	Fail
)

// StorePolicy says what to do when the store fails before anything was sent.
type StorePolicy uint8

const (
	// Proceed makes the call without a record.
	Proceed StorePolicy = iota + 1
	// Refuse returns CodeUnavailable.
	Refuse
)

// Defaults of Config.
const (
	defaultTTL         = 10 * time.Minute
	defaultStoreTTL    = 24 * time.Hour
	defaultStoreWait   = 5 * time.Second
	defaultCapacity    = 10_000
	defaultCacheBytes  = 64 << 20
	defaultDetach      = 5 * time.Minute
	defaultMaxBody     = 128 << 20
	defaultMaxEntry    = 8 << 20
	defaultMaxFlights  = 10_000
	defaultAttempts    = 5
	defaultAmbiguous   = 2
	defaultBaseDelay   = 200 * time.Millisecond
	defaultMaxHint     = 60 * time.Second
	defaultElapsed     = 10 * time.Minute
	defaultRetryBudget = 100
	defaultRefill      = 0.1
)

// withDefaults fills every zero field.
func (c Config) withDefaults() Config {
	def(&c.CacheTTL, defaultTTL)
	def(&c.CacheCapacity, defaultCapacity)
	def(&c.CacheBytes, defaultCacheBytes)
	def(&c.Recall, RecallAlways)
	def(&c.OnAmbiguous, Retry)
	def(&c.OnUnknown, Retry)
	def(&c.StoreDown, Proceed)
	def(&c.StoreTimeout, defaultStoreWait)
	def(&c.DetachLimit, defaultDetach)
	def(&c.MaxBody, defaultMaxBody)
	def(&c.MaxEntry, defaultMaxEntry)
	def(&c.MaxFlights, defaultMaxFlights)
	c.Retry = c.Retry.withDefaults()
	return c
}

func (r RetryPolicy) withDefaults() RetryPolicy {
	def(&r.MaxAttempts, defaultAttempts)
	def(&r.MaxAmbiguous, defaultAmbiguous)
	def(&r.BaseDelay, defaultBaseDelay)
	def(&r.MaxHint, defaultMaxHint)
	def(&r.Elapsed, defaultElapsed)
	def(&r.Budget, defaultRetryBudget)
	def(&r.Refill, defaultRefill)
	return r
}

// def sets a field that is zero to its default.
func def[T comparable](field *T, value T) {
	var zero T
	if *field == zero {
		*field = value
	}
}
