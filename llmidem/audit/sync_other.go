//go:build !linux

package audit

import "os"

// syncFile brings a file to the disk.
func syncFile(f *os.File) error { return f.Sync() }
