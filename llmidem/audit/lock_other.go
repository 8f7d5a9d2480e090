//go:build !(linux || darwin || freebsd || netbsd || openbsd || dragonfly || illumos || windows)

package audit

import (
	"errors"
	"fmt"
	"os"
)

// lock fails: two writers would break the chain, and nothing here keeps them apart.
func lock(string) (*os.File, error) {
	return nil, fmt.Errorf("files cannot be locked on this system: %w", errors.ErrUnsupported)
}

func unlock(f *os.File) error { return f.Close() }

func syncDir(string) error { return nil }
