package identity_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/llmidem/llmidem-go/llmidem/identity"
	"github.com/stretchr/testify/require"
)

// write makes a file and returns its path.
func write(t testing.TB, content []byte) string {
	path := filepath.Join(t.TempDir(), "confidential.bin")
	require.NoError(t, os.WriteFile(path, content, 0o600))
	return path
}

func fileOf(t testing.TB, path string) *identity.Attachment {
	a, err := identity.File(path)
	require.NoError(t, err)
	return a
}

// sent is a request with one file, identified.
type sent struct {
	body []byte
	doc  identity.Document
}

func identified(t testing.TB, a *identity.Attachment) sent {
	req := heldChat(`"`+a.DataURI()+`"`, a)
	d, err := identity.OpenAI().Identify(req, identity.Call{})
	require.NoError(t, err)
	return sent{req.Body, d}
}

func (s sent) open() (io.ReadCloser, error) {
	return s.doc.Splices().Open(context.Background(), bytes.NewReader(s.body), int64(len(s.body)))
}

// inline is the same request with the content in it.
func inline(a *identity.Attachment, content []byte) string {
	return message(`"data:` + a.MediaType() + `;base64,` + base64.StdEncoding.EncodeToString(content) + `"`)
}

func TestFileIsItsContent(t *testing.T) {
	for _, n := range []int{0, 1, 2, 3, 4, 1000, 96 << 10, 128<<10 + 1, 4<<20 - 1, 4 << 20, 4<<20 + 1, 9 << 20} {
		content := random(n)
		a := fileOf(t, write(t, content))
		sum := sha256.Sum256(content)
		require.Equal(t, "sha256:"+hex.EncodeToString(sum[:]), a.Digest())
		require.Equal(t, int64(n), a.Size())
		require.Equal(t, identity.Bytes(content).MediaType(), a.MediaType())
		s := identified(t, a)
		k, err := identity.Scheme{}.Key(s.doc)
		require.NoError(t, err)
		require.Equal(t, keyOf(t, inline(a, content)), k.String(), n)
		require.True(t, inline(a, content) == string(wire(t, s.doc, s.body)), n)
	}
}

// At a place of base64 an empty string is no attachment, and an empty file neither.
func TestEmptyFileAtAPlaceOfBase64(t *testing.T) {
	a := fileOf(t, write(t, nil))
	req := heldChat(`{"file_data":"`+a.Base64()+`"}`, a)
	d, err := identity.OpenAI().Identify(req, identity.Call{})
	require.NoError(t, err)
	k, err := identity.Scheme{}.Key(d)
	require.NoError(t, err)
	require.Equal(t, keyOf(t, message(`{"file_data":""}`)), k.String())
	require.Equal(t, message(`{"file_data":""}`), string(wire(t, d, req.Body)))
	uri := identified(t, a)
	require.Equal(t, message(`"data:text/plain;charset=utf-8;base64,"`), string(wire(t, uri.doc, uri.body)))
}

func TestRelativePathIsFixed(t *testing.T) {
	path := write(t, []byte("content"))
	t.Chdir(filepath.Dir(path))
	a := fileOf(t, filepath.Base(path))
	t.Chdir(t.TempDir())
	identified(t, a)
}

func TestWhatIsNoFileIsRefused(t *testing.T) {
	dir := t.TempDir()
	_, err := identity.File(dir)
	require.ErrorContains(t, err, "not a regular file")
	_, err = identity.File(filepath.Join(dir, "missing"))
	require.ErrorIs(t, err, fs.ErrNotExist)
	_, err = identity.Files(write(t, nil), filepath.Join(dir, "missing"))
	require.ErrorIs(t, err, fs.ErrNotExist)
	all, err := identity.Files(write(t, []byte("a")), write(t, []byte("b")), write(t, []byte("c")))
	require.NoError(t, err)
	for i, a := range all {
		sum := sha256.Sum256([]byte{byte('a' + i)})
		require.Equal(t, "sha256:"+hex.EncodeToString(sum[:]), a.Digest())
	}
}

// changes are what can happen to a file, and whether it then holds something else.
var changes = map[string]struct {
	do    func(t testing.TB, path string, was []byte)
	other bool
}{
	"overwritten": {func(t testing.TB, path string, was []byte) {
		f, err := os.OpenFile(path, os.O_WRONLY, 0)
		require.NoError(t, err)
		_, err = f.WriteAt([]byte{was[0] + 1}, 0)
		require.NoError(t, err)
		require.NoError(t, f.Close())
	}, true},
	"truncated": {func(t testing.TB, path string, was []byte) {
		require.NoError(t, os.Truncate(path, int64(len(was)/2)))
	}, true},
	"emptied": {func(t testing.TB, path string, _ []byte) { require.NoError(t, os.Truncate(path, 0)) }, true},
	"grown": {func(t testing.TB, path string, _ []byte) {
		f, err := os.OpenFile(path, os.O_WRONLY|os.O_APPEND, 0)
		require.NoError(t, err)
		_, err = f.WriteString("x")
		require.NoError(t, err)
		require.NoError(t, f.Close())
	}, true},
	"replaced": {func(t testing.TB, path string, was []byte) {
		b := bytes.Clone(was)
		b[len(b)-1]++
		require.NoError(t, os.WriteFile(path+".new", b, 0o600))
		require.NoError(t, os.Rename(path+".new", path))
	}, true},
	"deleted": {func(t testing.TB, path string, _ []byte) { require.NoError(t, os.Remove(path)) }, true},
	"touched": {func(t testing.TB, path string, _ []byte) {
		require.NoError(t, os.Chtimes(path, time.Now(), time.Now().Add(-time.Hour)))
	}, false},
	"replaced by its equal": {func(t testing.TB, path string, was []byte) {
		require.NoError(t, os.WriteFile(path+".new", was, 0o600))
		require.NoError(t, os.Rename(path+".new", path))
	}, false},
}

// requireNoPath checks that an error is typed and does not say which file it is.
func requireTyped(t testing.TB, err error, name, path string) {
	t.Helper()
	var own *identity.AttachmentError
	require.ErrorAs(t, err, &own, name)
	require.True(t, errors.Is(err, identity.ErrChanged) || name == "deleted" && errors.Is(err, fs.ErrNotExist), "%s: %v", name, err)
	require.NotContains(t, err.Error(), filepath.Base(path))
}

func TestFileThatChangesBeforeItIsIdentified(t *testing.T) {
	for name, c := range changes {
		content := random(300_000)
		path := write(t, content)
		a := fileOf(t, path)
		old := a.DataURI()
		c.do(t, path, content)
		_, err := identity.OpenAI().Identify(heldChat(`"`+old+`"`, a), identity.Call{})
		if !c.other {
			require.NoError(t, err, name)
			continue
		}
		var r *identity.Refusal
		require.ErrorAs(t, err, &r, name)
		require.Equal(t, identity.CodeBadAttachment, r.Code)
		requireTyped(t, err, name, path)
		if name == "deleted" {
			continue
		}
		now, err := os.ReadFile(path)
		require.NoError(t, err)
		s := identified(t, a) // under its placeholder of now
		require.True(t, inline(a, now) == string(wire(t, s.doc, s.body)), name)
	}
}

func TestFileThatChangesBetweenAttempts(t *testing.T) {
	for name, c := range changes {
		content := random(300_000)
		path := write(t, content)
		a := fileOf(t, path)
		s := identified(t, a)
		wire(t, s.doc, s.body)
		c.do(t, path, content)
		r, err := s.open()
		if !c.other {
			require.NoError(t, err, name)
			b, err := io.ReadAll(r)
			require.NoError(t, err, name)
			require.True(t, inline(a, content) == string(b), name)
			continue
		}
		requireTyped(t, err, name, path)
	}
}

func TestFileThatChangesWhileItIsSent(t *testing.T) {
	for name, c := range changes {
		for _, after := range []int{0, 1, 200, 150_000, 398_000} {
			content := random(300_000)
			path := write(t, content)
			s := identified(t, fileOf(t, path))
			size := s.doc.Splices().Size(int64(len(s.body)))
			r, err := s.open()
			require.NoError(t, err)
			first := make([]byte, after)
			_, err = io.ReadFull(r, first)
			require.NoError(t, err)
			c.do(t, path, content)
			rest, err := io.ReadAll(r)
			if err == nil { // it held the last block before it changed
				require.Equal(t, size, int64(len(first)+len(rest)))
				require.True(t, after == 398_000, name)
				continue
			}
			require.Less(t, int64(len(first)+len(rest)), size-4, "%s after %d", name, after)
			requireTyped(t, err, name, path)
			require.NoError(t, r.Close())
		}
	}
}

func TestSendsOfOneHandleAtTheSameTime(t *testing.T) {
	content := random(2_000_000)
	a := fileOf(t, write(t, content))
	want := inline(a, content)
	var group sync.WaitGroup
	for range 64 {
		group.Go(func() {
			s := identified(t, a)
			r, err := s.open()
			if err != nil {
				t.Error(err)
				return
			}
			defer r.Close()
			if b, err := io.ReadAll(r); err != nil || string(b) != want {
				t.Error(len(b), err)
			}
		})
	}
	group.Wait()
}

// waiting is a reader that lets somebody act while it is read.
type waiting struct {
	io.ReaderAt
	act func()
}

func (w waiting) ReadAt(p []byte, off int64) (int, error) {
	w.act()
	return w.ReaderAt.ReadAt(p, off)
}

func TestSendThatIsGivenUp(t *testing.T) {
	content := random(1_000_000)
	act := func() {}
	a, err := identity.Reader(waiting{bytes.NewReader(content), func() { act() }}, int64(len(content)))
	require.NoError(t, err)
	s := identified(t, a)
	ctx, cancel := context.WithCancel(context.Background())
	r, err := s.doc.Splices().Open(ctx, bytes.NewReader(s.body), int64(len(s.body)))
	require.NoError(t, err)
	_, err = io.ReadFull(r, make([]byte, 500_000))
	require.NoError(t, err)
	cancel()
	_, err = io.ReadAll(r)
	require.ErrorIs(t, err, context.Canceled)

	r, err = s.open()
	require.NoError(t, err)
	act = func() { _ = r.Close() } // as a transport does from another goroutine
	n, err := io.ReadAll(r)
	require.Error(t, err)
	require.Empty(t, n)
	_, err = r.Read(make([]byte, 1))
	require.ErrorContains(t, err, "closed")

	path := write(t, random(9<<20))
	f := fileOf(t, path)
	req := heldChat(`"`+f.DataURI()+`"`, f)
	require.NoError(t, os.Chtimes(path, time.Now(), time.Now().Add(-time.Hour)))
	req.Context = ctx
	_, err = identity.OpenAI().Identify(req, identity.Call{})
	require.ErrorIs(t, err, context.Canceled, "the hashing of a file that changed ends with the call")
}

// A sparse file has a gigabyte and no disk under it; sending it takes no memory.
func TestGigabyte(t *testing.T) {
	path := write(t, nil)
	const size = 1 << 30
	require.NoError(t, os.Truncate(path, size))
	a := fileOf(t, path)
	require.Equal(t, "sha256:49bc20df15e412a64472421e13fe86ff1c5165e18b2afccf160d4dc19fe68a14", a.Digest())
	s := identified(t, a)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	r, err := s.open()
	require.NoError(t, err)
	n, err := io.Copy(io.Discard, struct{ io.Reader }{r})
	require.NoError(t, err)
	require.NoError(t, r.Close())
	runtime.ReadMemStats(&after)
	require.Equal(t, int64(len(message(`""`))+len("data:"+a.MediaType()+";base64,"))+(size+2)/3*4, n)
	require.Equal(t, n, s.doc.Splices().Size(int64(len(s.body))))
	require.Less(t, after.TotalAlloc-before.TotalAlloc, uint64(1<<20))
}

func TestReaderErrorsAreTheCallers(t *testing.T) {
	broken := errors.New("disk on fire")
	fail := false
	at := readerAt(func(p []byte, off int64) (int, error) {
		if fail {
			return 0, broken
		}
		return strings.NewReader(strings.Repeat("a", 100)).ReadAt(p, off)
	})
	a, err := identity.Reader(at, 100)
	require.NoError(t, err)
	s := identified(t, a)
	fail = true
	r, err := s.open()
	require.NoError(t, err)
	_, err = io.ReadAll(r)
	require.ErrorIs(t, err, broken)
	_, err = identity.Reader(at, 100)
	require.ErrorIs(t, err, broken)
}

type readerAt func([]byte, int64) (int, error)

func (f readerAt) ReadAt(p []byte, off int64) (int, error) { return f(p, off) }
