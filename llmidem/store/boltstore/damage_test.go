package boltstore_test

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.etcd.io/bbolt"

	"github.com/llmidem/llmidem-go/llmidem/store"
	"github.com/llmidem/llmidem-go/llmidem/store/boltstore"
)

// sample is a file with records, and their answers. It has had others.
func sample(t *testing.T) (content []byte, answers map[string]string) {
	t.Helper()
	path := file(t)
	s := open(t, path)
	answers = map[string]string{}
	for i := range 60 {
		id := fmt.Sprintf("%064x", i*i*i*7919)
		answers[id] = strings.Repeat(strconv.Itoa(i), i*i/3)
		put(t, s, id, answers[id], 0)
		c := claim(t, s, id+" gone", time.Hour)
		require.NoError(t, s.Settle(t.Context(), id+" gone", c.Owner, store.Outcome{State: store.Absent}))
	}
	require.NoError(t, s.Close())
	content, err := os.ReadFile(path)
	require.NoError(t, err)
	return content, answers
}

// TestS9_Damaged changes a file everywhere, in every way of these: each record is
// then what it was, or in doubt, or an error.
func TestS9_Damaged(t *testing.T) {
	content, answers := sample(t)
	path := file(t)
	stride := 211
	if v := os.Getenv("BOLTSTORE_TEST_STRIDE"); v != "" { // 1 takes some minutes
		n, err := strconv.Atoi(v)
		require.NoError(t, err)
		stride = n
	}
	var refused, doubtful, right int
	for at := 0; at < len(content); at += stride {
		for _, mask := range []byte{0x01, 0x80, 0xff} {
			content[at] ^= mask
			require.NoError(t, os.WriteFile(path, content, 0o600))
			content[at] ^= mask
			s, err := boltstore.Open(path)
			if err != nil {
				require.ErrorIs(t, err, boltstore.ErrDamaged, "byte %d", at)
				refused++
				continue
			}
			n, err := inDoubt(s, answers)
			require.NoError(t, err, "byte %d ^ %#x", at, mask)
			doubtful += n
			right += len(answers) - n
			require.NoError(t, s.Close())
		}
	}
	t.Logf("%d bytes: opening refused %d times; %d records in doubt, %d right", len(content), refused, doubtful, right)
	require.NotZero(t, refused)
	require.NotZero(t, doubtful)
	require.NotZero(t, right)
}

// inDoubt counts the records that are, and fails over one that is wrong.
func inDoubt(s store.Store, answers map[string]string) (n int, err error) {
	for id, answer := range answers {
		r, err := s.Get(context.Background(), id)
		switch {
		case err != nil:
			return n, err
		case r.State == store.Unknown && (r.Body != nil || r.Fingerprint != store.Fingerprint{} && r.Fingerprint != sampleFingerprint):
			return n, fmt.Errorf("in doubt, and yet %+v", r)
		case r.State == store.Unknown:
			n++
		case r.State != store.Completed || string(r.Body) != answer:
			return n, fmt.Errorf("%s is %v with %.40q", id, r.State, r.Body)
		}
	}
	return n, nil
}

// TestS9_CutShort cuts a file, in whole pages and others.
func TestS9_CutShort(t *testing.T) {
	content, _ := sample(t)
	path := file(t)
	used := bytes.TrimRight(content, "\x00") // the file grows ahead of its use
	for size := 0; size < len(used)-4096; size += 1024 {
		require.NoError(t, os.WriteFile(path, content[:size], 0o600))
		_, err := boltstore.Open(path)
		require.ErrorIs(t, err, boltstore.ErrDamaged, "%d bytes", size)
		require.ErrorContains(t, err, path+": ")
		require.ErrorContains(t, err, "restore a copy of the file, or move it away")
		left, err := os.ReadFile(path)
		require.NoError(t, err)
		require.True(t, bytes.Equal(content[:size], left), "a file that is refused is not changed")
	}
}

// TestS9_NotOurs opens what others made.
func TestS9_NotOurs(t *testing.T) {
	path := file(t)
	require.NoError(t, os.WriteFile(path, bytes.Repeat([]byte("some text\n"), 5000), 0o600))
	_, err := boltstore.Open(path)
	require.ErrorIs(t, err, boltstore.ErrDamaged)

	path = file(t)
	change(t, path, func(tx *bbolt.Tx) error { _, err := tx.CreateBucket([]byte("users")); return err })
	_, err = boltstore.Open(path)
	require.ErrorIs(t, err, boltstore.ErrDamaged)
	require.ErrorContains(t, err, "not made by this package")

	_, err = boltstore.Open(t.TempDir())
	require.Error(t, err)
	require.NotErrorIs(t, err, boltstore.ErrDamaged)
}

// change changes a file by bbolt itself.
func change(t *testing.T, path string, f func(*bbolt.Tx) error) {
	t.Helper()
	db, err := bbolt.Open(path, 0o600, nil)
	require.NoError(t, err)
	require.NoError(t, db.Update(f))
	require.NoError(t, db.Close())
}

// TestS9_DamagedIsTakenOver: a record that cannot be read is in doubt in every
// way, said once, and replaced like any other.
func TestS9_DamagedIsTakenOver(t *testing.T) {
	path := file(t)
	s := open(t, path)
	put(t, s, "a", "answer", time.Hour)
	put(t, s, "b", "answer", time.Hour)
	require.NoError(t, s.Close())
	change(t, path, func(tx *bbolt.Tx) error {
		return tx.Bucket([]byte("records")).Put([]byte("pa"), []byte("something else"))
	})
	var log bytes.Buffer
	s = open(t, path, boltstore.WithLogger(slog.New(slog.NewTextHandler(&log, nil))))
	for range 3 {
		require.Equal(t, store.Record{State: store.Unknown}, get(t, s, "a"))
	}
	require.Equal(t, 1, strings.Count(log.String(), "level=WARN"), log.String())
	require.Contains(t, log.String(), "id=a")
	require.EqualValues(t, 3, s.Stats().Damaged)

	r, err := s.Claim(t.Context(), "a", store.Claim{Owner: store.NewOwner(), Lease: time.Hour})
	require.NoError(t, err)
	require.Equal(t, store.Record{State: store.Unknown}, r)
	c := store.Claim{Owner: store.NewOwner(), Lease: time.Hour, Takeover: store.TakeDoubt}
	r, err = s.Claim(t.Context(), "a", c)
	require.NoError(t, err)
	require.Equal(t, c.Owner, r.Owner)
	require.NoError(t, s.Settle(t.Context(), "a", c.Owner, store.Outcome{State: store.Completed, Body: []byte("new")}))
	require.Equal(t, "new", string(get(t, s, "a").Body))
	require.Equal(t, "answer", string(get(t, s, "b").Body))
	require.NoError(t, s.Close())
	require.Equal(t, "new", string(get(t, open(t, path), "a").Body))
}

// TestS9_HeaderDamaged: without what says what should be there, nothing is known
// to be absent. A file that is refused is not kept open.
func TestS9_HeaderDamaged(t *testing.T) {
	for name, damage := range map[string]func(head *bbolt.Bucket) error{
		"missing": func(head *bbolt.Bucket) error { return head.Delete([]byte("header")) },
		"renamed": func(head *bbolt.Bucket) error {
			v := bytes.Clone(head.Get([]byte("header")))
			if err := head.Delete([]byte("header")); err != nil {
				return err
			}
			return head.Put([]byte("heades"), v)
		},
		"another": func(head *bbolt.Bucket) error { return head.Put([]byte("header"), []byte("something else")) },
	} {
		path := file(t)
		s := open(t, path)
		put(t, s, "a", "answer", 0)
		require.NoError(t, s.Close())
		change(t, path, func(tx *bbolt.Tx) error { return damage(tx.Bucket([]byte("head"))) })
		for range 2 {
			_, err := boltstore.Open(path, boltstore.WithLockTimeout(time.Millisecond))
			require.ErrorIs(t, err, boltstore.ErrDamaged, name)
		}
	}
	path := file(t)
	s := open(t, path)
	put(t, s, "a", "answer", 0)
	require.NoError(t, s.Close())
	change(t, path, func(tx *bbolt.Tx) error { return tx.Bucket([]byte("records")).Delete([]byte("pa")) })
	_, err := boltstore.Open(path)
	require.ErrorIs(t, err, boltstore.ErrDamaged)
	require.ErrorContains(t, err, "it has 0 records and should have 1")
}
