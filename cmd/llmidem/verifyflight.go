package main

import (
	"context"
	"time"
)

// cutAfter is how long a written request is left with the service before its
// connection is cut: long enough to be read, and shorter than an answer takes.
const cutAfter = 100 * time.Millisecond

// atOnce sends a new key twice.
func (s *session) atOnce(ctx context.Context) {
	const did = "a new key twice at once"
	if !s.enough("at once", did, 2) {
		return
	}
	key, text := s.form.fresh(), prompt()
	var one, two trace
	done := make(chan outcome, 1)
	go func() { done <- s.traced(ctx, key, text, &one) }()
	b := s.traced(ctx, key, text, &two)
	a := <-done
	got := a.seen() + " and " + b.seen()
	if a.kind == answered {
		got += compared(a, b)
	}
	s.add("at once", did, got, judgeFlight(a, b, together(&one, &two), s.class.result, s.steady))
}

// cut gives a request up when it is written, and sends it again.
func (s *session) cut(ctx context.Context) {
	const did = "a new key, cut off, and sent again"
	if !s.enough("cut", did, 2) {
		return
	}
	key, text := s.form.fresh(), prompt()
	if !s.abandon(ctx, key, text) {
		s.add("cut", did, "-", untold("the request could not be written"))
		return
	}
	o, ran := s.settle(ctx, key, text)
	got := o.seen()
	if ran {
		got = "in use, then " + got
	}
	s.add("cut", did, got, judgeCut(o, s.class.result, s.marks, ran))
}

// abandon sends a request and cuts its connection before its answer is read. false
// means that it was not written.
func (s *session) abandon(ctx context.Context, key, text string) bool {
	ctx, cut := context.WithCancel(ctx)
	defer cut()
	wrote, first, done := make(chan struct{}), make(chan struct{}), make(chan struct{})
	t := trace{wrote: func() { close(wrote) }, first: func() { close(first) }}
	go func() {
		defer close(done)
		s.traced(ctx, key, text, &t)
	}()
	select {
	case <-wrote:
		after := time.NewTimer(cutAfter)
		defer after.Stop()
		select {
		case <-after.C:
		case <-first:
		case <-done:
		}
	case <-done:
	}
	cut()
	<-done
	return t.written()
}
