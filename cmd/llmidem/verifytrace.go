package main

import (
	"net/http/httptrace"
	"sync"
	"time"
)

// A trace is when things happened to one request. Its functions may be nil.
type trace struct {
	wrote func() // called once the request is written
	first func() // called when its response begins

	mu                 sync.Mutex
	dialled, connected time.Time
	wroteAt, firstAt   time.Time
}

// hooks are called from goroutines of net/http, perhaps after the answer is there.
func (t *trace) hooks() *httptrace.ClientTrace {
	mark := func(at *time.Time, then func()) {
		t.mu.Lock()
		once := at.IsZero()
		if once {
			*at = time.Now()
		}
		t.mu.Unlock()
		if once && then != nil {
			then()
		}
	}
	return &httptrace.ClientTrace{
		ConnectStart:         func(string, string) { mark(&t.dialled, nil) },
		ConnectDone:          func(string, string, error) { mark(&t.connected, nil) },
		WroteRequest:         func(httptrace.WroteRequestInfo) { mark(&t.wroteAt, t.wrote) },
		GotFirstResponseByte: func() { mark(&t.firstAt, t.first) },
	}
}

// written reports whether the request was sent.
func (t *trace) written() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return !t.wroteAt.IsZero()
}

// slack is what a request may take to be read beyond the way that it goes.
const slack = 20 * time.Millisecond

// together reports whether two requests were with the service at one time: each was
// written so long before the first of the responses began that it had arrived. How
// long the way is the making of the connection tells.
func together(a, b *trace) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	b.mu.Lock()
	defer b.mu.Unlock()
	if a.wroteAt.IsZero() || b.wroteAt.IsZero() || a.firstAt.IsZero() || b.firstAt.IsZero() {
		return false
	}
	written, began := a.wroteAt, a.firstAt
	if b.wroteAt.After(written) {
		written = b.wroteAt
	}
	if b.firstAt.Before(began) {
		began = b.firstAt
	}
	way := max(a.connected.Sub(a.dialled), b.connected.Sub(b.dialled))
	return began.Sub(written) > 2*way+slack
}
