//go:build !((linux && !android) || darwin || freebsd || netbsd || openbsd || dragonfly)

package boltstore

import (
	"os"
	"time"
)

// locksEarly: here bbolt takes the lock, and the file is verified after bbolt has
// opened it. What bbolt makes of a damaged list of free pages before that is at
// worst a panic, which becomes an error.
const locksEarly = false

func lock(*os.File, time.Duration) error { return nil }

// abandon closes a file that may be mapped still.
func abandon(f *os.File) error { return f.Close() }

// syncDir has nothing to do: directories cannot be synced here.
func syncDir(string) error { return nil }
