package batch

import (
	"context"
	"errors"
	"fmt"
)

// An Option says how a batch is run. Later options override earlier ones.
type Option interface{ apply(*options) }

type optionFunc func(*options)

func (f optionFunc) apply(o *options) { f(o) }

type options struct {
	concurrency int
	maxLine     int
	rpm, tpm    int
	ordered     bool
	share       bool
	collapse    bool
	retryFailed bool
	stopAfter   int
	name        string
	until       context.Context
	progress    func(Summary)
}

const (
	defaultConcurrency = 32
	mostConcurrency    = 10_000 // the flights of a client
	defaultMaxLine     = 32 << 20
)

// Concurrency is how many items are in flight at most, up to 10,000. Default: 32.
func Concurrency(n int) Option { return optionFunc(func(o *options) { o.concurrency = n }) }

// RequestsPerMinute bounds the requests that are sent, retries included. Default: no
// bound but what the service says in its headers (X-RateLimit-Remaining-Requests and
// its like): when these say that nothing is left, items wait until something is.
func RequestsPerMinute(n int) Option { return optionFunc(func(o *options) { o.rpm = n }) }

// TokensPerMinute bounds the tokens of requests and answers. Before an item is
// answered, its tokens are taken to be as many as those of others were for their
// size, a quarter of its bytes at first. Default: as with [RequestsPerMinute].
func TokensPerMinute(n int) Option { return optionFunc(func(o *options) { o.tpm = n }) }

// Ordered writes the results in the order of the input, also after a restart. Items
// after one that takes long wait then: at most sixteen times [Concurrency] are ahead
// of it. Default: as they come.
func Ordered() Option { return optionFunc(func(o *options) { o.ordered = true }) }

// Share lets equal items of different inputs be one call, and those of other calls of
// the client without a [llmidem.Scope]: it leaves out the scope. A state may then be
// used for one input after another. Default: each input is a scope of its own.
func Share() Option { return optionFunc(func(o *options) { o.share = true }) }

// Collapse sends equal items once and gives all of them that answer. Default: each is
// sent, as an intended repeat.
func Collapse() Option { return optionFunc(func(o *options) { o.collapse = true }) }

// RetryFailed sends dead letters of earlier starts again: their lines are taken out
// of the results. With [Ordered] the results are cut off at the first of them, and
// what was answered after it is written again from the state. Default: a dead letter
// is final.
func RetryFailed() Option { return optionFunc(func(o *options) { o.retryFailed = true }) }

// StopAfter ends the batch with [ErrFailing] when that many items in a row have
// become dead letters, as they do when the credentials are wrong. Default: never.
func StopAfter(n int) Option { return optionFunc(func(o *options) { o.stopAfter = n }) }

// Name tells several batches apart that use one state; their answers lie beside each
// other. Default: "", and a state is of one batch.
func Name(name string) Option { return optionFunc(func(o *options) { o.name = name }) }

// MaxLine is the longest line of an input, in bytes, up to 1 GiB; so many times
// [Concurrency] may be in memory. Default: 32 MiB.
func MaxLine(bytes int) Option { return optionFunc(func(o *options) { o.maxLine = bytes }) }

// Until begins no item any more after ctx has ended, and finishes those in flight:
// [Run] returns [ErrStopped] then. Its own context ends those too. Default: to the
// end of the input.
func Until(ctx context.Context) Option { return optionFunc(func(o *options) { o.until = ctx }) }

// Progress calls fn at the start, about ten times a second, and at the end, with what has become of
// the items so far. Calls come one after the other; results wait for them.
func Progress(fn func(Summary)) Option { return optionFunc(func(o *options) { o.progress = fn }) }

func newOptions(opts []Option) (options, error) {
	o := options{concurrency: defaultConcurrency, maxLine: defaultMaxLine}
	for _, opt := range opts {
		if opt == nil {
			return o, errors.New("batch: an Option is nil")
		}
		opt.apply(&o)
	}
	if o.until == nil {
		o.until = context.Background()
	}
	if o.progress == nil {
		o.progress = func(Summary) {}
	}
	switch {
	case o.concurrency < 1 || o.concurrency > mostConcurrency:
		return o, fmt.Errorf("batch: Concurrency(%d); use 1 to %d", o.concurrency, mostConcurrency)
	case o.maxLine < 1 || o.maxLine > 1<<30:
		return o, fmt.Errorf("batch: MaxLine(%d); use 1 to %d bytes", o.maxLine, 1<<30)
	case o.rpm < 0 || o.tpm < 0:
		return o, fmt.Errorf("batch: RequestsPerMinute and TokensPerMinute must not be negative; leave them out for no bound")
	case o.stopAfter < 0:
		return o, fmt.Errorf("batch: StopAfter(%d); leave it out for never", o.stopAfter)
	}
	return o, nil
}
