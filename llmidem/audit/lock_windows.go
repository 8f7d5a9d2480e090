package audit

import (
	"errors"
	"os"
	"syscall"
)

// sharingViolation is what Windows says of a file that is open and not shared.
const sharingViolation = syscall.Errno(32)

// lock opens the lock file such that nobody else can. The system closes it with the
// process.
func lock(path string) (*os.File, error) {
	name, err := syscall.UTF16PtrFromString(path)
	if err != nil {
		return nil, err
	}
	h, err := syscall.CreateFile(name, syscall.GENERIC_READ|syscall.GENERIC_WRITE, 0, nil, syscall.OPEN_ALWAYS, syscall.FILE_ATTRIBUTE_NORMAL, 0)
	switch {
	case errors.Is(err, sharingViolation):
		return nil, ErrLocked
	case err != nil:
		return nil, &os.PathError{Op: "open", Path: path, Err: err}
	}
	return os.NewFile(uintptr(h), path), nil
}

// unlock gives the lock up.
func unlock(f *os.File) error { return f.Close() }

// syncDir has nothing to do: directories cannot be synced here.
func syncDir(string) error { return nil }
