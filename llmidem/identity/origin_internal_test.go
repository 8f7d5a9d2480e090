package identity

import (
	"context"
	"io"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func fileWith(t *testing.T, content []byte) (path string, o *origin) {
	path = filepath.Join(t.TempDir(), "f")
	require.NoError(t, os.WriteFile(path, content, 0o600))
	o, err := newFile(path)
	require.NoError(t, err)
	return path, o
}

// A file is hashed once, unless it was touched so shortly before that its times
// would not show a change.
func TestFileIsHashedAgainWhileItsTimesProveNothing(t *testing.T) {
	path, o := fileWith(t, []byte("content"))
	ctx := context.Background()
	first := o.last()
	require.True(t, first.racy, "it was made just now")
	c, err := o.current(ctx, false)
	require.NoError(t, err)
	require.Same(t, first, c, "a placeholder needs no second hash")
	c, err = o.current(ctx, true)
	require.NoError(t, err)
	require.NotSame(t, first, c)
	require.Equal(t, first.sum, c.sum)

	o.now = func() time.Time { return time.Now().Add(settled + time.Second) }
	c, err = o.current(ctx, true)
	require.NoError(t, err)
	require.False(t, c.racy)
	again, err := o.current(ctx, true)
	require.NoError(t, err)
	require.Same(t, c, again, "from here on it is left alone")

	require.NoError(t, os.WriteFile(path, []byte("CONTENT"), 0o600))
	again, err = o.current(ctx, false)
	require.NoError(t, err)
	require.NotEqual(t, c.sum, again.sum)
}

func TestStampsThatProveNothing(t *testing.T) {
	path, _ := fileWith(t, nil)
	info, err := os.Stat(path)
	require.NoError(t, err)
	at := info.ModTime()
	s := stamp{info: info, change: at}
	require.True(t, s.racy(at, at))
	require.True(t, s.racy(at.Add(settled-1), at.Add(settled-1)))
	require.False(t, s.racy(at.Add(settled), at.Add(settled)))
	require.True(t, s.racy(at.Add(-time.Hour), at.Add(-time.Hour)), "a clock that is ahead")
	s.change = at.Add(-time.Hour)
	require.True(t, s.racy(at, at), "of a system without change times")
	require.False(t, s.racy(at.Add(-2*settled), at.Add(-2*settled)), "somebody has set it ahead")
}

// Of many who come at once, one hashes for those who came before it began.
func TestOneHashForAllWhoWait(t *testing.T) {
	_, o := fileWith(t, make([]byte, 1<<20))
	first := o.last()
	const callers = 64
	asked := make(chan struct{}, 2*callers)
	o.now = func() time.Time { asked <- struct{}{}; return time.Now() }
	o.turn <- struct{}{} // until all have come
	found := make(chan *content, callers)
	var group sync.WaitGroup
	for range callers {
		group.Go(func() {
			c, err := o.current(context.Background(), true)
			if err != nil {
				t.Error(err)
			}
			found <- c
		})
	}
	for range callers {
		<-asked
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	_, err := o.current(ctx, true)
	require.ErrorIs(t, err, context.Canceled, "waiting for one's turn ends with the call")
	<-o.turn
	group.Wait()
	c := <-found
	require.NotSame(t, first, c)
	for range callers - 1 {
		require.Same(t, c, <-found)
	}
}

// A file that is cut off behind the back of its mapping is an error, no crash.
func TestFileThatEndsBeforeItsSize(t *testing.T) {
	f, err := os.CreateTemp(t.TempDir(), "f")
	require.NoError(t, err)
	defer f.Close()
	for _, has := range []int64{0, 1, window, window + 5000} {
		require.NoError(t, f.Truncate(has))
		_, err := hashFile(context.Background(), f, 3*window)
		require.ErrorIs(t, err, io.ErrUnexpectedEOF, has)
	}
	require.NoError(t, f.Truncate(3*window))
	c, err := hashFile(context.Background(), f, 3*window)
	require.NoError(t, err)
	plain, err := hashContent(context.Background(), f, 3*window)
	require.NoError(t, err)
	require.Equal(t, plain, c)
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	_, err = hashFile(ctx, f, 3*window)
	require.ErrorIs(t, err, context.Canceled)
}
