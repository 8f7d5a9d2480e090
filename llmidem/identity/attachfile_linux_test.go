package identity_test

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"syscall"
	"testing"

	"github.com/llmidem/llmidem-go/llmidem/identity"
	"github.com/stretchr/testify/require"
)

// Pipes and devices are told without being opened: opening a pipe waits for a writer.
func TestPipesAndDevicesAreRefused(t *testing.T) {
	pipe := filepath.Join(t.TempDir(), "pipe")
	require.NoError(t, syscall.Mkfifo(pipe, 0o600))
	for _, path := range []string{pipe, "/dev/null", "/dev/zero"} {
		_, err := identity.File(path)
		require.ErrorContains(t, err, "not a regular file", path)
	}
	path := write(t, random(1000))
	a := fileOf(t, path)
	s := identified(t, a)
	require.NoError(t, os.Rename(pipe, path))
	_, err := s.open()
	require.ErrorContains(t, err, "not a regular file")
	require.NotContains(t, err.Error(), "confidential")
}

func TestFileThatMayNotBeRead(t *testing.T) {
	path := write(t, random(1000))
	readable := fileOf(t, path)
	require.NoError(t, os.Chmod(path, 0))
	if os.Getuid() == 0 { // whom no mode stops: the files of this thread are a nobody's
		require.NoError(t, os.Chmod(filepath.Dir(path), 0o755))
		require.NoError(t, os.Chmod(filepath.Dir(filepath.Dir(path)), 0o755))
		done := make(chan error)
		go func() {
			runtime.LockOSThread() // for good: the thread ends with the goroutine
			_, _, _ = syscall.RawSyscall(syscall.SYS_SETFSUID, 65534, 0, 0)
			done <- refusedToRead(path, readable)
		}()
		require.NoError(t, <-done)
		return
	}
	require.NoError(t, refusedToRead(path, readable))
}

// refusedToRead returns what is wrong with how a file is met that may not be read.
func refusedToRead(path string, a *identity.Attachment) error {
	if _, err := identity.File(path); !errors.Is(err, fs.ErrPermission) {
		return fmt.Errorf("making a handle: %w", err)
	}
	_, err := identity.OpenAI().Identify(heldChat(`"`+a.DataURI()+`"`, a), identity.Call{})
	var own *identity.AttachmentError
	if !errors.Is(err, fs.ErrPermission) || !errors.As(err, &own) {
		return fmt.Errorf("identifying: %w", err)
	}
	return nil
}
