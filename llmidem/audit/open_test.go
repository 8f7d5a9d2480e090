package audit_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/llmidem/llmidem-go/llmidem/audit"
)

// TestA5_SecondProcess: a log that another process has open is refused, and where that
// can be known, the process is named; also under another name of the file.
func TestA5_SecondProcess(t *testing.T) {
	path := logPath(t)
	c := start(t, "hold", path)
	require.Equal(t, "open", c.line(t))
	link := filepath.Join(t.TempDir(), "link.jsonl")
	require.NoError(t, os.Symlink(path, link))
	for _, p := range []string{path, link} {
		_, err := audit.Open(p)
		require.ErrorIs(t, err, audit.ErrLocked)
		if runtime.GOOS == "linux" {
			require.ErrorContains(t, err, fmt.Sprintf("in process %d", c.Process.Pid))
		}
	}
	_, err := verifyLog(t, path, audit.Check{}) // reading needs no lock
	require.NoError(t, err)
	require.NoError(t, c.stdin.Close())
	require.NoError(t, c.Wait())
	l := open(t, link)
	require.Equal(t, path, l.Path())
	_, err = audit.Open(path)
	require.ErrorIs(t, err, audit.ErrLocked, "twice in one process")
	require.NoError(t, l.Close())
	require.NoError(t, l.Close())
	require.NoError(t, open(t, path).Close())
}

func TestOpenRefuses(t *testing.T) {
	dir := t.TempDir()
	_, err := audit.Open(filepath.Join(dir, "no", "audit.jsonl"))
	require.ErrorIs(t, err, fs.ErrNotExist)
	_, err = audit.Open(dir)
	require.ErrorContains(t, err, "no regular file")
	require.NoError(t, os.Symlink(filepath.Join(dir, "nothing"), filepath.Join(dir, "link")))
	_, err = audit.Open(filepath.Join(dir, "link"))
	require.ErrorContains(t, err, "link to nothing")
	path := filepath.Join(dir, "text")
	for _, text := range []string{"some text\nand more\n", "{}\n", `{"v":2,"seq":1}` + "\n", strings.Repeat("\n", 9)} {
		require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
		_, err = audit.Open(path)
		require.ErrorIs(t, err, audit.ErrBroken, text)
		require.ErrorContains(t, err, "move its files away")
		require.Equal(t, text, string(read(t, path)))
	}
}

func TestOptionsAreChecked(t *testing.T) {
	path := logPath(t)
	var zero audit.Secret
	for want, o := range map[string]audit.Option{
		"an Option is nil":                   nil,
		"0 records at a time":                audit.WithSync(audit.SyncGroup(0, 0)),
		"a delay of -1ns":                    audit.WithSync(audit.SyncGroup(-1, 1)),
		"a delay of 0s":                      audit.WithSync(audit.SyncAsync(0, 1)),
		"2000000 records at a time":          audit.WithSync(audit.SyncAsync(1, 2_000_000)),
		"RotateSize(1)":                      audit.RotateSize(1),
		"RotateSize(-1)":                     audit.RotateSize(-1),
		"WithNow(nil)":                       audit.WithNow(nil),
		"WithHMAC with the zero Secret":      audit.WithHMAC(zero),
		"two secrets have the id k1":         audit.WithHMAC(secret(t, "k1"), secret(t, "k1")),
		"WithHashedUsers with the zero Secr": audit.WithHashedUsers(zero),
	} {
		_, err := audit.Open(path, o)
		require.ErrorContains(t, err, want)
	}
	_, err := audit.Open(path, audit.WithPlainUsers(), audit.WithHashedUsers(secret(t, "k1")))
	require.ErrorContains(t, err, "use one of them")
	_, err = os.Stat(path)
	require.ErrorIs(t, err, fs.ErrNotExist)
}

// TestHMAC: whoever has no secret can neither go on with a log nor make one that holds.
func TestHMAC(t *testing.T) {
	path := logPath(t)
	k1, k2 := secret(t, "k1"), secret(t, "k2")
	wrong, err := audit.NewSecret("k1", []byte(strings.Repeat("w", 32)))
	require.NoError(t, err)
	l := open(t, path, audit.WithHMAC(k1))
	call(t, l, 1, audit.OutcomeAnswered)
	require.NoError(t, l.Close())
	for _, opts := range [][]audit.Option{{audit.WithHMAC(wrong)}, {audit.WithHMAC(k2)}} {
		_, err = audit.Open(path, opts...)
		require.ErrorIs(t, err, audit.ErrBroken)
		require.ErrorContains(t, err, "secret")
	}
	_, err = audit.Open(path)
	require.ErrorIs(t, err, audit.ErrSecret)
	require.ErrorContains(t, err, "the secret k1 is needed")
	_, err = verifyLog(t, path, audit.Check{})
	require.ErrorIs(t, err, audit.ErrSecret)
	l = open(t, path, audit.WithHMAC(k2, k1))
	call(t, l, 1, audit.OutcomeAnswered)
	require.NoError(t, l.Close())
	_, err = verifyLog(t, path, audit.Check{Secrets: []audit.Secret{k1, k2}, Head: l.Head()})
	require.NoError(t, err)
	_, err = verifyLog(t, path, audit.Check{Unverified: true, Head: l.Head()})
	require.NoError(t, err)
	_, err = verifyLog(t, path, audit.Check{Secrets: []audit.Secret{k2}})
	require.ErrorIs(t, err, audit.ErrBroken)

	plain := logPath(t)
	require.NoError(t, open(t, plain).Close())
	_, err = audit.Open(plain, audit.WithHMAC(k1))
	require.ErrorContains(t, err, "the record has no HMAC, and every record of this log must have one")
}

func TestSecretsAreNotPrinted(t *testing.T) {
	s, err := audit.NewSecret("k1", []byte(strings.Repeat("hush", 8)))
	require.NoError(t, err)
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%x", "%d"} {
		require.Equal(t, "Secret(k1)", fmt.Sprintf(verb, s))
		require.NotContains(t, fmt.Sprintf(verb, struct{ S *audit.Secret }{&s}), "hush")
	}
	require.Equal(t, "Secret(k1)", s.LogValue().String())
	for _, id := range []string{"", "a b", `"`, strings.Repeat("i", 65)} {
		_, err := audit.NewSecret(id, make([]byte, 32))
		require.Error(t, err)
	}
	_, err = audit.NewSecret("k1", make([]byte, 31))
	require.ErrorContains(t, err, "at least 32")
}

// TestUsers: left out, as they are, or as codes that nobody can make without the secret.
func TestUsers(t *testing.T) {
	s := secret(t, "u1")
	for name, c := range map[string]struct {
		opts       []audit.Option
		user, hash string
	}{
		"left out": {nil, "", ""},
		"plain":    {[]audit.Option{audit.WithPlainUsers()}, "u-42", ""},
		"hashed":   {[]audit.Option{audit.WithHashedUsers(s)}, "", s.HashUser("u-42")},
	} {
		content, _ := sample(t, c.opts...)
		r := decode(t, content)[1]
		require.Equal(t, c.user, r.User, name)
		require.Equal(t, c.hash, r.UserHash, name)
	}
	require.Regexp(t, `^u1:[0-9a-f]{64}$`, s.HashUser("u-42"))
	require.NotEqual(t, s.HashUser("u-42"), s.HashUser("u-43"))
	require.NotEqual(t, s.HashUser("u-42")[3:], secret(t, "u2").HashUser("u-42")[3:])
}

// TestAsyncBound: what is said to be in the log and not on the disk yet is bounded.
func TestAsyncBound(t *testing.T) {
	l := open(t, logPath(t), audit.WithSync(audit.SyncAsync(time.Hour, 4)))
	require.False(t, l.Durable())
	var heads []audit.Head
	for range 12 {
		at, err := l.Append(t.Context(), audit.Record{Kind: audit.KindIntent})
		require.NoError(t, err)
		heads = append(heads, at)
		require.LessOrEqual(t, at.Sequence-l.Head().Sequence, uint64(4))
	}
	require.Contains(t, heads, l.Head())
	require.NotEqual(t, heads[11], l.Head(), "it did not wait for each")
	require.NoError(t, l.Close())
	require.Equal(t, heads[11], l.Head())
}

// TestGroupDelay: a group waits until it is full; who does not want to wait is told
// that the record may be in the log; and it is.
func TestGroupDelay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		path := logPath(t)
		l := open(t, path, audit.WithSync(audit.SyncGroup(time.Hour, 2)))
		ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
		defer cancel()
		_, err := l.Append(ctx, audit.Record{Kind: audit.KindIntent, Model: "late"})
		require.ErrorIs(t, err, audit.ErrInDoubt)
		require.ErrorIs(t, err, context.DeadlineExceeded)
		require.NotErrorIs(t, err, audit.ErrUnusable)
		_, err = l.Append(ctx, audit.Record{Kind: audit.KindIntent, Model: "too late"})
		require.ErrorIs(t, err, context.DeadlineExceeded)
		require.NotErrorIs(t, err, audit.ErrInDoubt)
		_, err = l.Append(t.Context(), audit.Record{Kind: audit.KindIntent, Model: "next"}) // fills the group
		require.NoError(t, err)
		require.NoError(t, l.Close())
		_, err = l.Append(t.Context(), audit.Record{Kind: audit.KindIntent})
		require.ErrorIs(t, err, audit.ErrClosed)
		list := decode(t, read(t, path))
		require.Equal(t, []string{"", "late", "next"}, []string{list[0].Model, list[1].Model, list[2].Model})
	})
}

// TestAsyncDelay: records that never stop coming do not keep those before from the disk,
// and a disk that fails meanwhile is not kept secret.
func TestAsyncDelay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := open(t, memoryPath(t), audit.WithSync(audit.SyncAsync(time.Second, 1000)))
		opened := l.Head()
		first, err := l.Append(t.Context(), audit.Record{Kind: audit.KindIntent})
		require.NoError(t, err)
		require.Equal(t, audit.Head{}, opened, "it waits for the disk like any other")
		time.Sleep(2 * time.Second)
		require.Equal(t, first, l.Head())
		_, err = l.Append(t.Context(), audit.Record{Kind: audit.KindIntent})
		require.NoError(t, err)
		require.NoError(t, l.BreakFile())
		time.Sleep(2 * time.Second)
		_, err = l.Append(t.Context(), audit.Record{Kind: audit.KindIntent})
		require.ErrorIs(t, err, audit.ErrUnusable)
		require.NotErrorIs(t, err, audit.ErrInDoubt)
		require.Equal(t, first, l.Head())
		require.ErrorIs(t, l.Close(), audit.ErrUnusable)
	})
}

// TestFileMovedOrChanged: records do not go where nobody finds them.
func TestFileMovedOrChanged(t *testing.T) {
	for name, do := range map[string]func(path string) error{
		"moved":   func(p string) error { return os.Rename(p, p+".1") },
		"deleted": os.Remove,
		"replaced": func(p string) error {
			return errors.Join(os.Rename(p, p+".1"), os.WriteFile(p, nil, 0o600))
		},
		"cut": func(p string) error { return os.Truncate(p, 10) },
		"written": func(p string) error {
			f, err := os.OpenFile(p, os.O_APPEND|os.O_WRONLY, 0)
			if err != nil {
				return err
			}
			_, err = f.WriteString("x")
			return errors.Join(err, f.Close())
		},
	} {
		path := memoryPath(t)
		l := open(t, path)
		call(t, l, 1, audit.OutcomeAnswered)
		head := l.Head()
		require.NoError(t, do(path), name)
		for range 2 {
			_, err := l.Append(t.Context(), audit.Record{Kind: audit.KindIntent})
			require.ErrorIs(t, err, audit.ErrUnusable, name)
			require.NotErrorIs(t, err, audit.ErrInDoubt, name)
			require.ErrorContains(t, err, "close it and open it again")
		}
		require.Equal(t, head, l.Head())
		require.ErrorIs(t, l.Close(), audit.ErrUnusable)
	}
}

// TestA4_DiskFails: when the disk fails, nobody knows what is on it.
func TestA4_DiskFails(t *testing.T) {
	path := memoryPath(t)
	for _, s := range []audit.Sync{audit.SyncEach(), audit.SyncAsync(time.Millisecond, 10)} {
		l := open(t, path, audit.WithSync(s))
		require.NoError(t, l.BreakFile())
		_, err := l.Append(t.Context(), audit.Record{Kind: audit.KindIntent})
		require.ErrorIs(t, err, audit.ErrUnusable)
		require.ErrorIs(t, err, os.ErrClosed)
		_, err = l.Append(t.Context(), audit.Record{Kind: audit.KindIntent})
		require.ErrorIs(t, err, audit.ErrUnusable)
		require.NotErrorIs(t, err, audit.ErrInDoubt, "nothing was tried")
		require.Error(t, l.Close())
	}
	l := open(t, path)
	require.NoError(t, l.Close())
	_, err := verifyLog(t, path, audit.Check{Head: l.Head()})
	require.NoError(t, err)
}

// TestDiskHangs: who gives up leaves a record that waits, and of these there are not
// more and more.
func TestDiskHangs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		path := memoryPath(t)
		l := open(t, path, audit.WithSync(audit.SyncGroup(time.Hour, 1000)))
		require.True(t, l.Durable())
		l.SetQueue(1000)
		n, err := 0, audit.ErrInDoubt
		for ; errors.Is(err, audit.ErrInDoubt); n++ {
			ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
			_, err = l.Append(ctx, audit.Record{Kind: audit.KindIntent})
			cancel()
		}
		require.ErrorIs(t, err, audit.ErrBehind)
		require.Greater(t, n, 2)
		require.Less(t, n, 10)
		require.NoError(t, l.Close())
		r, err := verifyLog(t, path, audit.Check{Head: l.Head()})
		require.NoError(t, err)
		require.EqualValues(t, n, r.Records, "the one that was refused is not there, and one says that the log was opened")
	})
}
