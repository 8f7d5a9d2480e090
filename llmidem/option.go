package llmidem

import (
	"log/slog"
	"net/http"

	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"

	"github.com/llmidem/llmidem-go/llmidem/audit"
	"github.com/llmidem/llmidem-go/llmidem/identity"
	"github.com/llmidem/llmidem-go/llmidem/store"
)

// An Option configures a [Client]. [Config] is one, and so are the presets.
// Later options override earlier ones.
type Option interface{ apply(*settings) }

// settings is what the options of one New add up to.
type settings struct {
	provider     Provider
	cfg          Config
	scheme       identity.Scheme
	schemeSet    bool
	transport    http.RoundTripper
	transportSet bool
	namespace    string
	tenant       string
	store        store.Store
	storeSet     bool
	tracers      trace.TracerProvider
	meters       metric.MeterProvider
	propagators  propagation.TextMapPropagator
	logger       *slog.Logger
	noAttempts   bool // no attempt spans
	capture      bool // content into spans
	noKeyHeader  bool
	batch        bool // ForBatch: nothing expires
	exposed      bool // the file of the secret may be read by others

	applied  int // options so far
	audit    auditLog
	auditSet bool
	finance  bool // ForFinance
	presets  []string
	presetAt []int // the place of each preset among the options
	promise  func(*settings) error
	errs     []error
}

type optionFunc func(*settings)

func (f optionFunc) apply(s *settings) { f(s) }

// WithRecall says when a recorded answer is given again. Default: RecallAlways.
func WithRecall(p RecallPolicy) Option {
	return optionFunc(func(s *settings) { s.cfg.Recall = p })
}

// WithRetry says how attempts are repeated. Fields that are zero keep what was
// set before.
func WithRetry(p RetryPolicy) Option {
	return optionFunc(func(s *settings) { s.cfg.Retry.merge(p) })
}

// WithScheme says how a key is made of an identity: [identity.SHA256] (the
// default), [identity.UUID5] or [identity.HMAC].
func WithScheme(scheme identity.Scheme) Option {
	return optionFunc(func(s *settings) { s.scheme, s.schemeSet = scheme, true })
}

// WithTransport says what sends the requests. Default: a transport of the
// client's own, which keeps many idle connections per host and is closed by
// [Client.Close]. A transport of yours stays yours to close. It must not retry
// or follow redirects.
func WithTransport(rt http.RoundTripper) Option {
	return optionFunc(func(s *settings) { s.transport, s.transportSet = rt, true })
}

// WithStore says where claims and answers are kept, so that they outlast the
// process or are shared with others: a store of redisstore, pgstore or boltstore,
// or one that passes package storetest. A [store.Memory] that several clients are
// given is theirs together. Answers are then kept for 24 hours (Config.CacheTTL)
// and, for those already met, ten minutes at most in this process's memory
// (Config.CacheCapacity and CacheBytes bound that). The store stays yours to
// close, after [Client.Close]. Default: a memory of the client's own.
//
// In a store that is shared each record must say whose it is: a call without
// credentials that are known, in a client without WithTenant and WithNamespace, is
// CodeInvalid. That is so for every [Do].
func WithStore(s store.Store) Option {
	return optionFunc(func(set *settings) { set.store, set.storeSet = s, true })
}

// WithAudit says where the intent and the outcome of each call are logged, whoever
// is given its answer: an answer that was there already has an outcome and no intent.
// Each call with a claim waits for the log once before it is sent and once at its
// end. A log that fails is warned of, and the call goes on; see [ForFinance] for the
// opposite. It stays yours to close, after [Client.Close]. Default: none.
func WithAudit(log *audit.Log) Option {
	return optionFunc(func(s *settings) {
		s.auditSet = true
		if log != nil {
			s.audit = log
		}
	})
}

// WithNamespace sets the records of one application apart from those of others
// in a shared store. It adds to the separation by credentials, it does not
// replace it. Default: none.
func WithNamespace(name string) Option {
	return optionFunc(func(s *settings) {
		if name == "" {
			s.errs = append(s.errs, optionError("WithNamespace", "is empty", "name the application, or leave the option out"))
		}
		s.namespace = name
	})
}

// WithTenant names whose records these are, in place of the credentials of each
// request. It is for credentials that rotate, or that a transport below the
// client adds. All requests of the client then share their answers, whatever
// credentials they carry. Default: by credentials.
func WithTenant(id string) Option {
	return optionFunc(func(s *settings) {
		if id == "" {
			s.errs = append(s.errs, optionError("WithTenant", "is empty", "name the tenant, or leave the option out"))
		}
		s.tenant = id
	})
}

// WithTracerProvider says where spans go. Default, and for nil: the global one.
func WithTracerProvider(tp trace.TracerProvider) Option {
	return optionFunc(func(s *settings) { s.tracers = tp })
}

// WithPropagators says how the trace context goes out with each attempt.
// Default, and for nil: the global ones.
func WithPropagators(p propagation.TextMapPropagator) Option {
	return optionFunc(func(s *settings) { s.propagators = p })
}

// WithLogger says where log lines go. Each carries the key and the trace id and
// is written with the call's context. Default, and for nil: [slog.Default].
func WithLogger(l *slog.Logger) Option {
	return optionFunc(func(s *settings) { s.logger = l })
}

// WithAttemptSpans switches the span of each attempt on or off. Switch it off
// where the transport makes such spans already (otelhttp). Default: on.
func WithAttemptSpans(on bool) Option {
	return optionFunc(func(s *settings) { s.noAttempts = !on })
}

// apply makes Config an Option.
func (c Config) apply(s *settings) {
	s.cfg.merge(c)
	override(&s.namespace, c.Namespace)
	override(&s.tenant, c.Tenant)
	s.cfg.mergeOrigins(c)
}

func (c *Config) merge(o Config) {
	override(&c.HeaderName, o.HeaderName)
	override(&c.KeyPrefix, o.KeyPrefix)
	if o.ExcludedFields != nil {
		c.ExcludedFields = append([]string{}, o.ExcludedFields...)
	}
	override(&c.Scheme, o.Scheme)
	override(&c.SchemeNamespace, o.SchemeNamespace)
	override(&c.SchemeSecret, o.SchemeSecret)
	override(&c.KeyPolicy.Scheme, o.KeyPolicy.Scheme)
	override(&c.KeyPolicy.Prefix, o.KeyPolicy.Prefix)
	override(&c.KeyPolicy.MinLen, o.KeyPolicy.MinLen)
	override(&c.KeyPolicy.MaxLen, o.KeyPolicy.MaxLen)
	override(&c.Namespace, o.Namespace)
	override(&c.Tenant, o.Tenant)
	override(&c.Store, o.Store)
	override(&c.CacheTTL, o.CacheTTL)
	override(&c.CacheCapacity, o.CacheCapacity)
	override(&c.CacheBytes, o.CacheBytes)
	override(&c.Recall, o.Recall)
	c.Retry.merge(o.Retry)
	override(&c.OnAmbiguous, o.OnAmbiguous)
	override(&c.OnUnknown, o.OnUnknown)
	override(&c.StoreDown, o.StoreDown)
	override(&c.StoreTimeout, o.StoreTimeout)
	override(&c.AcceptStoreLoss, o.AcceptStoreLoss)
	override(&c.DetachLimit, o.DetachLimit)
	override(&c.Drain.Bytes, o.Drain.Bytes)
	override(&c.Drain.Time, o.Drain.Time)
	override(&c.TolerateTruncation, o.TolerateTruncation)
	override(&c.MaxBody, o.MaxBody)
	override(&c.PassOverMaxBody, o.PassOverMaxBody)
	override(&c.MaxEntry, o.MaxEntry)
	override(&c.MaxFlights, o.MaxFlights)
	override(&c.Strict, o.Strict)
}

func (r *RetryPolicy) merge(o RetryPolicy) {
	override(&r.MaxAttempts, o.MaxAttempts)
	override(&r.MaxAmbiguous, o.MaxAmbiguous)
	override(&r.BaseDelay, o.BaseDelay)
	override(&r.MaxHint, o.MaxHint)
	override(&r.Elapsed, o.Elapsed)
	override(&r.Budget, o.Budget)
	override(&r.Refill, o.Refill)
}

// override sets a field to a value that is not zero.
func override[T comparable](field *T, value T) {
	var zero T
	if value != zero {
		*field = value
	}
}
