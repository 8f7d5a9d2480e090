package llmidem

import (
	"context"
	"net/http"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/trace"

	"github.com/llmidem/llmidem-go/llmidem/internal/semconv"
	"github.com/llmidem/llmidem-go/llmidem/store"
)

// ForBatch is for many calls that are started again until all are answered, as
// package batch does: what was answered is kept in s without end, and is never
// paid for again. s must outlast the process or be seen by others: a store of
// boltstore, pgstore or redisstore. A store that fails ends a call before it is
// sent (StoreDown: Refuse), and may take a minute (StoreTimeout). Answers are kept up
// to 64 MiB (MaxEntry), if the store takes them. Memory holds few
// copies of answers (1,000, 4 MiB), since hardly any is asked for twice. There is
// no common budget of retries: whoever runs a batch bounds how many calls are in
// flight, and with that what an outage is asked.
//
// It promises that nothing expires and every answer is recalled: Config.CacheTTL,
// other recall policies and StoreDown: Proceed are refused, and calls inside of a
// run ([WithRun]), whose records would expire, are CodeInvalid.
func ForBatch(s store.Store) Option {
	return preset{
		name: "ForBatch",
		set: func(set *settings) {
			set.store, set.storeSet, set.batch = s, true, true
			set.cfg.merge(Config{CacheCapacity: 1000, CacheBytes: 4 << 20, StoreDown: Refuse, StoreTimeout: time.Minute, MaxEntry: 64 << 20,
				Retry: RetryPolicy{Budget: unboundedBudget}})
		},
		promise: func(set *settings) error {
			switch t := store.TraitsOf(set.store); {
			case !t.Durable && !t.Shared:
				return optionError("ForBatch", "has a store that ends with the process, so that nothing could be gone on from",
					"open one with boltstore.Open, or use pgstore or redisstore")
			case set.cfg.CacheTTL != 0:
				return optionError("Config.CacheTTL", "is set, but ForBatch promises that no answer expires", "leave it out")
			case set.cfg.Recall > RecallAlways:
				return optionError("WithRecall", "is set, but ForBatch promises that every answer is recalled", "leave it out")
			case set.cfg.StoreDown == Proceed:
				return optionError("Config.StoreDown", "is Proceed, but ForBatch promises to send nothing without a record", "leave it out")
			}
			return nil
		},
	}
}

// unboundedBudget is more retries than a batch makes.
const unboundedBudget = 1 << 30

// BatchStore returns the store of a client made with [ForBatch], nil for any other.
// It stays its owner's to close.
func (c *Client) BatchStore() store.Store {
	if !c.batch {
		return nil
	}
	if b, ok := c.store.(*bounded); ok {
		return b.below
	}
	return c.store
}

// StartBatch begins the span of a batch of that many items. The spans of calls
// made with the context are its children and have a link to it, for backends that
// cut off what has too many children. end ends it, and says which error the batch
// ended in, if any.
func (c *Client) StartBatch(ctx context.Context, items int) (inside context.Context, end func(error)) {
	ctx, span := c.tracer.Start(ctx, semconv.SpanBatch, trace.WithSpanKind(trace.SpanKindInternal),
		trace.WithAttributes(semconv.BatchSize.Int(items)))
	if span.SpanContext().IsValid() {
		ctx = context.WithValue(ctx, batchKey, span.SpanContext())
	}
	return ctx, func(err error) {
		if err != nil {
			kind := semconv.ErrorOther
			if e, ok := err.(interface{ ErrorType() string }); ok {
				kind = e.ErrorType()
			}
			span.SetAttributes(semconv.ErrorType.String(kind))
			span.SetStatus(codes.Error, kind)
		}
		span.End()
	}
}

// linkBatch links the span of a call to the batch that it is an item of.
func linkBatch(ctx context.Context, span trace.Span) {
	if batch, ok := ctx.Value(batchKey).(trace.SpanContext); ok {
		span.AddLink(trace.Link{SpanContext: batch, Attributes: []attribute.KeyValue{semconv.LinkType.String(semconv.LinkBatch)}})
	}
}

// Address returns where the record of a request's call lies, as [Client.Forget]
// takes it, with the call options of its context. Equal calls have equal addresses.
// Nothing is sent or looked up; the request's body is read and closed. A request
// that [Client.RoundTrip] would refuse, is no inference call or has no record is
// CodeInvalid, and so is one inside of a run, which would count it.
func (c *Client) Address(req *http.Request) (string, error) {
	if req.URL == nil || req.URL.Host == "" {
		closeBody(req)
		return "", invalid("the request has no URL with a host", nil)
	}
	if scopeIn(req.Context()) != nil {
		closeBody(req)
		return "", invalid("a call of a run has its address when it is made; ask outside of WithRun", nil)
	}
	cl, pass, err := c.identify(req)
	switch {
	case pass == passNoModel:
		closeBody(req)
		return "", invalid("the request names no model", nil)
	case pass != "":
		closeBody(req)
		return "", invalid("the request is no inference call ("+string(pass)+")", nil)
	case err != nil:
		return "", asError(err, cl)
	case cl.recallMode == recallNone:
		return "", invalid("the call has no record: it changes state at the provider, or recall is off", nil)
	}
	return cl.address, nil
}
