package boltstore

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"go.etcd.io/bbolt"
)

// Compact makes the file at path as small as what is in it, less what has expired,
// while nobody has it open. It needs room for another such file beside it, which
// takes the place of the old one when it is whole and on the disk: whenever it is
// interrupted, one of both is there. It opens the file as [Open] does, with its
// options and errors, so that claims that were in flight are in doubt then.
func Compact(ctx context.Context, path string, opts ...Option) error {
	path, err := filepath.EvalSymlinks(path) // it is the file that is replaced; and there must be one
	if err != nil {
		return fmt.Errorf("boltstore: compact: %w", err)
	}
	s, err := Open(path, append(opts[:len(opts):len(opts)], WithSweep(-1))...)
	if err != nil {
		return err
	}
	made, err := s.copySmall(ctx)
	if err == nil {
		err = s.replace(made)
	}
	if made != "" {
		_ = os.Remove(made) // if it has not moved
	}
	if err := errors.Join(err, s.Close()); err != nil {
		return fmt.Errorf("boltstore: compact: %w", err)
	}
	return nil
}

// copyPortion is how many bytes one transaction of a copy writes.
const copyPortion = 4 << 20

// copySmall copies what has not expired into a new file and returns its path.
func (s *Store) copySmall(ctx context.Context) (made string, err error) {
	for next, first := []byte(nil), true; next != nil || first; first = false {
		if next, err = s.sweepOnce(ctx, next); err != nil {
			return "", err
		}
	}
	f, err := os.CreateTemp(filepath.Dir(s.path), filepath.Base(s.path)+".new-*") // mode 0600
	if err != nil {
		return "", err
	}
	made = f.Name()
	if err := f.Close(); err != nil {
		return made, err
	}
	db, err := bbolt.Open(made, 0o600, &bbolt.Options{PageSize: pageSize, FreelistType: bbolt.FreelistMapType})
	if err != nil {
		return made, err
	}
	db.AllocSize = growth
	err = guard(func() error { return bbolt.Compact(db, s.db, copyPortion) })
	return made, errors.Join(err, ctx.Err(), db.Close())
}

// replace puts a file in the place of the store's, which ends the store.
func (s *Store) replace(made string) error {
	old, err := os.Stat(s.path)
	if err != nil {
		return err
	}
	f, err := os.Open(made)
	if err != nil {
		return err
	}
	if err := errors.Join(s.inspect(f), f.Close()); err != nil {
		return err
	}
	if !locksEarly { // a file that is open cannot be replaced here
		if err := s.Close(); err != nil {
			return err
		}
	}
	if err := os.Chmod(made, old.Mode().Perm()); err != nil {
		return err
	}
	if err := os.Rename(made, s.path); err != nil {
		return err
	}
	return syncDir(filepath.Dir(s.path))
}
