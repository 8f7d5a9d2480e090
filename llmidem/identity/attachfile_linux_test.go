package identity_test

import (
	"errors"
	"fmt"
	"io"
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

// openHere counts the descriptors of this process that are open on a file.
func openHere(t *testing.T, path string) (n int) {
	fds, err := os.ReadDir("/proc/self/fd")
	require.NoError(t, err)
	for _, fd := range fds {
		if to, err := os.Readlink("/proc/self/fd/" + fd.Name()); err == nil && filepath.Clean(to) == path {
			n++
		}
	}
	return n
}

// A file is open while it is read, and however that ends it is closed.
func TestFileIsClosed(t *testing.T) {
	path := write(t, random(9<<20))
	a := fileOf(t, path)
	require.Zero(t, openHere(t, path))
	s := identified(t, a)
	require.Zero(t, openHere(t, path))
	for name, end := range map[string]func(r io.ReadCloser){
		"read":   func(r io.ReadCloser) { _, _ = io.Copy(io.Discard, r) },
		"closed": func(r io.ReadCloser) { _ = r.Close() },
		"changed": func(r io.ReadCloser) {
			_, err := os.Stat(path)
			require.NoError(t, err)
			require.NoError(t, os.Truncate(path, 8<<20))
			_, err = io.Copy(io.Discard, r)
			require.ErrorIs(t, err, identity.ErrChanged)
		},
	} {
		require.NoError(t, os.WriteFile(path, random(9<<20), 0o600))
		r, err := s.open()
		require.NoError(t, err)
		require.Zero(t, openHere(t, path), "what is not read yet")
		_, err = io.ReadFull(r, make([]byte, 1<<20))
		require.NoError(t, err)
		require.Equal(t, 1, openHere(t, path))
		end(r)
		require.Zero(t, openHere(t, path), name)
		require.NoError(t, r.Close())
	}
}
