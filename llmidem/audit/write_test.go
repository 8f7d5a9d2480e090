package audit_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/llmidem/llmidem-go/llmidem/audit"
)

// work appends without end, and says what it was told to be in the log.
func work(path string) error {
	l, err := audit.Open(path, audit.RotateSize(8192))
	if err != nil {
		return err
	}
	fmt.Println("open", l.Head())
	var all sync.WaitGroup
	for range 16 {
		all.Go(func() {
			for {
				at, err := l.Append(context.Background(), audit.Record{Kind: audit.KindIntent, Model: strings.Repeat("m", rand.IntN(300))})
				if err != nil {
					fmt.Println("failed:", err)
					return
				}
				fmt.Println("appended", at)
			}
		})
	}
	all.Wait()
	return errors.New("it does not end by itself")
}

// TestA3_Killed kills a process that writes, again and again: the log opens, the chain
// holds, and whatever was said to be in the log is in it.
func TestA3_Killed(t *testing.T) {
	path := logPath(t)
	said := map[string]bool{}
	for range 12 {
		c := start(t, "work", path)
		for range 1 + rand.IntN(300) {
			note(t, c.line(t), said)
		}
		require.NoError(t, c.Process.Kill())
		for {
			line, err := c.lines.ReadString('\n')
			if err != nil {
				break
			}
			note(t, line, said)
		}
		_ = c.Wait() // it was killed
		l := open(t, path, audit.RotateSize(8192))
		require.NoError(t, l.Close())
		_, err := verifyLog(t, path, audit.Check{Head: l.Head()})
		require.NoError(t, err)
	}
	files, err := audit.Files(path)
	require.NoError(t, err)
	require.Greater(t, len(files), 3)
	for r, err := range audit.ReadFiles(files, audit.Check{}) {
		require.NoError(t, err)
		delete(said, r.Head().String())
	}
	require.Empty(t, said)
}

func note(t *testing.T, line string, said map[string]bool) {
	t.Helper()
	what, head, _ := strings.Cut(strings.TrimSpace(line), " ")
	require.Contains(t, []string{"open", "appended"}, what, line)
	_, err := audit.ParseHead(head)
	require.NoError(t, err)
	said[head] = true
}

// TestA3_TornAtEveryByte cuts the file at every byte: it opens, says what it cut, and
// all records before are there.
func TestA3_TornAtEveryByte(t *testing.T) {
	content, _ := sample(t)
	path := memoryPath(t)
	for n := range content {
		torn := content[:n]
		whole := bytes.LastIndexByte(torn, '\n') + 1
		require.NoError(t, os.WriteFile(path, torn, 0o600))
		if n > whole {
			b := broken(t, torn, audit.Check{})
			require.True(t, b.Torn)
			require.EqualValues(t, whole, b.Offset)
		}
		l, err := audit.Open(path)
		require.NoError(t, err, "byte %d", n)
		require.NoError(t, l.Close())
		now, err := os.ReadFile(path)
		require.NoError(t, err)
		require.Equal(t, content[:whole], now[:whole])
		_, err = verify(now, audit.Check{Head: l.Head()})
		require.NoError(t, err)
		checkRecovered(t, now[whole:], torn[whole:], int64(whole))
	}
}

// checkRecovered reads what Open has put behind the records that were whole.
func checkRecovered(t *testing.T, added, cut []byte, offset int64) {
	t.Helper()
	added = added[:len(added):len(added)]
	var kinds []audit.Kind
	for _, r := range decode(t, added) {
		kinds = append(kinds, r.Kind)
		if r.Kind == audit.KindRecovered {
			require.Equal(t, offset, r.Offset)
			require.EqualValues(t, len(cut), r.Length)
			require.Equal(t, audit.Hash(sha256sum(cut)), r.Sum)
		}
	}
	if len(cut) == 0 {
		require.Equal(t, []audit.Kind{audit.KindOpened}, kinds)
	} else {
		require.Equal(t, []audit.Kind{audit.KindRecovered, audit.KindOpened}, kinds)
	}
}

// TestA3_Zeros has an end that the file system filled with zeros, as some do after a
// power cut.
func TestA3_Zeros(t *testing.T) {
	content, _ := sample(t)
	lines := linesOf(content)
	last := len(content) - len(lines[6])
	path := logPath(t)
	for name, c := range map[string]struct {
		content []byte
		torn    bool
	}{
		"the end":            {append(bytes.Clone(content), make([]byte, 4096)...), true},
		"the last record":    {append(bytes.Clone(content[:last]), make([]byte, len(lines[6]))...), true},
		"two megabytes":      {append(bytes.Clone(content), make([]byte, 2<<20)...), true},
		"a hole in it":       {slices.Concat(content[:last+40], make([]byte, 64), content[last+104:]), true},
		"the beginning":      {slices.Concat(content[:last], make([]byte, 3), content[last+3:]), true},
		"a record before":    {slices.Concat(content[:last-64], make([]byte, 64), content[last:]), false},
		"one byte":           {slices.Concat(content[:last+40], make([]byte, 1), content[last+41:]), false},
		"two megabytes of x": {append(bytes.Clone(content), bytes.Repeat([]byte("x"), 2<<20)...), false},
	} {
		require.NoError(t, os.WriteFile(path, c.content, 0o600))
		l, err := audit.Open(path)
		if !c.torn {
			require.ErrorIs(t, err, audit.ErrBroken, name)
			continue
		}
		require.NoError(t, err, name)
		require.NoError(t, l.Close())
		_, err = verifyLog(t, path, audit.Check{Head: l.Head()})
		require.NoError(t, err, name)
	}
}

// TestConcurrentWriters has many goroutines append under each policy: each record is
// in the log once, where its Append said.
func TestConcurrentWriters(t *testing.T) {
	for name, s := range map[string]audit.Sync{
		"each": audit.SyncEach(), "group": audit.SyncGroup(0, 1024), "delay": audit.SyncGroup(time.Millisecond, 8),
		"async": audit.SyncAsync(time.Millisecond, 10), "async one": audit.SyncAsync(time.Hour, 1),
	} {
		t.Run(name, func(t *testing.T) {
			path := logPath(t)
			l := open(t, path, audit.WithSync(s), audit.RotateSize(16<<10))
			var mu sync.Mutex
			heads := map[audit.Head]bool{}
			var all sync.WaitGroup
			for range 32 {
				all.Go(func() {
					for range 10 {
						at, err := l.Append(context.Background(), audit.Record{Kind: audit.KindIntent, Model: "m"})
						if err != nil {
							t.Error(err)
							return
						}
						mu.Lock()
						heads[at] = true
						mu.Unlock()
					}
				})
			}
			all.Wait()
			require.NoError(t, l.Close())
			require.Len(t, heads, 320)
			files, err := audit.Files(path)
			require.NoError(t, err)
			require.Greater(t, len(files), 3)
			last := audit.Head{}
			for r, err := range audit.ReadFiles(files, audit.Check{}) {
				require.NoError(t, err)
				delete(heads, r.Head())
				last = r.Head()
			}
			require.Empty(t, heads)
			require.Equal(t, last, l.Head())
		})
	}
}
