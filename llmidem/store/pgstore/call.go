package pgstore

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/llmidem/llmidem-go/llmidem/store"
)

// rounds bounds the repetitions of one call. Each takes place only because
// somebody else was faster at the same id, so two are rare.
const rounds = 100

// Claim is [store.Store.Claim]. It may be repeated with the same claim when its
// reply was lost: one that had been won is then returned as such.
func (s *Store) Claim(ctx context.Context, id string, c store.Claim) (store.Record, error) {
	if err := c.Validate(); err != nil {
		return store.Record{}, err
	}
	var replaceable []int32
	for state := store.Absent; state <= store.Unknown; state++ {
		if c.Takeover.Replaces(state) {
			replaceable = append(replaceable, int32(state))
		}
	}
	if c.Takeover.Replaces(store.Unknown) {
		replaceable = append(replaceable, int32(nonsense))
	}
	var rec store.Record
	err := s.call(ctx, "claim", id, func(ctx context.Context) (err error) {
		rec, err = scanRecord(s.row(ctx, s.sql.claim, []byte(id), c.Owner[:], c.Fingerprint[:], packOrigin(c.Origin), interval(c.Lease), replaceable))
		return err
	})
	if err != nil {
		return store.Record{}, err
	}
	if rec.Owner != c.Owner || rec.State != store.InFlight {
		rec.Prior = store.Absent // that of another's claim
	}
	return rec, nil
}

// Renew is [store.Store.Renew].
func (s *Store) Renew(ctx context.Context, id string, owner store.Owner, lease time.Duration) error {
	if err := store.ValidateLease(lease); err != nil {
		return err
	}
	return s.write(ctx, "renew", id, s.sql.renew, []byte(id), owner[:], interval(lease))
}

// Settle is [store.Store.Settle]. When it fails without an answer from the server,
// it may have been done all the same.
func (s *Store) Settle(ctx context.Context, id string, owner store.Owner, o store.Outcome) error {
	if err := o.Validate(); err != nil {
		return err
	}
	tooLarge := o.State == store.Completed && int64(len(o.Body)) > s.maxEntry
	var err error
	if o.State == store.Absent || tooLarge {
		err = s.write(ctx, "release", id, s.sql.release, []byte(id), owner[:])
	} else {
		err = s.write(ctx, "settle", id, s.sql.settle, []byte(id), owner[:], int16(o.State), bodyOf(o), packOrigin(o.Origin), ttlOf(o))
	}
	if err != nil {
		return err
	}
	s.told(id)
	if tooLarge {
		return store.ErrTooLarge
	}
	return nil
}

// bodyOf is what is kept as the answer: NULL is none, and the empty one is one.
func bodyOf(o store.Outcome) []byte {
	switch {
	case o.State != store.Completed:
		return nil
	case o.Body == nil:
		return []byte{}
	}
	return o.Body
}

// ttlOf is how long a record is kept, nil for without end.
func ttlOf(o store.Outcome) *time.Duration {
	if o.TTL == 0 {
		return nil
	}
	ttl := interval(o.TTL)
	return &ttl
}

// Get is [store.Store.Get].
func (s *Store) Get(ctx context.Context, id string) (store.Record, error) {
	var rec store.Record
	err := s.call(ctx, "get", id, func(ctx context.Context) (err error) {
		rec, err = scanRecord(s.row(ctx, s.sql.get, []byte(id)))
		if errors.Is(err, pgx.ErrNoRows) {
			return nil
		}
		return err
	})
	rec.Prior = store.Absent
	return rec, err
}

// write runs a statement that changes the row which an owner holds.
func (s *Store) write(ctx context.Context, what, id, sql string, args ...any) error {
	return s.call(ctx, what, id, func(ctx context.Context) error {
		done, err := s.pool.Exec(ctx, sql, s.with(args)...)
		if err == nil && done.RowsAffected() == 0 {
			return store.ErrLost
		}
		return err
	})
}

func (s *Store) row(ctx context.Context, sql string, args ...any) pgx.Row {
	return s.pool.QueryRow(ctx, sql, s.with(args)...)
}

// with adds to the arguments how the statement is sent, where that is not as the
// pool says.
func (s *Store) with(args []any) []any {
	if s.unprepared.Load() {
		return append([]any{pgx.QueryExecModeCacheDescribe}, args...)
	}
	return args
}

// call runs one call, again where that is called for.
func (s *Store) call(ctx context.Context, what, id string, work func(context.Context) error) error {
	if len(id) > maxID {
		return fmt.Errorf("pgstore: an id of %d bytes; at most %d", len(id), maxID)
	}
	ctx, done, err := s.begin(ctx)
	if err != nil {
		return err
	}
	defer done()
	err = s.repeat(func() error { return work(ctx) })
	if err == nil || errors.Is(err, store.ErrLost) {
		return err
	}
	return fmt.Errorf("pgstore: %s: %w", what, clean(err))
}

// exec runs a statement that is nobody's call.
func (s *Store) exec(ctx context.Context, sql string, args ...any) (affected int64, err error) {
	err = s.repeat(func() error {
		done, err := s.pool.Exec(ctx, sql, s.with(args)...)
		affected = done.RowsAffected()
		return err
	})
	return affected, err
}

// errRounds is the end of a claim that had no result each time.
var errRounds = errors.New("the record changed each time it was looked at, or a policy or a trigger of the table hides it")

// repeat does work again while that makes sense.
func (s *Store) repeat(work func() error) (err error) {
	for range rounds {
		if err = work(); err == nil || !s.again(err) {
			return err
		}
	}
	if errors.Is(err, pgx.ErrNoRows) {
		return errRounds
	}
	return err
}

// again reports whether the statement had no effect and may have one now.
func (s *Store) again(err error) bool {
	if errors.Is(err, pgx.ErrNoRows) {
		return true // of a claim: see claimSQL
	}
	var pg *pgconn.PgError
	if !errors.As(err, &pg) {
		return false
	}
	switch pg.Code {
	case "40001", "40P01":
		// Serialization failure, where the database's default is a stricter isolation
		// than these statements need; deadlock.
		return true
	case "26000", "42P05":
		// A prepared statement that is not there, or that somebody else has prepared.
		if s.unprepared.CompareAndSwap(false, true) {
			s.log.Info("llmidem: pgstore: a pool before the server does not know prepared statements; going on without")
		}
		return true
	case "0A000":
		// Its table was altered since it was prepared; pgx then forgets it.
		return pg.Routine == "RevalidateCachedQuery"
	}
	return false
}

// clean removes from an error what the server quotes of the row.
func clean(err error) error {
	var pg *pgconn.PgError
	if errors.As(err, &pg) {
		pg.Detail, pg.Where = "", ""
	}
	return err
}
