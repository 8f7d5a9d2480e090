package llmtest

import (
	"errors"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/llmidem/llmidem-go/llmidem"
)

// ServeHTTP answers one request; it is what the listener and the transport in
// memory run. A fault that closes the connection panics with http.ErrAbortHandler,
// as net/http asks for.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if s.ctx.Err() != nil {
		panic(http.ErrAbortHandler) // closed
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, s.cfg.maxBody))
	if tooLarge := (*http.MaxBytesError)(nil); err != nil && !errors.As(err, &tooLarge) {
		panic(http.ErrAbortHandler) // the client went away while it was sending
	}
	if err != nil {
		body = nil
	}
	q := s.newRequest(r, body)
	if err != nil {
		q.call = &call{err: &apiError{status: http.StatusRequestEntityTooLarge, kind: "invalid_request_error", message: "The body is too large."}}
	}
	f, burnt := s.arrive(q)
	d := delivery{server: s, w: w, r: r, q: q, fault: f}
	d.send(s.respond(q, f, burnt))
}

// newRequest reads a request; it gets its number when it arrives.
func (s *Server) newRequest(r *http.Request, body []byte) *Request {
	q := &Request{
		Conn: connOf(r.Context()).id, Proto: r.Proto,
		Method: r.Method, Host: r.Host, Path: r.URL.EscapedPath(), Query: r.URL.RawQuery,
		Header: r.Header.Clone(), Body: body, Key: s.key(r.Header),
	}
	q.dialect = dialectOf(q.Path, q.Header)
	q.call = parseCall(q)
	if c := q.call; c != nil {
		q.Operation, q.Model, q.Stream = c.route.operation, c.model, c.stream
		q.Prompt = strings.Join(c.prompts, "\n")
	}
	return q
}

// arrive enters a request into the ledger and takes its fault. It says whether a
// service of class Reject has seen the key before.
func (s *Server) arrive(q *Request) (f Fault, burnt *keyEntry) {
	s.mu.Lock()
	q.Time, q.Number, q.epoch = time.Now(), len(s.ledger.Requests)+1, s.epoch
	s.ledger.Requests = append(s.ledger.Requests, *q)
	scripted := len(s.queue) > 0
	if scripted {
		f = s.queue[0]
		s.queue = s.queue[1:]
	}
	if s.cfg.keys.Class == llmidem.Reject {
		if burnt = s.remembered(q); burnt == nil {
			s.remember(q, nil, q.Time)
		}
	}
	hook := s.hook
	s.mu.Unlock()
	if !scripted && hook != nil {
		f = hook(q)
	}
	return f, burnt
}

// respond decides the answer: the fault's own, an error, or that of the work.
func (s *Server) respond(q *Request, f Fault, burnt *keyEntry) answer {
	own := f.status != 0
	if f.noWork {
		if !own {
			return answer{}
		}
		return f.answer(q)
	}
	a := s.execute(q, f, burnt)
	if own {
		return f.answer(q)
	}
	return a
}

// execute does what the request asks for, once.
func (s *Server) execute(q *Request, f Fault, burnt *keyEntry) answer {
	switch {
	case q.call == nil:
		return models(q)
	case q.call.err != nil:
		return q.call.err.answer(q)
	}
	if e := s.checkKey(q.Header); e != nil {
		return e.answer(q)
	}
	if burnt != nil {
		return burnt.conflict(q, llmidem.Reject).answer(q)
	}
	r, replayed, refusal := s.work(q, f)
	if refusal != nil {
		return refusal.answer(q)
	}
	a := r.damaged(f).render().spoil(f, q)
	if replayed {
		a.header = http.Header{"Idempotent-Replayed": {"true"}}
	}
	return a
}
