package pgstore

import (
	"context"
	"fmt"
	"math/rand/v2"
	"time"
)

// Sweep deletes the rows of all records that have expired, some at a time, and
// returns how many. It leaves rows alone
// that others have in hand. The store does so by itself unless [WithSweep] says
// otherwise.
func (s *Store) Sweep(ctx context.Context) (deleted int64, err error) {
	ctx, done, err := s.begin(ctx)
	if err != nil {
		return 0, err
	}
	defer done()
	for {
		n, err := s.exec(ctx, s.sql.sweep, int32(s.batch))
		deleted += n
		if err != nil {
			return deleted, fmt.Errorf("pgstore: sweep: %w", err)
		}
		if n < int64(s.batch) {
			return deleted, nil
		}
	}
}

// sweepEvery sweeps until the context ends. Stores that start together do not
// sweep together.
func (s *Store) sweepEvery(ctx context.Context, every time.Duration) {
	t := time.NewTimer(rand.N(every))
	defer t.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-t.C:
		}
		if _, err := s.Sweep(ctx); err != nil && ctx.Err() == nil {
			s.log.Warn("llmidem: pgstore: expired records were not deleted", "error", err)
		}
		t.Reset(every)
	}
}
