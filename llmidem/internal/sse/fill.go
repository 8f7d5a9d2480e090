package sse

import "io"

// fill reads once more, into what is free of the buffer. It makes room first, by
// moving what is left to the beginning or, if that is not much of a gain, by a
// larger buffer.
func (s *Scanner) fill() {
	if s.start > 0 {
		s.move(s.buf)
	}
	if s.end == len(s.buf) {
		s.move(make([]byte, s.size()))
	}
	for range maxEmpty {
		n, err := s.r.Read(s.buf[s.end:])
		if n < 0 || n > len(s.buf)-s.end {
			n, err = 0, errCount
		}
		s.read(n)
		if s.err = err; n > 0 || err != nil {
			return
		}
	}
	s.err = io.ErrNoProgress
}

// size is that of the next buffer. A full one has a line in it that is not over
// yet: twice as much, but no more than tells that the line is too long.
func (s *Scanner) size() int {
	most := max(firstSize, s.max+2) // an LF before it, and a byte too many
	return min(max(firstSize, 2*len(s.buf)), most)
}

// move brings what is left to the beginning of a buffer.
func (s *Scanner) move(to []byte) {
	n := copy(to, s.buf[s.start:s.end])
	s.lf -= s.start
	s.cr -= s.start
	s.buf, s.start, s.end = to, 0, n
}

// read adds n bytes and keeps the places of the terminators: where there was none
// the new bytes are searched, and only they.
func (s *Scanner) read(n int) {
	old := s.end
	s.end += n
	if s.lf >= old {
		s.lf = s.find('\n', old)
	}
	if s.cr >= old && s.format == Events {
		s.cr = s.find('\r', old)
	}
}
