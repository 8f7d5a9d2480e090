package audit

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/llmidem/llmidem-go/llmidem/internal/holder"
)

// Open opens the log in the file at path for writing, and makes it, readable by its
// owner only, if there is none; the directory must exist. It reads the file to its end
// and compares it with itself, repairs an end that was half written, and adds a record
// of kind [KindOpened]. The error is [ErrLocked], [ErrSecret], a [*BrokenError] for a log
// whose chain does not hold, which stays as it is, the operating system's, or says which
// option is out of range.
func Open(path string, opts ...Option) (*Log, error) {
	c, err := newConfig(opts)
	if err != nil {
		return nil, err
	}
	if path, err = resolve(path); err != nil {
		return nil, fmt.Errorf("audit: open: %w", err)
	}
	l := &Log{config: c, path: path, sums: newSums(c.secrets),
		wake: make(chan struct{}, 1), closing: make(chan struct{})}
	if l.lock, err = lock(path + ".lock"); err != nil {
		if errors.Is(err, ErrLocked) {
			return nil, fmt.Errorf("%w: %s is open%s: close it there, or use another path: a log has one writer",
				ErrLocked, path, holder.Of(path+".lock"))
		}
		return nil, fmt.Errorf("audit: lock %s: %w", path, err)
	}
	if err := l.load(); err != nil {
		return nil, errors.Join(err, l.writer.shut(), unlock(l.lock))
	}
	l.stopped.Go(l.write)
	if _, err := l.append(context.Background(), appendBody(nil, &Record{Kind: KindOpened}), true); err != nil {
		_ = l.Close() // nothing was written that it could lose
		return nil, err
	}
	return l, nil
}

// resolve follows symbolic links, so that a log has one path and one lock, whatever it
// is called.
func resolve(path string) (string, error) {
	real, err := filepath.EvalSymlinks(path)
	if errors.Is(err, fs.ErrNotExist) {
		if _, err := os.Lstat(path); err == nil {
			return "", fmt.Errorf("%s is a symbolic link to nothing", path)
		}
		var dir string
		if dir, err = filepath.EvalSymlinks(filepath.Dir(path)); err == nil {
			real = filepath.Join(dir, filepath.Base(path))
		}
	}
	if err != nil {
		return "", err
	}
	return filepath.Abs(real)
}

// load reads what there is of the log, and repairs its end.
func (l *Log) load() error {
	info, err := os.Lstat(l.path)
	switch {
	case err == nil && !info.Mode().IsRegular():
		return fmt.Errorf("audit: open %s: it is no regular file", l.path)
	case err == nil:
		err = l.loadFile()
	case errors.Is(err, fs.ErrNotExist): // it is made with its first record
		l.writer.done, err = l.before()
	default:
		err = fmt.Errorf("audit: open: %w", err)
	}
	if err != nil {
		return err
	}
	l.next, l.durable = l.writer.done, l.writer.done.head()
	return nil
}

func (l *Log) loadFile() error {
	w := &l.writer
	if err := l.create(0); err != nil {
		return fmt.Errorf("audit: open: %w", err)
	}
	var err error
	w.done, err = l.scan(w.file, l.path)
	var broken *BrokenError
	switch {
	case err == nil && w.done.size > 0:
		// What was read may be in the system's memory only, as after a kill.
		if err = syncFile(w.file); err != nil {
			return fmt.Errorf("audit: open %s: %w", l.path, err)
		}
		return nil
	case errors.As(err, &broken):
		return l.repair(broken)
	case err == nil: // an empty file
		w.done, err = l.before()
	}
	return err
}

// before is what the first record of a file continues: the last one of the newest file
// that was rotated away, or nothing.
func (l *Log) before() (position, error) {
	none := newChain(nil, false, Head{})
	old, err := rotated(l.path)
	if err != nil || len(old) == 0 {
		return position{prev: none.prev}, err
	}
	path := filepath.Join(filepath.Dir(l.path), old[len(old)-1])
	f, err := os.Open(path)
	if err != nil {
		return position{}, fmt.Errorf("audit: open: %w", err)
	}
	defer func() { _ = f.Close() }() // it was read only
	p, err := l.scan(f, path)
	if err == nil && p.size == 0 {
		err = place{file: path, line: 1}.broken(1, "there are no records")
	}
	if err != nil {
		return position{}, refuse(err)
	}
	p.size = 0
	return p, nil
}

// scan follows the chain of one file, from whatever its first record continues, to the
// end or to what is broken.
func (l *Log) scan(f *os.File, name string) (position, error) {
	none := newChain(nil, false, Head{})
	p := position{prev: none.prev}
	after, err := continues(f)
	if err != nil {
		return p, fmt.Errorf("audit: read %s: %w", name, err)
	}
	check := Check{Secrets: l.secrets, After: after}
	w := newWalk(check)
	err = w.all(context.Background(), oneFileReader(f, name), func(line []byte, s shape) error {
		if p.size == 0 {
			p.first, p.day = s.seq, dayOf(timeOf(s.time))
		}
		p.size += int64(len(line))
		return nil
	})
	if w.chain.begun {
		p.seq, p.prev = w.chain.seq, w.chain.prev
	} else if size, sizeErr := f.Seek(0, io.SeekEnd); sizeErr == nil && size == 0 {
		err = nil // there is nothing that could be broken
	}
	return p, err
}

func oneFileReader(r io.Reader, name string) source {
	return func(yield func(file, error) bool) { yield(file{name, r}, nil) }
}

// continues is the place that a file's first record says it follows; the zero Head if the
// first line is none.
func continues(f *os.File) (after Head, err error) {
	in := readLines(io.NewSectionReader(f, 0, maxLine))
	defer in.done()
	line, err := in.next()
	if err != nil {
		if errors.Is(err, io.EOF) || errors.Is(err, errLong) {
			err = nil
		}
		return Head{}, err
	}
	s, fault := shapeOf(line)
	if fault != "" || s.seq <= 1 || after.Hash.UnmarshalText(s.prev) != nil {
		return Head{}, nil
	}
	after.Sequence = s.seq - 1
	return after, nil
}

// refuse says what can be done about a log that is broken.
func refuse(err error) error {
	if !errors.Is(err, ErrBroken) {
		return err
	}
	return fmt.Errorf("%w; the log is left as it is: restore a copy, or move its files away to begin a new one", err)
}

// repair puts a record of what it cuts off in the place of an end that was half
// written, or says what else the matter is.
func (l *Log) repair(broken *BrokenError) error {
	w := &l.writer
	size, err := w.file.Seek(0, io.SeekEnd)
	if err != nil {
		return fmt.Errorf("audit: open %s: %w", l.path, err)
	}
	t, err := readTail(w.file, broken.Offset, size, l.sums)
	if err != nil {
		return fmt.Errorf("audit: open %s: %w", l.path, err)
	}
	if !t.torn {
		broken.Torn = false
		return refuse(broken)
	}
	if w.done.seq == 0 {
		if w.done, err = l.before(); err != nil {
			return err
		}
	}
	g := &group{full: make(chan struct{})}
	l.next = w.done
	l.next.size = broken.Offset
	l.extend(g, l.now(), appendBody(nil, &Record{Kind: KindRecovered, Offset: broken.Offset, Length: t.length, Sum: t.sum}))
	if _, err = w.file.WriteAt(g.buf, broken.Offset); err == nil {
		err = w.file.Truncate(g.after.size)
	}
	if err == nil {
		err = syncFile(w.file)
	}
	if err != nil {
		return fmt.Errorf("audit: repair %s: %w", l.path, err)
	}
	w.done, l.queued = g.after, 0
	return nil
}
