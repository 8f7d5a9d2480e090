package llmidem

import (
	"crypto/rand"
	"os"
	"path/filepath"
	"syscall"
)

const (
	// fileTemporary and deleteOnClose are FILE_ATTRIBUTE_TEMPORARY and
	// FILE_FLAG_DELETE_ON_CLOSE of CreateFile, which package syscall lacks.
	fileTemporary = 0x00000100
	deleteOnClose = 0x04000000
)

// newSpoolFile is a file that only this process has: nobody can open it a second
// time, and Windows removes it with its handle, whatever ends the process.
func newSpoolFile() (*os.File, error) {
	name := filepath.Join(os.TempDir(), "llmidem-"+rand.Text())
	path, err := syscall.UTF16PtrFromString(name)
	if err != nil {
		return nil, err
	}
	const shared = 0
	handle, err := syscall.CreateFile(path, syscall.GENERIC_READ|syscall.GENERIC_WRITE, shared, nil,
		syscall.CREATE_NEW, fileTemporary|deleteOnClose, 0)
	if err != nil {
		return nil, err
	}
	return os.NewFile(uintptr(handle), name), nil
}
