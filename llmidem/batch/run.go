package batch

import (
	"context"
	"errors"
	"fmt"

	"github.com/llmidem/llmidem-go/llmidem"
	"github.com/llmidem/llmidem-go/llmidem/identity"
	"github.com/llmidem/llmidem-go/llmidem/store"
)

// Run runs a batch to its end, or goes on with one. The client must be made with
// [llmidem.ForBatch]; it may be used for other things at the same time, and is not
// closed. What the items have become is in the summary, also beside an error:
//
//   - an [*InputError]: the input is bad, and nothing was sent;
//   - [ErrState]: the state is of another batch, and nothing was sent;
//   - [ErrStopped], with the context's cause: ctx or that of [Until] ended;
//   - [ErrFailing]: see [StopAfter];
//   - an *[llmidem.Error] of CodeUnavailable: the state failed;
//   - the error of the sink, or of reading the input.
//
// After all of these but the first two, the same call goes on where it stopped. Dead
// letters are no error: Summary.Failed counts them.
//
// When ctx ends, items in flight are left to themselves: the client finishes them in
// the background ([llmidem.Client.Close] waits for that), and their answers are in the
// state for the next start.
func Run(ctx context.Context, client *llmidem.Client, source Source, sink Sink, to Target, opts ...Option) (Summary, error) {
	j, err := newJob(client, source, to, opts)
	if err != nil {
		return Summary{}, err
	}
	return j.run(ctx, source, sink)
}

// Collect writes the results that are in the state, and sends nothing: on any machine,
// also while others still work on the batch. Items without an answer are left
// (Summary.Left), and can be collected later into the same sink. Options and error are
// those of [Run], which the batch must have been begun with.
func Collect(ctx context.Context, client *llmidem.Client, source Source, sink Sink, to Target, opts ...Option) (Summary, error) {
	j, err := newJob(client, source, to, opts)
	if err != nil {
		return Summary{}, err
	}
	if j.retryFailed {
		return Summary{}, errors.New("batch: RetryFailed is for Run: Collect sends nothing")
	}
	j.collect = true
	return j.run(ctx, source, sink)
}

// job is one batch and one start of it.
type job struct {
	options
	client *llmidem.Client
	store  store.Store
	rules  *identity.Rules
	target Target

	in     *input
	digest string
	scope  string
	scoped context.Context // with the scope, for addresses
	index  *index
	first  string // address of the first item
	slow   bool   // quickID does not hold for all lines

	collect bool // from the state alone
	fresh   bool // nothing can be in the state
	shared  bool // others may make items
	sum     Summary
}

func newJob(client *llmidem.Client, source Source, to Target, opts []Option) (*job, error) {
	o, err := newOptions(opts)
	switch {
	case err != nil:
		return nil, err
	case client == nil:
		return nil, errors.New("batch: the client is nil")
	case source.open == nil:
		return nil, errors.New("batch: no source: use batch.FromFile, FromReader, FromItems or FromSeq")
	}
	if err := to.check(); err != nil {
		return nil, err
	}
	return &job{options: o, client: client, rules: client.Provider().Rules, target: to, index: &index{}}, nil
}

func (j *job) run(ctx context.Context, source Source, sink Sink) (_ Summary, err error) {
	j.store = j.client.BatchStore()
	switch {
	case j.store == nil:
		return Summary{}, errors.New("batch: the client keeps answers for a while only; make it with llmidem.New(provider, llmidem.ForBatch(state))")
	case sink.open == nil:
		return Summary{}, errors.New("batch: no sink: use batch.ToFile, ToWriter, ToFunc or ToNowhere")
	}
	j.shared = store.TraitsOf(j.store).Shared
	if err := j.begin(ctx, source); err != nil {
		if ctx.Err() != nil {
			err = fmt.Errorf("%w (%w)", ErrStopped, context.Cause(ctx))
		}
		return Summary{}, errors.Join(err, j.end())
	}
	defer func() { err = errors.Join(err, j.end()) }()
	w, err := sink.open(j)
	if err != nil {
		return Summary{}, err
	}
	j.tally()
	j.progress(j.sum)
	inside, end := j.client.StartBatch(ctx, j.index.n)
	err = newEngine(inside, j, w).run()
	end(err)
	j.progress(j.sum)
	return j.sum, err
}

// begin opens the input and finds out whose state it is. When it returns without an
// error, input and state belong together.
func (j *job) begin(ctx context.Context, source Source) (err error) {
	if j.in, err = source.open(ctx); err != nil {
		return err
	}
	if j.digest, err = j.in.digest(ctx); err != nil {
		return err
	}
	if !j.share {
		j.scope = j.digest
	}
	j.scoped = llmidem.WithCall(ctx, llmidem.Scope(j.scope))
	h, there, err := j.readHeader(ctx)
	if err != nil {
		return err
	}
	known := there && !j.share && (h.Equal == 0 || j.collapse)
	if there {
		own, err := j.header()
		if err != nil {
			return err
		}
		own.First, j.slow = "", h.Slow
		if err := h.compare(own); err != nil {
			return err
		}
	}
	if err := (&survey{job: j, ctx: ctx, known: known}).run(); err != nil {
		return err
	}
	if known {
		j.index.equal = h.Equal
	}
	switch {
	case there:
		own, err := j.header()
		return errors.Join(err, h.compare(own))
	case j.collect:
		return fmt.Errorf("%w: it has no such batch yet; begin it with Run", ErrState)
	}
	j.fresh = !j.share
	return j.writeHeader(ctx)
}

func (j *job) end() error {
	if j.in == nil {
		return nil
	}
	in := j.in
	j.in = nil
	return in.close()
}

// tally counts what the results have already.
func (j *job) tally() {
	j.sum.Items, j.sum.Equal = j.index.n, j.index.equal
	for n := range j.index.n {
		switch {
		case j.index.failed.has(n):
			j.sum.Failed++
		case j.index.done.has(n):
			j.sum.Done++
		default:
			j.sum.Left++
		}
	}
}
