//go:build !((linux && !android) || darwin || freebsd || netbsd || openbsd || dragonfly)

package batch

import (
	"errors"
	"os"
)

// lockFile does nothing: there is no such lock here.
func lockFile(*os.File) error { return nil }

// replaceFile puts a copy in the place of the file. Neither may be open meanwhile.
func replaceFile(copied *os.File, r *results) error {
	if err := errors.Join(copied.Close(), r.file.Close(), os.Rename(copied.Name(), r.path)); err != nil {
		return err
	}
	f, err := os.OpenFile(r.path, os.O_RDWR, 0)
	r.file = f
	return err
}
