package llmidem

import (
	"bytes"
	"compress/gzip"
	"errors"
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
	switch {
	case length > limit:
		return nil, true, nil
	case length >= 0: // one byte more, so that the end is seen as well
		body = make([]byte, length+1)
		n, err := io.ReadFull(r, body)
		if errors.Is(err, io.ErrUnexpectedEOF) && int64(n) == length || err == io.EOF && length == 0 {
			err = nil
		}
		return body[:n], false, err
	}
	body, err = io.ReadAll(io.LimitReader(r, limit+1))
	return body, int64(len(body)) > limit && err == nil, err
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
