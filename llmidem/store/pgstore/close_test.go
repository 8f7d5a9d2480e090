package pgstore_test

import (
	"context"
	"errors"
	"log/slog"
	"testing"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/llmidem/llmidem-go/llmidem/store"
	"github.com/llmidem/llmidem-go/llmidem/store/pgstore"
)

// TestR5_CloseEndsAll: with everything begun that a store begins.
func TestR5_CloseEndsAll(t *testing.T) {
	schema := newSchema(t)
	u := serverURL(t)
	before := goleak.IgnoreCurrent()
	ctx := context.Background()
	s, err := pgstore.Open(ctx, u, pgstore.WithSchema(schema))
	require.NoError(t, err)
	id, owner := held(t, s)
	_, stop, err := s.Watch(ctx, id)
	require.NoError(t, err)
	require.NoError(t, s.Close(ctx))
	require.NoError(t, s.Close(ctx), "again")
	goleak.VerifyNone(t, before)
	stop()
	stop()

	_, err = s.Get(ctx, id)
	require.ErrorIs(t, err, pgstore.ErrClosed)
	_, err = s.Claim(ctx, id, store.Claim{Owner: owner, Lease: long})
	require.ErrorIs(t, err, pgstore.ErrClosed)
	require.ErrorIs(t, s.Renew(ctx, id, owner, long), pgstore.ErrClosed)
	require.ErrorIs(t, s.Settle(ctx, id, owner, store.Outcome{State: store.Absent}), pgstore.ErrClosed)
	_, err = s.Sweep(ctx)
	require.ErrorIs(t, err, pgstore.ErrClosed)
	_, _, err = s.Watch(ctx, id)
	require.Error(t, err)
}

// TestR5_CloseCutsOff: a call that hangs does not keep Close for longer than its
// context.
func TestR5_CloseCutsOff(t *testing.T) {
	ctx := context.Background()
	schema := newSchema(t)
	s, err := pgstore.Open(ctx, serverURL(t), pgstore.WithSchema(schema))
	require.NoError(t, err)
	id, owner := held(t, s)
	tx, err := admin(t).Begin(ctx)
	require.NoError(t, err)
	defer func() { _ = tx.Rollback(ctx) }()
	_, err = tx.Exec(ctx, "SELECT FROM "+table(schema)+" FOR UPDATE")
	require.NoError(t, err)
	ended := make(chan error, 1)
	go func() { ended <- s.Renew(ctx, id, owner, long) }()
	blocked(t, schema)

	closing, cancel := context.WithCancelCause(ctx)
	closed := make(chan error, 1)
	go func() { closed <- s.Close(closing) }()
	eventually(t, "it closes", func() bool { _, err := s.Get(ctx, id); return errors.Is(err, pgstore.ErrClosed) })
	select {
	case err := <-closed:
		t.Fatalf("it does not wait for the call under way: %v", err)
	default:
	}
	cancel(nil)
	require.ErrorIs(t, <-closed, context.Canceled)
	require.ErrorIs(t, <-ended, context.Canceled)
}

// TestR5_CallsEndWithTheirContext: also one that waits for a lock of the server's.
func TestR5_CallsEndWithTheirContext(t *testing.T) {
	s, schema := newStore(t, pgstore.WithLogger(slog.New(slog.DiscardHandler)))
	id, owner := held(t, s)
	tx, err := admin(t).Begin(context.Background())
	require.NoError(t, err)
	defer func() { _ = tx.Rollback(context.Background()) }()
	_, err = tx.Exec(context.Background(), "LOCK TABLE "+table(schema))
	require.NoError(t, err)
	for _, act := range []func(context.Context) error{
		func(ctx context.Context) error { _, err := s.Get(ctx, id); return err },
		func(ctx context.Context) error { return s.Renew(ctx, id, owner, long) },
		func(ctx context.Context) error {
			return s.Settle(ctx, id, owner, store.Outcome{State: store.Completed})
		},
		func(ctx context.Context) error { _, err := s.Sweep(ctx); return err },
		func(ctx context.Context) error { _, err := store.Wait(ctx, s, id); return err },
	} {
		ctx, cancel := context.WithCancel(context.Background())
		ended := make(chan error, 1)
		go func() { ended <- act(ctx) }()
		blocked(t, schema)
		cancel()
		require.ErrorIs(t, <-ended, context.Canceled)
		eventually(t, "the server lets go", func() bool {
			return ask[int](t, admin(t), "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND strpos(query, $1) > 0", schema) == 0
		})
	}
}
