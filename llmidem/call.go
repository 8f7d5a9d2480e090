package llmidem

import (
	"context"
	"errors"
	"net/http"
	"sync"

	"github.com/llmidem/llmidem-go/llmidem/store"
)

// Result is the value of a call and what became of it.
type Result[T any] struct {
	// Value is what the function returned.
	Value T
	// Receipt says where the answer came from and what it cost.
	Receipt Receipt
}

// Call calls a method of an SDK whose requests go through a [Client], and says
// what became of it:
//
//	res, err := llmidem.Call(ctx, api.CreateChatCompletion, req, llmidem.User("u-42"))
//
// The error is an *[Error] with the key, and the SDK's own error is in its
// chain. When fn sent nothing through a Client the error is CodeInvalid, beside
// the value: a forgotten wiring must not look like protection. The SDK's own
// retries of a request are the same logical call.
func Call[Req, Resp any](ctx context.Context, fn func(context.Context, Req) (Resp, error), req Req, opts ...CallOption) (Result[Resp], error) {
	ctx, state := withState(ctx, opts)
	state.retries = true
	value, err := fn(ctx, req)
	receipt, err := state.end(err)
	return Result[Resp]{Value: value, Receipt: receipt}, err
}

// Bind fixes the trailing options of a variadic SDK method, so that it fits
// [Call]:
//
//	llmidem.Call(ctx, llmidem.Bind(client.Chat.Completions.New), params)
func Bind[Req, Resp, O any](fn func(context.Context, Req, ...O) (Resp, error), opts ...O) func(context.Context, Req) (Resp, error) {
	return func(ctx context.Context, req Req) (Resp, error) { return fn(ctx, req, opts...) }
}

// WithReceipt is [Call] for SDK methods that do not fit it: requests made with
// the returned context have these options, and the function returns their
// receipt so far. It may be called at any time, also concurrently.
func WithReceipt(ctx context.Context, opts ...CallOption) (context.Context, func() Receipt) {
	ctx, state := withState(ctx, opts)
	return ctx, state.snapshot
}

func withState(ctx context.Context, opts []CallOption) (context.Context, *callState) {
	state := &callState{opts: optionsFrom(ctx, opts)}
	return context.WithValue(ctx, stateKey, state), state
}

// callState collects what the requests of one Call come to.
type callState struct {
	opts callOptions

	mu        sync.Mutex
	passed    int      // requests that are no inference calls
	addresses []string // of the different calls, in order
	receipt   Receipt
	sends     int                  // of the last request
	header    http.Header          // of the last response that is a stream
	failure   *Error               // of the last request, in case the SDK makes its own error of it
	delivered map[place]*answer    // under RecallUndelivered, for the SDK's retries
	retries   bool                 // the SDK may ask again what failed, until the function returns
	numbers   map[[32]byte]*number // inside of a run, by identity
}

// record adds what one request came to.
func (s *callState) record(c *call, ans *answer, e *Error) {
	if s == nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.see(c.address)
	r := c.receipt(ans, e)
	r.Calls, s.sends = len(s.addresses), r.Attempts
	if ans != nil && ans.streamed { // told at its end
		r.Usage, r.Saved = Usage{}, Usage{}
	}
	r.Attempts += s.receipt.Attempts
	r.Usage.add(s.receipt.Usage)
	r.Saved.add(s.receipt.Saved)
	s.receipt = r
	s.failure = e
	if e == nil && ans != nil && ans.failed() {
		s.failure = c.statusError(ans)
	}
	if e == nil && ans != nil && ans.live == nil && c.recallMode == recallOnce {
		if s.delivered == nil {
			s.delivered = map[place]*answer{}
		}
		s.delivered[c.at()] = ans
	}
}

// opened keeps the headers of a stream.
func (s *callState) opened(h http.Header) {
	if s != nil {
		s.mu.Lock()
		s.header = h.Clone()
		s.mu.Unlock()
	}
}

func (s *callState) see(address string) {
	for _, a := range s.addresses {
		if a == address {
			return
		}
	}
	s.addresses = append(s.addresses, address)
}

// place is a record and what it must be the answer to.
type place struct {
	address string
	finger  store.Fingerprint
}

func (c *call) at() place { return place{c.address, c.finger} }

// again returns the answer that an SDK already had of this very call.
func (s *callState) again(c *call) *answer {
	if s == nil {
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.delivered[c.at()]
}

// pass notes a request that is no inference call.
func (s *callState) pass() {
	if s != nil {
		s.mu.Lock()
		s.passed++
		s.mu.Unlock()
	}
}

func (s *callState) snapshot() Receipt {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.receipt
}

// end is the receipt, and the error as Call returns it.
func (s *callState) end(err error) (Receipt, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	err = s.wrap(err)
	s.endNumbers(err != nil)
	return s.receipt, err
}

func (s *callState) wrap(err error) error {
	nothing := len(s.addresses) == 0 && s.passed == 0
	var own *Error
	switch {
	case errors.As(err, &own):
		if e, ok := err.(*Error); ok {
			return e
		}
		wrapped := *own
		wrapped.Err = err
		return &wrapped
	case err == nil && nothing:
		return invalid("the function sent nothing through a llmidem.Client, so nothing protects this call; "+
			"build the SDK with goopenai.New, or give it an *http.Client whose Transport is the llmidem client", nil)
	case err == nil:
		return nil
	case nothing:
		return invalid("the function failed before it sent anything through a llmidem.Client", err)
	}
	e := &Error{Code: CodeFailed, reason: "the SDK could not use the answer"}
	if s.failure != nil {
		*e = *s.failure
	}
	e.Key, e.Address, e.Attempts, e.TraceID = s.receipt.Key, s.receipt.Address, s.receipt.Attempts, s.receipt.TraceID
	e.Err = err
	return e
}
