package llmtest

import (
	"context"
	"crypto/tls"
	"net"
	"time"
)

// A conn is the connection that a request came on.
type conn struct {
	id   int64
	conn net.Conn // nil in memory
}

type connKey struct{}

// newConn numbers a connection and puts it into the context of its requests.
func (s *Server) newConn(ctx context.Context, c net.Conn) context.Context {
	s.mu.Lock()
	s.conns++
	id := s.conns
	s.mu.Unlock()
	return context.WithValue(ctx, connKey{}, &conn{id, c})
}

func connOf(ctx context.Context) *conn {
	if c, ok := ctx.Value(connKey{}).(*conn); ok {
		return c
	}
	return &conn{}
}

// reset closes the connection below TLS, so that no close_notify makes an orderly
// end of it, and with a reset where the system has one.
func (c *conn) reset() {
	raw := c.conn
	if raw == nil {
		return
	}
	if t, ok := raw.(*tls.Conn); ok {
		raw = t.NetConn()
	}
	if t, ok := raw.(*net.TCPConn); ok {
		_ = t.SetLinger(0) // without it the end is a FIN, which is a fault as well
	}
	_ = raw.Close()
}

// memoryConn is the connection that httptrace hooks are shown for a request in
// memory: it has addresses and carries nothing.
type memoryConn struct{}

type memoryAddr struct{}

func (memoryAddr) Network() string { return "memory" }
func (memoryAddr) String() string  { return "llmtest" }

func (memoryConn) Read([]byte) (int, error)         { return 0, net.ErrClosed }
func (memoryConn) Write([]byte) (int, error)        { return 0, net.ErrClosed }
func (memoryConn) Close() error                     { return nil }
func (memoryConn) LocalAddr() net.Addr              { return memoryAddr{} }
func (memoryConn) RemoteAddr() net.Addr             { return memoryAddr{} }
func (memoryConn) SetDeadline(time.Time) error      { return nil }
func (memoryConn) SetReadDeadline(time.Time) error  { return nil }
func (memoryConn) SetWriteDeadline(time.Time) error { return nil }
