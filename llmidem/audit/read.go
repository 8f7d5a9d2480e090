package audit

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"os"

	"github.com/llmidem/llmidem-go/llmidem/identity"
)

// Check says what reading a log compares it with. The zero Check follows the chain from
// record 1 to the end of what is read, of a log without an HMAC.
type Check struct {
	// Head is an anchor, as [Log.Head] once returned it: the log must still hold it, so
	// that a tail that was cut off, or a chain that was made anew, is noticed. The zero
	// Head is none.
	Head Head
	// After is where the files ended that are not read since they were moved away:
	// the first record must follow it. The zero Head: the log must begin with record 1.
	After Head
	// Secrets are those of a log with an HMAC, by whose ids its records name them. With
	// any here, a record without an HMAC is a broken one.
	Secrets []Secret
	// Unverified lets records with an HMAC pass for whose id there is no secret: that
	// each names the one before is compared, and what it says is not.
	Unverified bool
}

// Read returns the records of a log, or of its files one after the other, as it reads
// them; what it holds does not grow with their number. A pair with an error is
// the last: a [*BrokenError], [ErrSecret], or the reader's own. Each record was
// compared with its hash and its place before it is given out; what it says is
// not to be trusted further than whoever could write the log.
func Read(r io.Reader, c Check) iter.Seq2[Record, error] {
	return records(oneReader(r), c)
}

// ReadFiles is [Read] of files, in whatever order they are named.
func ReadFiles(paths []string, c Check) iter.Seq2[Record, error] {
	return records(inOrder(paths, c.Secrets), c)
}

// Find is [ReadFiles] of the records with that key alone. The others are verified and
// not decoded, which is several times as fast.
func Find(paths []string, key identity.Key, c Check) iter.Seq2[Record, error] {
	member := appendText(nil, `,"key":`, key.LogString())
	return selected(inOrder(paths, c.Secrets), c, func(line []byte) bool { return bytes.Contains(line, member) })
}

func records(from source, c Check) iter.Seq2[Record, error] {
	return selected(from, c, func([]byte) bool { return true })
}

// errStop ends a walk whose caller has enough.
var errStop = errors.New("stop")

func selected(from source, c Check, wanted func(line []byte) bool) iter.Seq2[Record, error] {
	return func(yield func(Record, error) bool) {
		w := newWalk(c)
		err := w.all(context.Background(), from, func(line []byte, _ shape) error {
			if !wanted(line) {
				return nil
			}
			r, err := decode(line)
			if err != nil {
				return w.at.broken(w.chain.seq, err.Error())
			}
			if !yield(r, nil) {
				return errStop
			}
			return nil
		})
		if err != nil && !errors.Is(err, errStop) {
			yield(Record{}, err)
		}
	}
}

// decode reads the members of a line that has its hash. That does not say who made it.
func decode(line []byte) (r Record, err error) {
	if err := json.Unmarshal(line, &r); err != nil {
		return Record{}, errors.New("the record has its hash, and cannot be read: another program wrote it")
	}
	if k, err := identity.ParseKey(r.Key.String()); err == nil {
		r.Key = k // a UUID in the form that logs have
	}
	r.Time = r.Time.UTC()
	return r, nil
}

// source is the files of a log in their order: each is opened when it is asked for, and
// closed before the next one.
type source iter.Seq2[file, error]

type file struct {
	name string
	io.Reader
}

func oneReader(r io.Reader) source {
	return func(yield func(file, error) bool) { yield(file{"", r}, nil) }
}

func eachFile(paths []string) source {
	return func(yield func(file, error) bool) {
		for _, p := range paths {
			if !oneFile(p, yield) {
				return
			}
		}
	}
}

func oneFile(path string, yield func(file, error) bool) (more bool) {
	f, err := os.Open(path)
	if err != nil {
		yield(file{}, fmt.Errorf("audit: %w", err))
		return false
	}
	defer func() { _ = f.Close() }() // it was read only
	return yield(file{path, f}, nil)
}

// walk goes through a log.
type walk struct {
	check Check
	chain *chain
	at    place
	files int
}

// place is where a line begins.
type place struct {
	file         string
	line, offset int64
}

func (p place) broken(seq uint64, reason string) *BrokenError {
	return &BrokenError{File: p.file, Line: p.line, Offset: p.offset, Sequence: seq, Reason: reason}
}

func newWalk(c Check) *walk {
	w := &walk{check: c, chain: newChain(c.Secrets, c.Unverified, c.After)}
	w.chain.anchor = c.Head
	return w
}

// all visits the lines that follow each other, and returns why one does not.
func (w *walk) all(ctx context.Context, from source, visit func(line []byte, s shape) error) error {
	if h, after := w.check.Head, w.check.After; !h.IsZero() && (h.Sequence < after.Sequence || h.Sequence == after.Sequence && h != after) {
		return fmt.Errorf("audit: the head is of record %d, which is not among those after record %d", h.Sequence, after.Sequence)
	}
	for f, err := range from {
		if err != nil {
			return err
		}
		w.at = place{file: f.name}
		w.files++
		if err := w.one(ctx, f, visit); err != nil {
			return err
		}
	}
	return w.end()
}

// one visits the lines of a file.
func (w *walk) one(ctx context.Context, r io.Reader, visit func(line []byte, s shape) error) error {
	in := readLines(r)
	defer in.done()
	for {
		if w.at.line++; w.at.line%1024 == 0 && ctx.Err() != nil {
			return context.Cause(ctx)
		}
		line, err := in.next()
		switch {
		case err == nil:
		case errors.Is(err, io.EOF) && len(line) == 0:
			return nil
		case errors.Is(err, io.EOF):
			return w.torn(line)
		case errors.Is(err, errLong):
			return w.at.broken(w.chain.seq+1, err.Error())
		default:
			return fmt.Errorf("audit: %w", err) // which names the file
		}
		s, fault, secret := w.chain.next(line)
		if secret != nil {
			return secret
		}
		if fault != "" {
			return w.at.broken(w.chain.seq+1, fault)
		}
		if err := visit(line, s); err != nil {
			return err
		}
		w.at.offset += int64(len(line))
	}
}

// torn is what a last line without an end is: one half written, or one whose end was
// changed into something else.
func (w *walk) torn(line []byte) error {
	e := w.at.broken(w.chain.seq+1, fmt.Sprintf("the file ends %d bytes into the record", len(line)))
	e.Torn = true
	if isChangedEnd(line) {
		e.Torn, e.Reason = false, "the end of the line was changed"
	}
	return e
}

// isChangedEnd reports whether what is at the end of a file was a line but for its last
// byte. A write that was cut short leaves no byte there.
func isChangedEnd(line []byte) bool {
	n := len(line) - 1
	return n > tailLen && string(line[n-2:n]) == `"}` && string(line[n-tailLen+1:n-tailLen+1+len(hashBegin)]) == hashBegin
}

// end is what is wrong with a log that ends here.
func (w *walk) end() error {
	h := w.check.Head
	switch {
	case w.chain.seq < h.Sequence:
		return w.at.broken(w.chain.seq+1, fmt.Sprintf("the log ends here, and the head names record %d: the end was cut off", h.Sequence))
	case !w.chain.begun:
		e := w.at.broken(w.chain.seq+1, "there are no records")
		e.Torn = true
		return e
	}
	return nil
}
