//go:build (linux && !android) || darwin || freebsd || netbsd || openbsd || dragonfly

package batch

import (
	"errors"
	"os"
	"syscall"
)

// lockFile locks a file against other processes, or fails if one has it. A file that
// cannot be locked is not.
func lockFile(f *os.File) error {
	err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	if errors.Is(err, syscall.EWOULDBLOCK) {
		return err
	}
	return nil
}

// replaceFile puts a copy in the place of the file.
func replaceFile(copied *os.File, r *results) error {
	if err := os.Rename(copied.Name(), r.path); err != nil {
		return err
	}
	old := r.file
	r.file = copied
	return old.Close()
}
