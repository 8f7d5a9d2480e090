package llmidem

import (
	"context"
	"net"
	"net/http"
	"sync/atomic"
	"time"
)

// newTransport is what a client sends through when it is given nothing else: as
// [http.DefaultTransport], with enough idle connections for one host to serve
// the concurrency of a batch, and connections that know whether they wrote.
func newTransport() *http.Transport {
	dialer := &net.Dialer{Timeout: 30 * time.Second, KeepAlive: 30 * time.Second}
	return &http.Transport{
		Proxy: http.ProxyFromEnvironment,
		DialContext: func(ctx context.Context, network, addr string) (net.Conn, error) {
			conn, err := dialer.DialContext(ctx, network, addr)
			if err != nil {
				return nil, err
			}
			return &countedConn{Conn: conn}, nil
		},
		ForceAttemptHTTP2:     true,
		MaxIdleConns:          1024,
		MaxIdleConnsPerHost:   256,
		IdleConnTimeout:       90 * time.Second,
		TLSHandshakeTimeout:   10 * time.Second,
		ExpectContinueTimeout: time.Second,
	}
}

// countedConn counts what was written, so that an attempt on a connection that
// had died is known not to have arrived.
type countedConn struct {
	net.Conn
	written atomic.Int64
}

// Write counts before it writes: what failed half way was written.
func (c *countedConn) Write(b []byte) (int, error) {
	n, err := c.Conn.Write(b)
	c.written.Add(int64(n))
	return n, err
}
