package audit_test

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/llmidem/llmidem-go/llmidem/audit"
)

// rotatedLog is a log of several files.
func rotatedLog(t testing.TB, opts ...audit.Option) (path string, files []string, head audit.Head) {
	t.Helper()
	path = memoryPath(t)
	l := open(t, path, append([]audit.Option{audit.RotateSize(4096), audit.WithNow(newClock().now)}, opts...)...)
	for i := range 20 {
		call(t, l, i, audit.OutcomeAnswered)
	}
	require.NoError(t, l.Close())
	files, err := audit.Files(path)
	require.NoError(t, err)
	require.Greater(t, len(files), 4)
	return path, files, l.Head()
}

// TestRotateSize: no file is longer than it may be, each but the first begins with the
// name of the one before, and all are one chain, in whatever order they are named.
func TestRotateSize(t *testing.T) {
	path, files, head := rotatedLog(t)
	require.True(t, slices.IsSorted(files))
	require.Equal(t, path, files[len(files)-1])
	seq := uint64(0)
	for i, name := range files {
		content, err := os.ReadFile(name)
		require.NoError(t, err)
		require.LessOrEqual(t, len(content), 4096)
		if i < len(files)-1 {
			require.Greater(t, len(content), 4096-2048, "a file ends when it is full")
		}
		list := decode(t, content)
		require.Equal(t, seq+1, list[0].Sequence)
		seq = list[len(list)-1].Sequence
		if i > 0 {
			require.Equal(t, audit.KindRotated, list[0].Kind)
			require.Equal(t, filepath.Base(files[i-1]), list[0].File)
		}
		info, err := os.Stat(name)
		require.NoError(t, err)
		require.Equal(t, os.FileMode(0o600), info.Mode().Perm())
	}
	for range len(files) {
		files = append(files[1:], files[0])
		r, err := audit.VerifyFiles(t.Context(), files, audit.Check{Head: head})
		require.NoError(t, err)
		require.Equal(t, audit.Report{Records: head.Sequence, Files: len(files), First: 1, Head: head, Begin: r.Begin, End: r.End}, r)
	}
}

// TestA1_AcrossRotation changes, drops and repeats files, and the records at their ends.
func TestA1_AcrossRotation(t *testing.T) {
	_, files, head := rotatedLog(t)
	check := func(names []string, anchored bool) *audit.BrokenError {
		c := audit.Check{}
		if anchored {
			c.Head = head
		}
		_, err := audit.VerifyFiles(t.Context(), names, c)
		var b *audit.BrokenError
		require.ErrorAs(t, err, &b)
		return b
	}
	for i := range files {
		without := slices.Delete(slices.Clone(files), i, i+1)
		b := check(without, true)
		require.Equal(t, decode(t, read(t, files[i]))[0].Sequence, b.Sequence)
		check(slices.Insert(slices.Clone(files), i, files[i]), false)
	}
	for i, name := range files {
		content := read(t, name)
		lines := linesOf(content)
		for at := range lines {
			if i == len(files)-1 && at == len(lines)-1 {
				continue // the end of the log
			}
			dropped := slices.Delete(slices.Clone(lines), at, at+1)
			require.NoError(t, os.WriteFile(name, bytes.Join(dropped, nil), 0o600))
			b := check(files, false)
			require.Equal(t, decode(t, lines[at])[0].Sequence, b.Sequence)
			changed := bytes.Clone(content)
			changed[bytes.Index(content, lines[at])+14] ^= 1 // in the number of the record
			require.NoError(t, os.WriteFile(name, changed, 0o600))
			b = check(files, false)
			require.Equal(t, decode(t, lines[at])[0].Sequence, b.Sequence)
			require.Equal(t, name, b.File)
		}
		require.NoError(t, os.WriteFile(name, content, 0o600))
	}
	_, err := audit.VerifyFiles(t.Context(), files, audit.Check{Head: head})
	require.NoError(t, err)
}

func read(t testing.TB, name string) []byte {
	t.Helper()
	b, err := os.ReadFile(name)
	require.NoError(t, err)
	return b
}

// TestAfter: the first files may be moved away when it is known where they ended.
func TestAfter(t *testing.T) {
	_, files, head := rotatedLog(t)
	moved, err := audit.VerifyFiles(t.Context(), files[:2], audit.Check{})
	require.NoError(t, err)
	rest := audit.Check{After: moved.Head, Head: head}
	r, err := audit.VerifyFiles(t.Context(), files[2:], rest)
	require.NoError(t, err)
	require.Equal(t, moved.Head.Sequence+1, r.First)
	_, err = audit.VerifyFiles(t.Context(), files[2:], audit.Check{})
	require.ErrorContains(t, err, "after "+moved.Head.String()+": the files before it are missing")
	_, err = audit.VerifyFiles(t.Context(), files[1:], rest)
	require.ErrorIs(t, err, audit.ErrBroken)
	other := moved.Head
	other.Hash[0] ^= 1
	_, err = audit.VerifyFiles(t.Context(), files[2:], audit.Check{After: other})
	require.ErrorIs(t, err, audit.ErrBroken)
	_, err = audit.VerifyFiles(t.Context(), files[2:], audit.Check{After: moved.Head, Head: audit.Head{Sequence: 1, Hash: other.Hash}})
	require.ErrorContains(t, err, "not among those after")
	_, err = audit.VerifyFiles(t.Context(), files[2:], audit.Check{After: moved.Head, Head: moved.Head})
	require.NoError(t, err)
}

// TestRotateDaily: a file ends with the day in which it began, by the clock of the log,
// also when the log was closed at midnight, and never for a clock that goes back.
func TestRotateDaily(t *testing.T) {
	path := memoryPath(t)
	c := newClock()
	opts := []audit.Option{audit.RotateDaily(), audit.WithNow(c.now)}
	l := open(t, path, opts...)
	days := func() (days []string) {
		files, err := audit.Files(path)
		require.NoError(t, err)
		for _, f := range files {
			list := decode(t, read(t, f))
			days = append(days, list[0].Time.Format(time.DateOnly))
		}
		return days
	}
	call(t, l, 1, audit.OutcomeAnswered)
	c.at = c.at.Add(24 * time.Hour)
	call(t, l, 2, audit.OutcomeAnswered)
	require.Equal(t, []string{"2026-11-23", "2026-11-24"}, days())
	c.at = c.at.Add(-24 * time.Hour)
	call(t, l, 3, audit.OutcomeAnswered)
	require.Len(t, days(), 2)
	require.NoError(t, l.Close())
	c.at = c.at.Add(72 * time.Hour)
	l = open(t, path, opts...)
	call(t, l, 4, audit.OutcomeAnswered)
	require.Equal(t, []string{"2026-11-23", "2026-11-24", "2026-11-26"}, days())
	require.NoError(t, l.Close())
	_, err := verifyLog(t, path, audit.Check{Head: l.Head()})
	require.NoError(t, err)
}

// TestA3_KilledInRotation: the file was renamed and the next one is not there, or empty,
// or has a piece of its first record.
func TestA3_KilledInRotation(t *testing.T) {
	for name, piece := range map[string]string{"no file": "-", "an empty one": "", "a piece": `{"v":1,"seq":`} {
		path, files, head := rotatedLog(t)
		require.NoError(t, os.Rename(path, files[0][:len(files[0])-len("0000000000000001.jsonl")]+"0000000000000999.jsonl"))
		if piece != "-" {
			require.NoError(t, os.WriteFile(path, []byte(piece), 0o600))
		}
		l := open(t, path)
		require.NoError(t, l.Close())
		_, err := verifyLog(t, path, audit.Check{Head: head})
		require.NoError(t, err, name)
		first := decode(t, read(t, path))[0]
		require.Equal(t, head.Sequence+1, first.Sequence, name)
		require.Equal(t, head.Hash, first.Prev)
		// A file before that is broken is no place to go on from.
		require.NoError(t, os.Remove(path))
		last := files[0][:len(files[0])-len("0000000000000001.jsonl")] + "0000000000000999.jsonl"
		content := read(t, last)
		content[len(content)/2] ^= 1
		require.NoError(t, os.WriteFile(last, content, 0o600))
		_, err = audit.Open(path)
		require.ErrorIs(t, err, audit.ErrBroken)
	}
}

// TestOneBigRecord is longer than a file may be: it has a file to itself, and rotation
// does not go on for ever.
func TestOneBigRecord(t *testing.T) {
	path := memoryPath(t)
	l := open(t, path, audit.RotateSize(4096))
	_, r := callRecords(t, 1, audit.OutcomeAnswered)
	for range 1000 {
		r.Attempts = append(r.Attempts, audit.Attempt{Class: "refused", Status: 409})
	}
	for range 3 {
		_, err := l.Append(context.Background(), r)
		require.NoError(t, err)
	}
	require.NoError(t, l.Close())
	files, err := audit.Files(path)
	require.NoError(t, err)
	require.Len(t, files, 3)
	_, err = verifyLog(t, path, audit.Check{Head: l.Head()})
	require.NoError(t, err)
}

// TestNameTooLong: a file whose other name the system does not take stays the log's, and
// whole.
func TestNameTooLong(t *testing.T) {
	path := filepath.Join(filepath.Dir(memoryPath(t)), strings.Repeat("x", 245))
	l := open(t, path, audit.RotateSize(4096))
	var err error
	for err == nil {
		_, err = l.Append(t.Context(), audit.Record{Kind: audit.KindIntent})
	}
	require.NotErrorIs(t, err, audit.ErrUnusable)
	require.ErrorContains(t, err, "nothing was logged: ")
	_, again := l.Append(t.Context(), audit.Record{Kind: audit.KindIntent})
	require.Equal(t, err, again)
	require.NoError(t, l.Close())
	r, err := verifyLog(t, path, audit.Check{Head: l.Head()})
	require.NoError(t, err)
	require.Equal(t, l.Head(), r.Head)
	l = open(t, path)
	call(t, l, 1, audit.OutcomeAnswered)
}
