package audit

import (
	"errors"
	"os"
	"syscall"
)

// syncFile brings a file's content and length to the disk.
func syncFile(f *os.File) error {
	for {
		err := syscall.Fdatasync(int(f.Fd()))
		if !errors.Is(err, syscall.EINTR) {
			return os.NewSyscallError("fdatasync", err)
		}
	}
}
