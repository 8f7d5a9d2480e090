package batch

import (
	"bufio"
	"errors"
	"io"
	"os"
	"path/filepath"
)

// dropFailed takes the dead letters out: in a copy that takes the place of the file,
// or, where the order matters, by cutting the file off at the first.
func (r *results) dropFailed(j *job) error {
	x := j.index
	first := -1
	for n := range x.n {
		if x.failed.has(n) {
			first = n
			break
		}
	}
	switch {
	case first < 0:
		return nil
	case j.ordered:
		return r.cutAt(j, first)
	}
	tmp, err := os.CreateTemp(filepath.Dir(r.path), "."+filepath.Base(r.path)+".*")
	if err != nil {
		return err
	}
	end, err := r.copyAnswered(tmp)
	err = errors.Join(err, tmp.Sync())
	if info, failed := r.file.Stat(); err == nil && failed == nil {
		err = tmp.Chmod(info.Mode().Perm())
	}
	if err == nil {
		err = lockFile(tmp) // before anybody can find it
	}
	if err == nil {
		err = replaceFile(tmp, r)
	}
	if err != nil {
		return errors.Join(err, tmp.Close(), os.Remove(tmp.Name()))
	}
	r.end = end
	for n := range x.n {
		if x.failed.has(n) {
			x.done.clear(n)
			x.failed.clear(n)
		}
	}
	return nil
}

// copyAnswered writes the lines of items that were answered.
func (r *results) copyAnswered(to *os.File) (size int64, err error) {
	if _, err := r.file.Seek(0, io.SeekStart); err != nil {
		return 0, err
	}
	w := bufio.NewWriterSize(to, 256<<10)
	l := newLines(io.LimitReader(r.file, r.end), maxResult)
	for {
		line, err := l.next()
		if errors.Is(err, io.EOF) {
			return size, w.Flush()
		}
		if err != nil {
			return size, err
		}
		_, ok, err := readLine(line.text)
		if err != nil {
			return size, err
		}
		if !ok {
			continue
		}
		size += line.size
		if _, err := w.Write(append(line.text, '\n')); err != nil {
			return size, err
		}
	}
}

// cutAt cuts the file off before the line of an item, in a file in order.
func (r *results) cutAt(j *job, first int) error {
	x := j.index
	if err := r.inOrder(x); err != nil {
		return err
	}
	if _, err := r.file.Seek(0, io.SeekStart); err != nil {
		return err
	}
	l := newLines(r.file, maxResult)
	at := int64(0)
	for range first {
		line, err := l.next()
		if err != nil {
			return err
		}
		at += line.size
	}
	for n := first; n < x.n; n++ {
		x.done.clear(n)
		x.failed.clear(n)
	}
	r.end = at
	return r.file.Truncate(at)
}
