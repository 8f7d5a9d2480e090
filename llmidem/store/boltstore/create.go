package boltstore

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"go.etcd.io/bbolt"
)

// pageSize is that of new files, whatever the machine's: what a commit writes
// grows with it.
const pageSize = 4096

// create makes an empty store. It appears at its path whole and once: a process
// that is killed meanwhile leaves no half of one there, and of two that make it at
// once one makes it. So a file that is empty or cut short is a damaged one.
func create(path string) error {
	dir, base := filepath.Split(path)
	if dir == "" {
		dir = "."
	}
	f, err := os.CreateTemp(dir, base+".new-*") // mode 0600
	if err != nil {
		return err
	}
	made := f.Name()
	defer func() { _ = os.Remove(made) }() // of what may have moved
	if err := f.Close(); err != nil {
		return err
	}
	if err := fill(made); err != nil {
		return err
	}
	if err := publish(made, path); err != nil {
		return err
	}
	return syncDir(dir)
}

// fill writes what an empty store has into an empty file, and syncs it.
func fill(path string) error {
	db, err := bbolt.Open(path, 0o600, &bbolt.Options{PageSize: pageSize, FreelistType: bbolt.FreelistMapType})
	if err != nil {
		return err
	}
	err = db.Update(func(tx *bbolt.Tx) error {
		for _, name := range [][]byte{recordsBucket, flightBucket, bodiesBucket} {
			if _, err := tx.CreateBucket(name); err != nil {
				return err
			}
		}
		head, err := tx.CreateBucket(headBucket)
		if err != nil {
			return err
		}
		return head.Put(headerKey, (&header{}).encode())
	})
	return errors.Join(err, db.Close())
}

// publish gives the file its name, unless another has it by now.
func publish(made, path string) error {
	err := os.Link(made, path)
	if err == nil || errors.Is(err, fs.ErrExist) {
		return nil
	}
	// The file system has no hard links. A rename replaces what another process may
	// have made in this very moment; there is no better way here.
	if _, err := os.Stat(path); err == nil {
		return nil
	}
	return os.Rename(made, path)
}
