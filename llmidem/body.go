package llmidem

import (
	"errors"
	"io"
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
