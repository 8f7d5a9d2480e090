package llmidem

import (
	"bytes"
	"context"
	"errors"
	"io"
	"io/fs"
	"log/slog"
	"net/http"
	"os"
	"strconv"
	"sync"
	"sync/atomic"
)

// spoolAbove is the size of a request body above which it is kept in a file while
// the call waits and is repeated.
const spoolAbove = 1 << 20

// snapshot is the body of a request: the same bytes on every attempt, in memory or
// in a file. Its copies share both. The file is closed, and with that gone, when
// the last one who holds the snapshot has released it.
type snapshot struct {
	data []byte // nil when file is not
	file *spool
}

func (s snapshot) size() int64 {
	if s.file != nil {
		return s.file.size
	}
	return int64(len(s.data))
}

// open is the body for one attempt, which holds the snapshot until it is closed.
func (s snapshot) open() io.ReadCloser {
	if s.file != nil {
		return s.file.open()
	}
	return io.NopCloser(bytes.NewReader(s.data))
}

// reader is the snapshot at any place, for as long as it is held.
func (s snapshot) reader() io.ReaderAt {
	if s.file != nil {
		return spoolAt{s.file.file}
	}
	return bytes.NewReader(s.data)
}

// hold keeps the file until release.
func (s snapshot) hold() {
	if s.file != nil {
		s.file.holds.Add(1)
	}
}

func (s snapshot) release() {
	if s.file != nil {
		s.file.release()
	}
}

// spool is a file with a body. It has no name any more, or loses it when it is
// closed, so that nothing is left behind when the process dies.
type spool struct {
	file  *os.File
	size  int64
	holds atomic.Int32
}

// newSpool writes a body into a file, which is the spool's from then on.
func newSpool(file *os.File, body []byte) (*spool, error) {
	if _, err := file.Write(body); err != nil {
		_ = file.Close() // what was to be kept in it is not
		return nil, err
	}
	s := &spool{file: file, size: int64(len(body))}
	s.holds.Store(1)
	return s, nil
}

func (s *spool) release() {
	if s.holds.Add(-1) == 0 {
		_ = s.file.Close() // it was read for the last time
	}
}

func (s *spool) open() io.ReadCloser {
	s.holds.Add(1)
	return &spoolReader{from: io.NewSectionReader(spoolAt{s.file}, 0, s.size), close: sync.OnceFunc(s.release)}
}

// spoolAt is a spool's file, whose name is in no error.
type spoolAt struct{ file *os.File }

func (f spoolAt) ReadAt(p []byte, off int64) (int, error) {
	n, err := f.file.ReadAt(p, off)
	if err != nil && err != io.EOF {
		err = errors.New("llmidem: the file that keeps the request's body cannot be read: " + withoutName(err))
	}
	return n, err
}

// spoolReader reads a spool from its beginning.
type spoolReader struct {
	from   *io.SectionReader
	close  func()
	closed atomic.Bool
}

func (r *spoolReader) Read(p []byte) (int, error) {
	if r.closed.Load() {
		return 0, errClosedBody
	}
	return r.from.Read(p)
}

// Close ends the reading; a transport may call it while it reads.
func (r *spoolReader) Close() error {
	r.closed.Store(true)
	r.close()
	return nil
}

// withoutName is what is wrong with a file, without saying which.
func withoutName(err error) string {
	var of *fs.PathError
	if errors.As(err, &of) {
		err = of.Err
	}
	return err.Error()
}

// keepBody puts a large body into a file. Where that fails it stays in memory,
// which costs no more than not having tried: a full disk must not cost a call.
func (c *call) keepBody(ctx context.Context) {
	if len(c.body.data) <= spoolAbove {
		return
	}
	file, err := newSpoolFile()
	if err == nil {
		var s *spool
		if s, err = newSpool(file, c.body.data); err == nil {
			c.body = snapshot{file: s}
			return
		}
	}
	c.warnSpool.Do(func() {
		c.log(ctx, levelWarn, "a request body above "+strconv.Itoa(spoolAbove>>20)+" MiB is kept in memory, since no temporary file can be written; "+
			"TMPDIR names the directory for them", slog.String("error", withoutName(err)))
	})
}

// snapshot reads the request's body, which it closes unless it is too large. Then
// what was read of it is before the rest of the body in the request's place.
func (c *Client) snapshot(req *http.Request) (body []byte, rest io.ReadCloser, err error) {
	if req.Body == nil {
		return nil, nil, nil
	}
	length := req.ContentLength
	if length == 0 { // of a request with a body: not known
		length = -1
	}
	body, more, err := readUpTo(req.Body, length, c.cfg.MaxBody)
	if more && err == nil && c.cfg.PassOverMaxBody {
		return nil, &prefixed{Reader: io.MultiReader(bytes.NewReader(body), req.Body), Closer: req.Body}, nil
	}
	defer req.Body.Close()
	switch {
	case err == nil && !more && length > 0 && int64(len(body)) != length, errors.Is(err, io.ErrUnexpectedEOF):
		return nil, nil, invalid("the request's body is not as long as its ContentLength says", err)
	case err != nil:
		return nil, nil, invalid("the request's body cannot be read", err)
	case more:
		return nil, nil, c.overMaxBody("")
	}
	return body, nil, nil
}

func (c *Client) overMaxBody(how string) *Error {
	return invalid("the request's body is "+how+"larger than Config.MaxBody ("+strconv.FormatInt(c.cfg.MaxBody, 10)+
		" bytes); raise it, or let such requests pass with Config.PassOverMaxBody", nil)
}
