package llmidem

import (
	"context"
	"errors"
	"io"
	"iter"
	"net/http"
	"sync"
)

// Stream is an answer that comes in pieces, and what became of its call. It is
// for one goroutine at a time, but for Receipt and Close. Close it at the end.
type Stream[T any] struct {
	recv  func() (T, error)
	shut  func() error
	state *callState
	once  sync.Once
	err   error // of the closing
	end   error // what Recv returned last, once that was an error
}

// CallStream is [Call] for the methods of an SDK that open a stream:
//
//	stream, err := llmidem.CallStream(ctx, api.CreateChatCompletionStream, req)
//
// T is what the SDK's Recv returns. A stream that was recorded, or that another
// caller is reading, comes event by event from its beginning as if it were asked
// for alone. The error is an *[Error], as of Call; the stream is nil then.
func CallStream[Req any, S interface {
	Recv() (T, error)
	Close() error
}, T any](ctx context.Context, fn func(context.Context, Req) (S, error), req Req, opts ...CallOption) (*Stream[T], error) {
	ctx, state := withState(ctx, opts)
	state.retries = true
	stream, err := fn(ctx, req)
	if _, failed := state.end(err); failed != nil {
		if err == nil {
			_ = stream.Close() // nothing protects it: the caller is told to change that
		}
		return nil, failed
	}
	return &Stream[T]{recv: stream.Recv, shut: stream.Close, state: state}, nil
}

// Recv returns the next piece. At the end of a whole answer the error is [io.EOF],
// else an *[Error]: CodeInterrupted when the answer broke off, where the SDK alone
// would have said io.EOF or nothing. After an error it returns the same one.
func (s *Stream[T]) Recv() (T, error) {
	var none T
	if s.end != nil {
		return none, s.end
	}
	piece, err := s.recv()
	if err == nil {
		return piece, nil
	}
	s.end = err
	_ = s.Close() // the call is over: the receipt is made now
	if !errors.Is(err, io.EOF) {
		_, s.end = s.state.end(err)
	}
	return piece, s.end
}

// All returns the pieces that are still to come, for a range loop, and closes the
// stream after it. An error other than [io.EOF] is the last element.
func (s *Stream[T]) All() iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		defer s.Close()
		for {
			piece, err := s.Recv()
			if errors.Is(err, io.EOF) {
				return
			}
			if !yield(piece, err) || err != nil {
				return
			}
		}
	}
}

// Close ends the reading. What was not read yet of an answer whose choices are not
// all finished is given up, unless others read it or Config.Drain is set. It may
// be called more than once, also while Recv waits.
func (s *Stream[T]) Close() error {
	s.once.Do(func() { s.err = s.shut() })
	return s.err
}

// Receipt says what became of the call so far. After Recv has returned an error it
// is complete. It may be called at any time, also concurrently.
func (s *Stream[T]) Receipt() Receipt { return s.state.snapshot() }

// Header returns a copy of the headers of the response.
func (s *Stream[T]) Header() http.Header {
	s.state.mu.Lock()
	defer s.state.mu.Unlock()
	return s.state.header.Clone()
}
