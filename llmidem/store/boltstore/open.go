package boltstore

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"runtime/debug"
	"time"

	"go.etcd.io/bbolt"
	berrors "go.etcd.io/bbolt/errors"

	"github.com/llmidem/llmidem-go/llmidem/internal/holder"
)

// open sets file and db.
func (s *Store) open() error {
	if _, err := os.Stat(s.path); errors.Is(err, fs.ErrNotExist) {
		if err := create(s.path); err != nil {
			return fmt.Errorf("boltstore: make %s: %w", s.path, err)
		}
	}
	err := guard(func() (err error) {
		s.db, err = bbolt.Open(s.path, 0, &bbolt.Options{
			Timeout:      s.lock,
			FreelistType: bbolt.FreelistMapType,
			NoStatistics: true,
			OpenFile:     s.openFile,
		})
		return err
	})
	if err == nil && !locksEarly {
		if err = s.inspect(s.file); err != nil {
			err = errors.Join(err, s.db.Close())
		}
	}
	switch {
	case err == nil:
		s.db.AllocSize = growth
		return nil
	case errors.Is(err, berrors.ErrTimeout) || errors.Is(err, ErrLocked):
		return fmt.Errorf("%w: %s is open%s: close it there, or use another path; "+
			"processes that share their records need redisstore or pgstore", ErrLocked, s.path, holder.Of(s.path))
	case s.file != nil && isPanic(err): // bbolt has not closed it
		return errors.Join(s.damage(err.Error()), abandon(s.file))
	case errors.Is(err, berrors.ErrInvalid) || errors.Is(err, berrors.ErrChecksum) || errors.Is(err, berrors.ErrVersionMismatch):
		return s.damage(err.Error())
	case errors.Is(err, ErrDamaged):
		return err
	}
	return fmt.Errorf("boltstore: open %s: %w", s.path, err)
}

// growth is by how much the file grows at a time.
const growth = 1 << 20

// openFile is how bbolt opens the file: it must be there, since a new one is made
// whole before, and has been looked through under the lock.
func (s *Store) openFile(path string, flag int, _ os.FileMode) (*os.File, error) {
	deadline := time.Now().Add(s.lock)
	for {
		f, err := os.OpenFile(path, flag&^os.O_CREATE, 0)
		if err != nil {
			return nil, err
		}
		again, err := s.prepare(f, path, time.Until(deadline))
		if err == nil && !again {
			s.file = f
			return f, nil
		}
		if err := errors.Join(err, f.Close()); err != nil {
			return nil, err
		}
	}
}

// prepare locks and inspects a file; again says that it is not the one at that
// path any more: who had the lock before put another in its place.
func (s *Store) prepare(f *os.File, path string, timeout time.Duration) (again bool, err error) {
	if !locksEarly {
		return false, nil
	}
	if err := lock(f, timeout); err != nil {
		return false, err
	}
	own, err := f.Stat()
	if err != nil {
		return false, err
	}
	if now, err := os.Stat(path); err != nil || !os.SameFile(own, now) {
		return err == nil, err
	}
	return false, s.inspect(f)
}

// inspect verifies the file.
func (s *Store) inspect(f *os.File) error {
	info, err := f.Stat()
	if err != nil {
		return err
	}
	if fault := verify(f, info.Size()); fault != "" {
		return s.damage(fault)
	}
	return nil
}

func (s *Store) damage(fault string) error {
	return fmt.Errorf("%w: %s: %s; restore a copy of the file, or move it away to begin anew without its records",
		ErrDamaged, s.path, fault)
}

// panicked is what bbolt, or the memory map below it, panicked with.
type panicked struct{ reason any }

func (p panicked) Error() string { return fmt.Sprintf("bbolt: %v", p.reason) }

func isPanic(err error) bool { return errors.As(err, new(panicked)) }

// guard calls what uses bbolt, and turns its panics into errors, and faults of the
// memory map as well, which would end the process otherwise.
func guard(f func() error) (err error) {
	before := debug.SetPanicOnFault(true)
	defer func() {
		debug.SetPanicOnFault(before)
		if p := recover(); p != nil {
			err = panicked{p}
		}
	}()
	return f()
}
