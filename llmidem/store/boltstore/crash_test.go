package boltstore_test

import (
	"io"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/llmidem/llmidem-go/llmidem/store"
	"github.com/llmidem/llmidem-go/llmidem/store/boltstore"
)

// TestS15_Killed kills a process that writes, again and again: whatever it was told
// to be done is there, and what it had claimed is in doubt.
func TestS15_Killed(t *testing.T) {
	path := file(t)
	claimed, settled := map[string]bool{}, map[string]bool{}
	for range 10 {
		c := start(t, "work", path)
		require.Equal(t, "open", c.line(t))
		for range rand.IntN(400) {
			note(t, c.line(t), claimed, settled)
		}
		require.NoError(t, c.Process.Kill())
		rest, err := io.ReadAll(c.lines)
		require.NoError(t, err)
		for line := range strings.Lines(string(rest)) {
			if strings.HasSuffix(line, "\n") {
				note(t, strings.TrimSpace(line), claimed, settled)
			}
		}
		_ = c.Wait() // it was killed
		s, err := boltstore.Open(path)
		require.NoError(t, err)
		for id := range claimed {
			checkAcknowledged(t, s, id, settled[id])
		}
		require.NoError(t, s.Close())
	}
	require.NotEmpty(t, settled)
}

func note(t *testing.T, line string, claimed, settled map[string]bool) {
	t.Helper()
	what, id, _ := strings.Cut(line, " ")
	switch what {
	case "claimed":
		claimed[id] = true
	case "settled":
		require.True(t, claimed[id])
		settled[id] = true
	default:
		t.Fatal(line)
	}
}

func checkAcknowledged(t *testing.T, s store.Store, id string, settled bool) {
	t.Helper()
	r := get(t, s, id)
	switch {
	case !settled && r.State == store.Unknown:
	case id[0] == '0' || id[0] == '1': // released, or expired by now
		require.Equal(t, store.Absent, r.State, "%s, settled: %v", id, settled)
	default: // if it was not acknowledged it may have been written all the same
		require.Equal(t, store.Completed, r.State, "%s, settled: %v", id, settled)
		require.Equal(t, bodyOf(id), string(r.Body))
	}
}

// TestS15_ReopenedInDoubt: whoever held a claim is gone with the process, or with
// the Close.
func TestS15_ReopenedInDoubt(t *testing.T) {
	path, c := file(t), newClock()
	s := open(t, path, boltstore.WithNow(c.Now))
	held := claim(t, s, "held", time.Hour)
	put(t, s, "taken over", "old", time.Hour)
	taker := store.Claim{Owner: store.NewOwner(), Lease: time.Hour, Takeover: store.TakeSettled}
	_, err := s.Claim(t.Context(), "taken over", taker)
	require.NoError(t, err)
	put(t, s, "settled", "answer", time.Hour)
	put(t, s, "expires", "answer", time.Minute)
	put(t, s, "endless", "", 0)
	require.NoError(t, s.Close())

	c.Advance(time.Minute)
	s = open(t, path, boltstore.WithNow(c.Now))
	r := get(t, s, "held")
	require.Equal(t, store.Record{State: store.Unknown, Owner: held.Owner, Fingerprint: held.Fingerprint}, r)
	require.Equal(t, taker.Owner, get(t, s, "taken over").Owner)
	require.Equal(t, store.Unknown, get(t, s, "taken over").State, "not the answer that it was to replace")
	r = get(t, s, "settled")
	require.Equal(t, "answer", string(r.Body))
	require.Equal(t, time.Minute, r.Age)
	require.Equal(t, time.Hour-time.Minute, r.Left)
	require.Equal(t, store.Absent, get(t, s, "expires").State)
	require.Equal(t, store.Completed, get(t, s, "endless").State)
	require.EqualValues(t, 5, s.Stats().Records, "with the one that has expired and not been swept")

	require.ErrorIs(t, s.Renew(t.Context(), "held", held.Owner, time.Hour), store.ErrLost)
	require.ErrorIs(t, s.Settle(t.Context(), "held", held.Owner, store.Outcome{State: store.Completed}), store.ErrLost)
	again := store.Claim{Owner: store.NewOwner(), Lease: time.Hour, Takeover: store.TakeDoubt}
	r, err = s.Claim(t.Context(), "held", again)
	require.NoError(t, err)
	require.Equal(t, again.Owner, r.Owner)
	require.Equal(t, store.Unknown, r.Prior)
}
