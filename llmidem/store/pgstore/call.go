package pgstore

import (
	"context"
	"errors"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/llmidem/llmidem-go/llmidem/store"
)

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
