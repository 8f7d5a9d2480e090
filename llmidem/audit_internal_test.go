package llmidem

import (
	"context"
	"errors"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/llmidem/llmidem-go/llmidem/audit"
	"github.com/llmidem/llmidem-go/llmidem/store"
)

var errDiskFull = errors.New("no space left on device")

// failing is a log that fails for one kind of record.
type failing struct {
	auditLog
	kind audit.Kind
}

func (f *failing) Append(ctx context.Context, r audit.Record) (audit.Head, error) {
	if r.Kind == f.kind {
		return audit.Head{}, errDiskFull
	}
	return f.auditLog.Append(ctx, r)
}

// failingLog puts a log that fails under a client.
func failingLog(t *testing.T, kind audit.Kind, finance bool) (*Client, *failing, *int) {
	t.Helper()
	log, err := audit.Open(filepath.Join(t.TempDir(), "audit.jsonl"))
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, log.Close()) })
	memory, err := store.NewMemory(store.MemoryConfig{})
	require.NoError(t, err)
	opts := []Option{WithAudit(log)}
	if finance {
		opts = []Option{ForFinance([16]byte{1, 2, 3, 4, 5, 6, 0x47, 8, 0x89, 10, 11, 12, 13, 14, 15, 16}, log)}
	}
	c, _, sends := faultClient(t, append(opts, WithStore(lasting{memory}), WithTenant("t"))...)
	f := &failing{auditLog: c.audit, kind: kind}
	c.audit = f
	return c, f, sends
}

func chatAs(t *testing.T, c *Client) (Receipt, string, error) {
	t.Helper()
	return chatWith(t, c, User("u"))
}

// A4: a log that is full: finance fails closed, others go on.
func TestA4_IntentCannotBeWritten(t *testing.T) {
	c, f, sends := failingLog(t, audit.KindIntent, true)
	_, _, err := chatAs(t, c)
	require.Equal(t, CodeUnavailable, CodeOf(err))
	require.ErrorIs(t, err, errDiskFull)
	require.Zero(t, *sends)
	f.kind = ""
	r, _, err := chatAs(t, c)
	require.NoError(t, err)
	require.True(t, r.Paid())

	c, _, sends = failingLog(t, audit.KindIntent, false)
	_, _, err = chatAs(t, c)
	require.NoError(t, err)
	require.Equal(t, 1, *sends)
}

// A4: the outcome cannot be written: the answer stays recorded, and the next try is
// given it and writes the line.
func TestA4_OutcomeCannotBeWritten(t *testing.T) {
	c, f, sends := failingLog(t, audit.KindOutcome, true)
	for range 2 {
		_, _, err := chatAs(t, c)
		require.Equal(t, CodeUnavailable, CodeOf(err))
		require.ErrorIs(t, err, errDiskFull)
	}
	require.Equal(t, 1, *sends, "it was sent once and its answer is there")
	f.kind = ""
	r, text, err := chatAs(t, c)
	require.NoError(t, err)
	require.Equal(t, wholeAnswer, text)
	require.False(t, r.Paid())
	require.Equal(t, 1, *sends)

	c, _, _ = failingLog(t, audit.KindOutcome, false)
	_, text, err = chatAs(t, c)
	require.NoError(t, err)
	require.Equal(t, wholeAnswer, text)
}
