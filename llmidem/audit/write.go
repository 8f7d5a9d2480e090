package audit

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"time"
)

// writer is what only the goroutine that writes uses.
type writer struct {
	file     *os.File // nil between the rename of one and the creation of the next
	info     os.FileInfo
	done     position // what is in the file
	unsynced int      // how many records of it may not be on the disk
	entry    bool     // the file's name is on the disk
}

// write is the goroutine that writes, until Close.
func (l *Log) write() {
	var due <-chan time.Time // of SyncAsync: when what it left must go to the disk
	for open := true; open; {
		select {
		case <-l.wake:
		case <-l.closing:
			open = false
		case <-due:
			due = l.flushed()
		}
		for g := l.take(); g != nil; g = l.take() {
			l.commit(g)
			select { // records may never stop coming
			case <-due:
				due = l.flushed()
			default:
			}
			if due == nil && l.writer.unsynced > 0 {
				due = time.After(l.sync.delay)
			}
			// Those who were waiting run first, and may join the next group: else two
			// halves of them take turns, and each waits for the other's write too.
			runtime.Gosched()
		}
	}
	l.flush()
}

// flushed flushes; nothing is due then.
func (l *Log) flushed() <-chan time.Time {
	l.flush()
	return nil
}

// take returns the group that is next, once it has waited for others to join, or nil.
func (l *Log) take() *group {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.groups) == 0 {
		return nil
	}
	g := l.groups[0]
	if l.sync.delay > 0 && !l.sync.async && !g.isFull() {
		l.mu.Unlock()
		timer := time.NewTimer(l.sync.delay)
		select {
		case <-timer.C:
		case <-g.full:
		case <-l.closing:
		}
		timer.Stop()
		l.mu.Lock()
	}
	l.groups = l.groups[1:]
	return g
}

// commit writes a group and tells those who wait.
func (l *Log) commit(g *group) {
	err := l.fault()
	if err == nil {
		err = l.put(g)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.queued -= len(g.buf)
	if err == nil {
		if l.writer.unsynced == 0 {
			l.durable = l.writer.done.head()
		}
		l.spare = g.buf
		close(g.done)
		return
	}
	g.fail(err)
	// What was made meanwhile continues records that are not in the file.
	if errors.Is(err, ErrUnusable) {
		l.broken = unusable(errors.Unwrap(err))
		err = l.broken
	}
	for _, behind := range l.groups {
		behind.fail(err)
	}
	l.groups, l.queued, l.next = nil, 0, l.writer.done
}

func (g *group) fail(err error) {
	g.err = err
	close(g.done)
}

// put writes a group behind what is in the file, which stays as it is if that fails.
func (l *Log) put(g *group) error {
	w := &l.writer
	if g.rotate && w.done.size > 0 {
		if err := l.retire(); err != nil {
			return err
		}
	}
	if err := l.ready(); err != nil {
		return err
	}
	if _, err := w.file.WriteAt(g.buf, w.done.size); err != nil {
		if cut := w.file.Truncate(w.done.size); cut != nil {
			return inDoubt(errors.Join(err, cut))
		}
		return fmt.Errorf("audit: nothing was logged: %w", err)
	}
	w.done = g.after
	w.unsynced += g.n
	if l.sync.async && w.unsynced <= l.sync.records {
		return nil
	}
	return l.bring()
}

// bring has all records on the disk. When it fails nobody knows which are: the system
// may have dropped what it could not write and say nothing the next time.
func (l *Log) bring() error {
	if err := syncFile(l.writer.file); err != nil {
		return inDoubt(err)
	}
	l.writer.unsynced = 0
	return nil
}

// flush has what SyncAsync left on the disk.
func (l *Log) flush() {
	if l.writer.unsynced == 0 || l.fault() != nil {
		return
	}
	err := l.bring()
	l.mu.Lock()
	defer l.mu.Unlock()
	if err != nil {
		l.broken = unusable(errors.Unwrap(err))
		return
	}
	l.durable = l.writer.done.head()
}

// unusable is why no more records are taken.
func unusable(cause error) error { return &fatal{cause, false} }

// inDoubt is that for a record of which a part may be in the log.
func inDoubt(cause error) error { return &fatal{cause, true} }

type fatal struct {
	cause error
	doubt bool
}

func (e *fatal) Error() string {
	if e.doubt {
		return fmt.Sprintf("%v, and %v", ErrInDoubt, e.cause)
	}
	return fmt.Sprintf("%v: %v; close it and open it again", ErrUnusable, e.cause)
}

func (e *fatal) Unwrap() error { return e.cause }

func (e *fatal) Is(target error) bool {
	return target == ErrUnusable || e.doubt && target == ErrInDoubt
}

// ready has the file open, and at its path what it has written there and nothing else:
// records that went into a file that was moved or deleted would be nowhere.
func (l *Log) ready() error {
	w := &l.writer
	if w.file == nil {
		if err := l.create(os.O_EXCL); err != nil {
			return fmt.Errorf("audit: nothing was logged: %w", err)
		}
	}
	if !w.entry {
		if err := syncDir(filepath.Dir(l.path)); err != nil {
			return fmt.Errorf("audit: nothing was logged: %w", err)
		}
		w.entry = true
	}
	now, err := os.Lstat(l.path)
	switch {
	case err != nil:
		return unusable(err)
	case !os.SameFile(now, w.info):
		return unusable(fmt.Errorf("%s is another file by now", l.path))
	case now.Size() != w.done.size:
		return unusable(fmt.Errorf("%s has %d bytes and not %d: another program has written to it", l.path, now.Size(), w.done.size))
	}
	return nil
}

// create opens the file, which it makes if there is none.
func (l *Log) create(flag int) error {
	w := &l.writer
	f, err := os.OpenFile(l.path, os.O_RDWR|os.O_CREATE|flag, 0o600)
	if err != nil {
		return err
	}
	info, err := f.Stat()
	if err != nil {
		return errors.Join(err, f.Close())
	}
	w.file, w.info, w.entry = f, info, false
	return nil
}

// retire gives the file its other name. It is whole on the disk before.
func (l *Log) retire() error {
	w := &l.writer
	name := filepath.Join(filepath.Dir(l.path), rotatedName(l.path, w.done.first))
	if _, err := os.Lstat(name); err == nil {
		return fmt.Errorf("audit: nothing was logged: %s is to be called %s, which there is already; move that away", l.path, name)
	}
	if err := l.ready(); err != nil {
		return err
	}
	if err := l.bring(); err != nil {
		return err
	}
	if err := w.shut(); err != nil { // not every system renames an open file
		return unusable(err)
	}
	err := os.Rename(l.path, name)
	if err == nil {
		w.done.size = 0
		return nil
	}
	if again := l.create(0); again != nil {
		return unusable(errors.Join(err, again))
	}
	return fmt.Errorf("audit: nothing was logged: %w", err)
}

// shut closes the file.
func (w *writer) shut() error {
	if w.file == nil {
		return nil
	}
	err := w.file.Close()
	w.file = nil
	return err
}
