package llmidem

import (
	"io"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// A file that cannot be written or read says so, and never by its name.
func TestSpool_FileFails(t *testing.T) {
	full, err := os.OpenFile("/dev/full", os.O_RDWR, 0)
	if err == nil { // where there is one: a disk that is full
		_, err = newSpool(full, []byte("body"))
		require.ErrorContains(t, err, "no space")
		require.Equal(t, "no space left on device", withoutName(err))
	}
	file, err := newSpoolFile()
	require.NoError(t, err)
	s, err := newSpool(file, []byte(strings.Repeat("body", 1000)))
	require.NoError(t, err)
	r := s.open()
	_, err = io.ReadFull(r, make([]byte, 10))
	require.NoError(t, err)
	require.NoError(t, file.Close()) // the disk is gone
	_, err = r.Read(make([]byte, 10))
	require.ErrorContains(t, err, "cannot be read")
	require.NotContains(t, err.Error(), file.Name())
}

// Readers are apart, and hold the file until they are closed, each once.
func TestSpool_Readers(t *testing.T) {
	file, err := newSpoolFile()
	require.NoError(t, err)
	s, err := newSpool(file, []byte("0123456789"))
	require.NoError(t, err)
	body := snapshot{file: s}
	require.EqualValues(t, 10, body.size())
	a, b := body.open(), body.open()
	part := make([]byte, 4)
	_, err = io.ReadFull(a, part)
	require.NoError(t, err)
	body.release()
	require.NoError(t, a.Close())
	require.NoError(t, a.Close())
	_, err = a.Read(part)
	require.ErrorIs(t, err, errClosedBody)
	text, err := io.ReadAll(b)
	require.NoError(t, err)
	require.Equal(t, "0123456789", string(text))
	require.NoError(t, b.Close())
	_, err = file.Stat()
	require.ErrorIs(t, err, os.ErrClosed)
}
