package llmidem

import (
	"context"
	"encoding/hex"
	"log/slog"
	"net/http"
	"regexp"
	"sync"
	"sync/atomic"

	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"

	"github.com/llmidem/llmidem-go/llmidem/identity"
	"github.com/llmidem/llmidem-go/llmidem/store"
)

// Client is an [http.RoundTripper] that gives equal inference calls one answer.
// Make one with [New] and share it: answers, calls in flight and the retry
// budget belong to it. It is safe for concurrent use. Close it at the end.
type Client struct {
	*core
	transport http.RoundTripper
	serve     handler // the stages, over the transport
}

// core is what all clients of one memory share.
type core struct {
	provider    Provider
	pattern     *regexp.Regexp // of the provider's keys; nil for any
	header      string         // the request header of the key
	noKeyHeader bool
	batch       bool // ForBatch: nothing expires
	cfg         Config
	scheme      identity.Scheme
	namespace   string
	tenant      string

	store     store.Store
	audit     auditLog      // nil for none
	finance   bool          // ForFinance: the log and the records must not fail
	near      *store.Memory // copies in front of a store that outlives us; else nil
	outlives  bool          // the store outlives this process or is seen by others
	shared    bool          // others see it
	flights   flights
	deadlines deadlines
	budget    *retryBudget
	own       *http.Transport // ours to close; nil when the user gave one

	tracer      trace.Tracer
	meters      instruments
	propagators propagation.TextMapPropagator
	logger      *slog.Logger
	noAttempts  bool
	capture     bool

	account    atomic.Pointer[string] // the first account seen
	lastHome   atomic.Pointer[home]
	traced     atomic.Bool // spans go somewhere
	warnSecond sync.Once
	warnRecall sync.Once
	runs       runWarnings
	warnSpool  sync.Once
	resultOK   sync.Map // reflect.Type → error: what Do found out about result types
}

// New returns a client for calls to one provider. It checks all options, and
// its error names each one that is wrong and what to do about it.
func New(provider Provider, opts ...Option) (*Client, error) {
	s := &settings{provider: provider}
	for i, o := range opts {
		if o == nil {
			continue
		}
		s.applied = i
		o.apply(s)
	}
	if err := s.validate(); err != nil {
		return nil, err
	}
	return s.build()
}

// build makes the client of settings that are valid.
func (s *settings) build() (*Client, error) {
	cfg := s.config()
	pattern, err := s.provider.Keys.pattern()
	if err != nil {
		return nil, err
	}
	c := &core{
		provider: s.provider.clone(), pattern: pattern, header: s.headerName(), noKeyHeader: s.noKeyHeader, batch: s.batch,
		cfg: cfg, scheme: s.scheme, namespace: s.namespace, tenant: s.tenant,
		budget:    newRetryBudget(cfg.Retry),
		deadlines: deadlines{budget: cfg.Retry.Elapsed},
		audit:     s.audit, finance: s.finance,
		noAttempts: s.noAttempts, capture: s.capture,
	}
	if err := c.setStore(s.store); err != nil {
		return nil, err
	}
	c.setTelemetry(s)
	if s.exposed {
		c.logger.Warn("the file of Config.SchemeSecret may be read by others on this machine; chmod 600 it")
	}
	rt := s.transport
	if rt == nil {
		c.own = newTransport()
		rt = c.own
	}
	return c.over(rt), nil
}

// config is the configuration with its defaults, of which one depends on where
// records are kept: those that outlast the process are worth more.
func (s *settings) config() Config {
	cfg := s.cfg
	if t := store.TraitsOf(s.store); s.store != nil && (t.Shared || t.Durable) {
		def(&cfg.CacheTTL, defaultStoreTTL)
	}
	return cfg.withDefaults()
}

func (s *settings) headerName() string {
	name := s.cfg.HeaderName
	def(&name, s.provider.Keys.Header)
	def(&name, defaultKeyHeader)
	return http.CanonicalHeaderKey(name)
}

// Over returns a client that sends through another transport and shares all
// else with c: memory, calls in flight, retry budget. Closing one closes both.
// nil means c's own transport.
func (c *Client) Over(rt http.RoundTripper) *Client {
	if rt == nil {
		rt = c.transport
	}
	return c.over(rt)
}

func (k *core) over(rt http.RoundTripper) *Client {
	return &Client{core: k, transport: rt,
		serve: k.inRun(k.recall(k.coalesce(k.intend(k.wrote(k.claim(k.goOn(k.retry(k.attempt(rt)))))))))}
}

// Provider returns a copy of what the client knows of its provider.
func (c *Client) Provider() Provider { return c.provider.clone() }

// Forget removes the record at an address ([Receipt.Address], [Error.Address]),
// so that the next equal call is made anew; a record in doubt is settled by
// that. A record that is not there is no error. A call in flight is
// CodeInProgress, and its record stays. Other processes on the same store may
// give out their copy of an answer for ten minutes more.
func (c *Client) Forget(ctx context.Context, address string) error {
	if raw, err := hex.DecodeString(address); err != nil || len(raw) != 32 {
		return invalid("this is no address of a record: take it from Receipt.Address or Error.Address", nil)
	}
	owner := store.NewOwner()
	rec, err := c.store.Claim(ctx, address, store.Claim{Owner: owner, Lease: lease, Takeover: store.TakeSettled})
	if err == nil && rec.Owner != owner {
		return &Error{Code: CodeInProgress, Address: address, RetryAfter: rec.Left, reason: "the call is in flight; forget it when it has ended"}
	}
	if err == nil {
		err = c.store.Settle(ctx, address, owner, store.Outcome{State: store.Absent})
	}
	if c.near != nil {
		c.near.Drop(address)
	}
	if err != nil {
		return &Error{Code: CodeUnavailable, Address: address, Err: err, reason: "the store failed"}
	}
	return nil
}

// Close waits for the calls that still run, in the foreground and behind the
// back of callers that have left. When the context ends first it cuts them off,
// leaves their records in doubt, and returns the context's error. Calls that
// come after Close are CodeInvalid. It closes the idle connections of a
// transport of the client's own, and may be called more than once.
func (c *Client) Close(ctx context.Context) error {
	err := c.flights.close(ctx)
	c.deadlines.stop()
	if c.own != nil {
		c.own.CloseIdleConnections()
	}
	return err
}
