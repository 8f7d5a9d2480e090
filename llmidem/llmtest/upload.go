package llmtest

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptrace"
	"sync"
)

// An upload is the request body on its way from the client to the handler, which
// reads it. It sees to what net/http sees to: the length that was declared, the
// WroteRequest hook, and that the body is closed in any case.
type upload struct {
	x     *exchange
	body  io.ReadCloser
	left  int64 // bytes still to come, -1 if that is unknown
	close func()
	wrote func(error)
}

func newUpload(r *http.Request, x *exchange) *upload {
	u := &upload{x: x, body: r.Body, left: r.ContentLength}
	if u.body == nil {
		u.body = http.NoBody
	}
	if u.left == 0 && u.body != http.NoBody {
		u.left = -1 // a length of 0 with a body means unknown
	}
	u.close = sync.OnceFunc(func() { _ = u.body.Close() })
	var once sync.Once
	u.wrote = func(err error) {
		once.Do(func() { x.hooks.WroteRequest(httptrace.WroteRequestInfo{Err: err}) })
	}
	return u
}

// begin is called when the headers are written; without a body that is all.
func (u *upload) begin() {
	if u.body == http.NoBody {
		u.wrote(nil)
	}
}

// Read hands the body on. A body that fails makes RoundTrip return its error.
func (u *upload) Read(b []byte) (int, error) {
	if err := u.x.ctx.Err(); err != nil {
		return 0, err
	}
	n, err := u.body.Read(b)
	if u.left >= 0 {
		if u.left -= int64(n); u.left < 0 {
			err = fmt.Errorf("llmtest: ContentLength=%d with a longer body", u.x.client.ContentLength)
		}
	}
	switch {
	case err == io.EOF && u.left > 0:
		err = fmt.Errorf("llmtest: ContentLength=%d with a body %d bytes shorter", u.x.client.ContentLength, u.left)
	case err == io.EOF:
		u.wrote(nil)
		return n, io.EOF
	case err == nil:
		return n, nil
	}
	u.wrote(err)
	u.x.fail(err)
	return 0, err
}

// Close is part of io.ReadCloser.
func (u *upload) Close() error {
	u.close()
	return nil
}
