package pgstore

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/llmidem/llmidem-go/llmidem/store"
)

// ErrClosed is returned by the methods of a [Store] after Close.
var ErrClosed = errors.New("pgstore: the store is closed")

var errNoPool = errors.New("pgstore: the pool is nil; make one with pgxpool.New, or use pgstore.Open")

// Store is a [store.Store] in PostgreSQL. It is safe for concurrent use. Make one
// with [Open] or [New], and close it.
type Store struct {
	pool     *pgxpool.Pool
	ownPool  bool
	sql      queries
	maxEntry int64
	batch    int
	durable  bool
	log      *slog.Logger
	ears     *listener // nil: WithoutNotify
	mouth    *notifier // nil: WithoutNotify

	// unprepared: a pool before the server does not know the statements that were
	// prepared through it.
	unprepared atomic.Bool

	mu     sync.Mutex
	closed bool
	calls  sync.WaitGroup  // those under way; added to under mu, while not closed
	tasks  sync.WaitGroup  // what runs in the background
	life   context.Context // of sweeping and listening
	end    context.CancelFunc
	cut    context.Context // ends calls under way
	cutOff context.CancelFunc
}

// Open connects to a database, by a URL or a connection string of the form
// "host=… dbname=…" with what pgxpool knows in it (pool_max_conns and others), and
// makes the table when it is missing ([WithoutMigration]). The error is [ErrSchema]
// when the table cannot be made or is of another version. Close closes the
// connections too.
func Open(ctx context.Context, url string, opts ...Option) (*Store, error) {
	if _, err := newSettings(opts); err != nil {
		return nil, err // before anything is connected
	}
	pool, err := pgxpool.New(ctx, url)
	if err != nil {
		return nil, fmt.Errorf("pgstore: %w", err) // without the password
	}
	s, err := New(ctx, pool, opts...)
	if err != nil {
		pool.Close()
		return nil, err
	}
	s.ownPool = true
	return s, nil
}

// New is [Open] with connections of the caller's, who closes them after Close. A
// Store holds none of them for longer than a call; it listens for notices on one
// of its own that is made as the pool makes its.
func New(ctx context.Context, pool *pgxpool.Pool, opts ...Option) (*Store, error) {
	if pool == nil {
		return nil, errNoPool
	}
	set, err := newSettings(opts)
	if err != nil {
		return nil, err
	}
	there, err := look(ctx, pool, set.schema)
	if err == nil && set.migrate && !there.table && !there.readOnly {
		if err = Migrate(ctx, pool, set.schema); err == nil {
			there, err = look(ctx, pool, set.schema)
		}
	}
	if err != nil {
		return nil, err
	}
	if err := there.usable(set.schema); err != nil {
		return nil, err
	}
	s := &Store{
		pool:     pool,
		sql:      newQueries(set.schema),
		maxEntry: set.maxEntry,
		batch:    set.sweepBatch,
		durable:  there.durable,
		log:      set.log,
	}
	s.start(set)
	return s, nil
}

// start begins what runs in the background.
func (s *Store) start(set *settings) {
	s.life, s.end = context.WithCancel(context.Background())
	s.cut, s.cutOff = context.WithCancel(context.Background())
	if !s.durable {
		s.log.Warn("llmidem: pgstore: records may be lost with the server: fsync or synchronous_commit is off, or the table is UNLOGGED")
	}
	if set.notify {
		s.mouth = newNotifier(s, set.schema)
		s.ears = newListener(s, set)
		s.tasks.Go(func() { s.mouth.run() })
	}
	if set.sweepEvery > 0 {
		s.tasks.Go(func() { s.sweepEvery(s.life, set.sweepEvery) })
	}
}

// Close ends what the store does in the background, sends the notices that wait to
// be sent, and waits for the calls under way. When the context ends first it cuts
// them off and returns the context's error. Calls that come after it fail with
// [ErrClosed]. It may be called more than once.
func (s *Store) Close(ctx context.Context) error {
	s.mu.Lock()
	s.closed = true
	s.mu.Unlock()
	stop := context.AfterFunc(ctx, s.cutOff)
	s.end()
	s.calls.Wait()
	if s.mouth != nil {
		s.mouth.stop()
	}
	s.tasks.Wait()
	inTime := stop()
	s.cutOff()
	if s.ownPool {
		s.pool.Close()
	}
	if !inTime {
		return ctx.Err()
	}
	return nil
}

// begin admits a call. Its context ends with the caller's, or when Close cuts it
// off.
func (s *Store) begin(ctx context.Context) (context.Context, func(), error) {
	if err := ctx.Err(); err != nil {
		return nil, nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return nil, nil, ErrClosed
	}
	s.calls.Add(1)
	ctx, cancel := context.WithCancel(ctx)
	stop := context.AfterFunc(s.cut, cancel)
	return ctx, func() { stop(); cancel(); s.calls.Done() }, nil
}

// Traits says that records are seen by all who use the database, and whether they
// last: [store.Traits].
func (s *Store) Traits() store.Traits { return store.Traits{Durable: s.durable, Shared: true} }
