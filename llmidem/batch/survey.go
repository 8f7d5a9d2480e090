package batch

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/llmidem/llmidem-go/llmidem"
)

// digest is the SHA-256 of the input, in hexadecimal.
func (in *input) digest(ctx context.Context) (string, error) {
	if err := in.rewind(); err != nil {
		return "", err
	}
	h := sha256.New()
	if _, err := io.CopyBuffer(struct{ io.Writer }{h}, &endable{ctx, in.file}, make([]byte, 1<<20)); err != nil {
		return "", fmt.Errorf("batch: read %s: %w", in.name, err)
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}

// endable is a reader that stops with a context.
type endable struct {
	ctx context.Context
	r   io.Reader
}

func (e *endable) Read(p []byte) (int, error) {
	if err := e.ctx.Err(); err != nil {
		return 0, err
	}
	return e.r.Read(p)
}

// survey reads the whole input before anything is sent.
type survey struct {
	*job
	ctx       context.Context
	known     bool // it was found to be good by an earlier start: only ids are read
	addresses []entry
	faults    faults
	each      func(line int64, it *Item) // for a plan; nil for nothing
}

// What is wrong with an input as a whole, or with the form of its lines.
const (
	wrongEmpty = "the input is empty; it has one item a line"
	wrongBOM   = "it begins with a byte order mark; save the file as UTF-8 without one"
	wrongCRLF  = "it ends in CR LF; save the file with LF line ends (of further lines that do, nothing is said)"
	wrongBlank = "it is empty; blank lines may stand at the end only"
)

// run makes the index of the input. The error is an *InputError if it is bad.
func (s *survey) run() error {
	if err := s.in.rewind(); err != nil {
		return err
	}
	l := newLines(&endable{s.ctx, s.in.file}, s.maxLine)
	blank, crlf := int64(0), false
	for n := int64(1); ; n++ {
		line, err := l.next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return fmt.Errorf("batch: read %s: %w", s.in.name, err)
		}
		if n > maxItems {
			return fmt.Errorf("batch: %s has more than %d lines; divide it", s.in.name, int64(maxItems))
		}
		text := line.text
		if bytes.HasSuffix(text, []byte{'\r'}) {
			if !crlf {
				s.faults.add(n, wrongCRLF)
			}
			crlf = true
			text = text[:len(text)-1]
		}
		if text != nil && len(bytes.TrimSpace(text)) == 0 {
			blank = n
			continue
		}
		if blank != 0 {
			s.faults.add(blank, wrongBlank)
			blank = 0
		}
		if err := s.item(n, line.size, text); err != nil {
			return err
		}
	}
	return s.end()
}

// item looks at one line.
func (s *survey) item(n, size int64, text []byte) error {
	if text == nil {
		s.faults.add(n, fmt.Sprintf("it has %d bytes, more than the %d of MaxLine", size, s.maxLine))
		return nil
	}
	if n == 1 && bytes.HasPrefix(text, []byte("\xef\xbb\xbf")) {
		s.faults.add(n, wrongBOM)
		text = text[3:]
	}
	quick, ok := quickID(text)
	if s.known && s.first != "" && !s.slow { // an earlier start has read the rest of it
		if ok {
			s.index.ids = append(s.index.ids, entry{short(quick), uint32(n - 1)})
			return nil
		}
	}
	it, wrong := parse(text, s.rules)
	s.slow = s.slow || ok && quick != it.CustomID
	if it.CustomID != "" {
		s.index.ids = append(s.index.ids, entry{short(it.CustomID), uint32(n - 1)})
	}
	if wrong == "" && s.first == "" || wrong == "" && !s.known {
		address, err := s.client.Address(s.target.request(s.scoped, &it))
		if llmidem.CodeOf(err) == llmidem.CodeInvalid {
			wrong = strings.TrimPrefix(err.Error(), "llmidem: invalid: ")
		} else if err != nil {
			return err
		}
		if s.first == "" {
			s.first = address
		}
		s.addresses = append(s.addresses, entry{short(address), uint32(n - 1)})
	}
	if wrong != "" {
		s.faults.add(n, wrong)
		return nil
	}
	if s.each != nil {
		s.each(n, &it)
	}
	return nil
}

// end finds what is repeated.
func (s *survey) end() error {
	x := s.index
	if len(x.ids) == 0 && s.faults.n == 0 {
		s.faults.add(0, wrongEmpty)
	}
	sortEntries(x.ids)
	repeats(x.ids, func(first, _, n uint32) {
		s.faults.add(int64(n)+1, fmt.Sprintf("custom_id is that of line %d; each is used once", first+1))
	})
	if err := s.faults.of(s.in.name); err != nil {
		return err
	}
	x.n = len(x.ids)
	x.done, x.failed = newBits(x.n), newBits(x.n)
	if !s.known {
		x.count(s.addresses, !s.collapse)
	}
	s.addresses = nil
	return nil
}
