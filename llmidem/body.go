package llmidem

import (
	"bytes"
	"compress/gzip"
	"io"
	"net/http"
	"strings"
	"sync"
)

// closeFunc is a body that does something once when it is at its end or closed.
type closeFunc struct {
	io.ReadCloser
	once sync.Once
	then func()
}

func (c *closeFunc) Read(p []byte) (int, error) {
	n, err := c.ReadCloser.Read(p)
	if err != nil {
		c.once.Do(c.then)
	}
	return n, err
}

func (c *closeFunc) Close() error {
	err := c.ReadCloser.Close()
	c.once.Do(c.then)
	return err
}

// readUpTo reads a body to its end, or past the limit: then more is true.
func readUpTo(r io.Reader, length, limit int64) (body []byte, more bool, err error) {
	if length > limit {
		return nil, true, nil
	}
	var buf bytes.Buffer
	if length > 0 {
		buf.Grow(int(length) + bytes.MinRead)
	}
	n, err := buf.ReadFrom(io.LimitReader(r, limit+1))
	return buf.Bytes(), n > limit && err == nil, err
}

// prefixed is a body of which a part was read already.
type prefixed struct {
	io.Reader
	io.Closer
}

// gunzip undoes a content coding for judging an answer; what the caller gets
// stays as it came. ok is false where there is nothing to undo.
func gunzip(h http.Header, body []byte, limit int64) (plain []byte, ok bool) {
	coding := strings.ToLower(strings.TrimSpace(h.Get("Content-Encoding")))
	if coding == "" || coding == "identity" {
		return nil, false
	}
	if coding != "gzip" && coding != "x-gzip" {
		return nil, true // not to be judged, so not kept
	}
	r, err := gzip.NewReader(bytes.NewReader(body))
	if err != nil {
		return nil, true
	}
	plain, err = io.ReadAll(io.LimitReader(r, limit+1))
	if err != nil || int64(len(plain)) > limit {
		return nil, true
	}
	return plain, true
}
