package llmidem

import (
	"crypto/tls"
	"net"
	"net/http/httptrace"
	"sync/atomic"
	"time"

	"github.com/llmidem/llmidem-go/llmidem/internal/complete"
	"github.com/llmidem/llmidem-go/llmidem/store"
)

// progress counts the requests of a call.
type progress struct {
	sends   atomic.Int32
	delayed atomic.Int64  // the wait before the next attempt
	begun   atomic.Bool   // a request was given to the transport
	traced  atomic.Bool   // the transport says what it writes
	written atomic.Bool   // it wrote
	held    atomic.Int64  // another client has the claim: what is left of its lease
	lost    atomic.Bool   // the claim: others may be making the call by now
	intent  atomic.Uint64 // its place in the audit log
	audited atomic.Bool   // its outcome is there too, or should be
	spoiled atomic.Bool   // an attachment could not be sent to its end
	tries   tries

	given *complete.Content // of a stream that is asked for again; its one reader's
}

func (p *progress) count() int            { return int(p.sends.Load()) }
func (p *progress) waits(d time.Duration) { p.delayed.Store(int64(d)) }

// sent reports whether anything may have reached the provider.
func (p *progress) sent() bool {
	return p.written.Load() || p.begun.Load() && !p.traced.Load()
}

// doubt is what a record becomes when the call broke off without an answer.
func (p *progress) doubt() store.State {
	if p.sent() {
		return store.Unknown
	}
	return store.Absent
}

// sendState is what the trace of one attempt saw.
type sendState uint8

const (
	sentMaybe   sendState = iota
	sentNothing           // provably
)

// sendTrace watches one attempt.
type sendTrace struct {
	progress *progress
	asked    atomic.Bool // the transport speaks httptrace
	got      atomic.Bool // it had a connection
	wrote    atomic.Bool // it wrote the headers, or a part of them
	conn     atomic.Pointer[countedConn]
	before   atomic.Int64
}

func (t *sendTrace) hooks() *httptrace.ClientTrace {
	t.progress.begun.Store(true)
	return &httptrace.ClientTrace{
		GetConn: func(string) { t.asked.Store(true); t.progress.traced.Store(true) },
		GotConn: func(i httptrace.GotConnInfo) {
			t.got.Store(true)
			if conn := counted(i.Conn); conn != nil {
				t.before.Store(conn.written.Load())
				t.conn.Store(conn)
			}
		},
		WroteHeaders: func() { t.wrote.Store(true); t.progress.written.Store(true) },
	}
}

// state says whether the attempt is known to have written nothing: it never had
// a connection or came to write its headers, or the connection says so itself.
func (t *sendTrace) state() sendState {
	if !t.asked.Load() {
		return sentMaybe
	}
	if !t.got.Load() || !t.wrote.Load() {
		return sentNothing
	}
	if conn := t.conn.Load(); conn != nil && conn.written.Load() == t.before.Load() {
		return sentNothing
	}
	return sentMaybe
}

// counted is the connection of our own transport below an HTTP/1 connection, be it
// one of TLS or, through a proxy that speaks TLS itself, of TLS in TLS. HTTP/2
// shares one among many requests, so there the count says nothing.
func counted(conn net.Conn) *countedConn {
	for {
		t, ok := conn.(*tls.Conn)
		if !ok {
			c, _ := conn.(*countedConn)
			return c
		}
		if t.ConnectionState().NegotiatedProtocol == "h2" {
			return nil
		}
		conn = t.NetConn()
	}
}
