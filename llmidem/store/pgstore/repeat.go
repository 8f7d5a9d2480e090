package pgstore

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/llmidem/llmidem-go/llmidem/store"
)

// rounds bounds the repetitions of one call. Each takes place only because
// somebody else was faster at the same id, so two are rare.
const rounds = 100

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
