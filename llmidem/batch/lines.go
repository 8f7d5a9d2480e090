package batch

import (
	"bufio"
	"bytes"
	"errors"
	"io"
)

// lines reads lines of bounded length.
type lines struct {
	r    *bufio.Reader
	max  int
	long []byte // a line that is longer than the reader's buffer
}

func newLines(r io.Reader, max int) *lines {
	return &lines{r: bufio.NewReaderSize(r, 256<<10), max: max}
}

// line is one line, without its end. It is valid until the next is read.
type line struct {
	text  []byte // nil if it is too long
	size  int64  // in the input, with its end
	whole bool   // it ends in a newline
}

// next returns the next line; io.EOF after the last. A last line without a newline
// is a line, unless it is empty.
func (l *lines) next() (line, error) {
	part, err := l.r.ReadSlice('\n')
	if err == nil {
		return l.bounded(part[:len(part)-1], int64(len(part)), true), nil
	}
	l.long = l.long[:0]
	size := int64(0)
	for {
		size += int64(len(part))
		if len(l.long) <= l.max { // beyond that the line is only counted
			l.long = append(l.long, part...)
		}
		switch {
		case err == nil:
			return l.bounded(bytes.TrimSuffix(l.long, []byte{'\n'}), size, true), nil
		case errors.Is(err, io.EOF) && size == 0:
			return line{}, io.EOF
		case errors.Is(err, io.EOF):
			return l.bounded(l.long, size, false), nil
		case !errors.Is(err, bufio.ErrBufferFull):
			return line{}, err
		}
		part, err = l.r.ReadSlice('\n')
	}
}

func (l *lines) bounded(text []byte, size int64, whole bool) line {
	if len(text) > l.max {
		text = nil
	}
	return line{text: text, size: size, whole: whole}
}
