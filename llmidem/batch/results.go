package batch

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
)

// results is a file of results.
type results struct {
	path  string
	file  *os.File
	end   int64 // of the last line that is whole
	last  int   // the item of that line
	mixed bool  // the lines are not in the order of the input
}

// openResults opens the file, mends it, and marks in the index what it has.
func openResults(path string, j *job) (_ *results, err error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o666)
	if err != nil {
		return nil, fmt.Errorf("batch: the results: %w", err)
	}
	if info, err := f.Stat(); err != nil || !info.Mode().IsRegular() {
		return nil, errors.Join(fmt.Errorf("batch: the results: %s is no file that could be gone on with; use ToWriter", path), err, f.Close())
	}
	r := &results{path: path, file: f, last: -1}
	defer func() {
		if err != nil {
			err = errors.Join(err, r.file.Close())
		}
	}()
	if err := lockFile(f); err != nil {
		return nil, fmt.Errorf("batch: the results: %s is being written by another process; give each one a file of its own (%w)", path, err)
	}
	if err := r.read(j); err != nil {
		return nil, err
	}
	if j.retryFailed {
		if err := r.dropFailed(j); err != nil {
			return nil, fmt.Errorf("batch: take the dead letters out of %s: %w", path, err)
		}
	}
	if j.ordered {
		if err := r.inOrder(j.index); err != nil {
			return nil, err
		}
	}
	_, err = r.file.Seek(r.end, io.SeekStart)
	return r, err
}

// maxResult is the longest line that is read as a result.
const maxResult = 1<<31 - 2

// read reads the lines that are there and cuts off a torn one.
func (r *results) read(j *job) error {
	l := newLines(r.file, maxResult)
	for n := int64(1); ; n++ {
		line, err := l.next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("batch: read %s: %w", r.path, err)
		}
		if !line.whole {
			return r.mend(j, n, line)
		}
		item, err := j.mark(line.text)
		if err != nil {
			return r.foreign(n, err)
		}
		r.mixed = r.mixed || item < r.last
		r.end, r.last = r.end+line.size, item
	}
}

// foreign is the error about a line that is no result of this batch.
func (r *results) foreign(n int64, why error) error {
	return fmt.Errorf("batch: line %d of %s %w; write to another file, or delete this one if it was the batch's: "+
		"the results are written anew from the state", n, r.path, why)
}

// mend cuts off a last line without an end, if it is what a killed process or a
// power failure left of a result.
func (r *results) mend(j *job, n int64, last line) error {
	begin := []byte(lineID + idPrefix)
	zero := len(bytes.Trim(last.text, "\x00")) == 0
	if !zero && !bytes.HasPrefix(last.text, begin) && !bytes.HasPrefix(begin, last.text) {
		return r.foreign(n, errForeign)
	}
	if err := r.file.Truncate(r.end); err != nil {
		return fmt.Errorf("batch: cut the torn last line off %s: %w", r.path, err)
	}
	j.sum.Mended = last.size
	return nil
}

var (
	errForeign = errors.New("is no result")
	errOther   = errors.New("is of an item that this input does not have")
	errTwice   = errors.New("is of an item that an earlier line is of")
)

// mark marks the item of a result line as done.
func (j *job) mark(text []byte) (item int, err error) {
	id, ok, err := readLine(text)
	if err != nil {
		return 0, err
	}
	n, found := j.index.find(id)
	switch {
	case !found:
		return 0, errOther
	case j.index.done.has(n):
		return 0, errTwice
	}
	j.index.done.set(n)
	if !ok {
		j.index.failed.set(n)
	}
	return n, nil
}

// readLine reads the custom id of a result line, and whether the item was answered.
func readLine(text []byte) (customID string, answered bool, err error) {
	rest, ok := bytes.CutPrefix(text, []byte(lineID+idPrefix))
	if !ok || !json.Valid(text) {
		return "", false, errForeign
	}
	at := idLength - len(idPrefix)
	if len(rest) < at || !bytes.HasPrefix(rest[at:], []byte(lineCustom)) {
		return "", false, errForeign
	}
	rest = rest[at+len(lineCustom):]
	end := endOfString(rest)
	if end < 0 || !bytes.HasPrefix(rest[end:], []byte(lineResponse)) || json.Unmarshal(rest[:end], &customID) != nil {
		return "", false, errForeign
	}
	rest = rest[end+len(lineResponse):]
	return customID, bytes.HasPrefix(rest, []byte(lineOK)) && bytes.HasSuffix(rest, []byte(lineEnd)), nil
}

// endOfString is where a JSON string at the start of text ends, -1 if it does not.
func endOfString(text []byte) int {
	if len(text) == 0 || text[0] != '"' {
		return -1
	}
	for i := 1; i < len(text); i++ {
		switch text[i] {
		case '\\':
			i++
		case '"':
			return i + 1
		}
	}
	return -1
}

// inOrder checks that the lines are those of the beginning of the input, in order.
func (r *results) inOrder(x *index) error {
	gap, mixed := false, r.mixed
	for n := range x.n {
		mixed = mixed || gap && x.done.has(n)
		gap = gap || !x.done.has(n)
	}
	if mixed {
		return fmt.Errorf("batch: %s was not written in order, or has a gap; leave Ordered out, or delete the file: "+
			"the results are written anew from the state", r.path)
	}
	return nil
}

// write appends lines. When the disk is full, what was written of the last one is
// cut off again.
func (r *results) write(list []output) error {
	var b []byte
	if len(list) == 1 {
		b = list[0].line
	} else {
		for _, o := range list {
			b = append(b, o.line...)
		}
	}
	n, err := r.file.Write(b)
	if err == nil {
		r.end += int64(n)
		return nil
	}
	whole := int64(0)
	if n > 0 {
		whole = int64(strings.LastIndexByte(string(b[:n]), '\n') + 1)
	}
	r.end += whole
	cut := r.file.Truncate(r.end)
	return errors.Join(fmt.Errorf("batch: write the results: %w; what was answered is in the state: make room and start again", err), cut)
}

func (r *results) sync() error {
	if err := r.file.Sync(); err != nil {
		return fmt.Errorf("batch: sync the results: %w", err)
	}
	return nil
}

func (r *results) close() error { return r.file.Close() }
