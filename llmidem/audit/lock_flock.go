//go:build linux || darwin || freebsd || netbsd || openbsd || dragonfly || illumos

package audit

import (
	"errors"
	"os"
	"syscall"
)

// lock opens the lock file and locks it. The system gives the lock up with the process.
func lock(path string) (*os.File, error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	for {
		err = syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		switch {
		case err == nil:
			return f, nil
		case errors.Is(err, syscall.EINTR):
			continue
		case errors.Is(err, syscall.EWOULDBLOCK):
			err = ErrLocked
		}
		return nil, errors.Join(err, f.Close())
	}
}

// unlock gives the lock up. The file stays: whoever removed it would take the name from
// one who waits with it open.
func unlock(f *os.File) error { return f.Close() }

// syncDir makes the entries of a directory last.
func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	err = d.Sync()
	if errors.Is(err, syscall.EINVAL) { // the file system has no such thing
		err = nil
	}
	return errors.Join(err, d.Close())
}
