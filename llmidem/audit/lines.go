package audit

import (
	"bufio"
	"errors"
	"io"
	"sync"
)

// lines reads lines of at most maxLine bytes.
type lines struct {
	in   *bufio.Reader
	long []byte // a line that the buffer of in does not hold
}

var linesPool = sync.Pool{New: func() any { return &lines{in: bufio.NewReaderSize(nil, 64<<10)} }}

// readLines begins to read; whoever calls it must call done.
func readLines(r io.Reader) *lines {
	l := linesPool.Get().(*lines)
	l.in.Reset(r)
	return l
}

func (l *lines) done() {
	l.in.Reset(nil)
	linesPool.Put(l)
}

// errLong comes with the first piece of a line that is longer than any record.
var errLong = errors.New("the line is longer than any record")

// next returns a line with its end, until it is called again; io.EOF comes with a last
// line that has no end, which may be empty.
func (l *lines) next() ([]byte, error) {
	line, err := l.in.ReadSlice('\n')
	if !errors.Is(err, bufio.ErrBufferFull) {
		return line, err
	}
	l.long = l.long[:0]
	for {
		l.long = append(l.long, line...)
		switch {
		case len(l.long) > maxLine:
			return l.long, errLong
		case !errors.Is(err, bufio.ErrBufferFull):
			return l.long, err
		}
		line, err = l.in.ReadSlice('\n')
	}
}
