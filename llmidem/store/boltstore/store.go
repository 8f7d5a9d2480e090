// Package boltstore is a [store.Store] in one file, for one process: records
// outlive the process and the machine's power, without a server. Several processes
// that share their records need redisstore or pgstore.
//
// # What lasts
//
// A call of Claim or Settle returns after its write is on the disk (fdatasync;
// the directory entry of a new file too). Writes that come while the disk is busy
// go there together in the next commit, so that many callers cost hardly more
// than one. Renew writes nothing: leases hold in this process only. Whoever opens
// the file next finds every claim that was in flight in doubt at once, since its
// owner is gone.
//
// # Damage
//
// Open reads the whole file and compares it with itself: the B+tree, the list of
// free pages, and how many ids there are and which. What does not agree is an
// error, [ErrDamaged]; no id is taken for absent because its page cannot be read.
// Each record and each body has a checksum (CRC-32C), which every read compares.
// What fails it, or was written by a later version, is in doubt: it has the state
// Unknown, no owner or fingerprint unless only the body is damaged, and a Claim
// with TakeDoubt replaces it. Faults of the memory map, as of a file cut short while
// it is open, become errors.
//
// Not noticed is what leaves no trace, such as a file replaced by an older copy of
// itself; and of the B+tree itself, what befalls it while the file is open and
// leaves it readable, before the next Open.
//
// # Time
//
// Leases run by the monotonic clock: setting the clock neither ends nor extends
// them. TTLs run by the wall clock, since they outlive the process. Set forward,
// it hides the records that have expired by it; set back, they are there again, as
// long as no Claim came in between: they are deleted only when the time passed in
// this process agrees. Set back, records stay that much longer. A file opened
// while the clock is ahead loses what has expired by that clock.
package boltstore

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync"
	"sync/atomic"

	"go.etcd.io/bbolt"

	"github.com/llmidem/llmidem-go/llmidem/internal/watch"
	"github.com/llmidem/llmidem-go/llmidem/store"
)

// ErrClosed is returned by every method after Close.
var ErrClosed = errors.New("boltstore: the store is closed")

// ErrLocked is returned by [Open] when another process, or another Store of this
// one, has the file open.
var ErrLocked = errors.New("boltstore: the file is in use")

// ErrDamaged is returned by [Open] for a file whose content does not agree with
// itself, and by the methods of a Store that met such a thing or whose commit
// failed so late that nobody knows whether it lasts. The latter is settled by
// opening the file again.
var ErrDamaged = errors.New("boltstore: the file is damaged")

// Store is a [store.Store] in a file. It is safe for concurrent use.
type Store struct {
	config
	path  string
	file  *os.File // bbolt's own
	db    *bbolt.DB
	clock clock

	queue   chan *op
	closing chan struct{}
	stopped sync.WaitGroup // the goroutines
	close   sync.Once
	closed  error // of close

	mu     sync.Mutex
	flight map[string]claim // what is in flight, as of the last commit
	broken error            // why nothing may be written or read any more

	watchers watch.Group
	counters counters
}

// counters are behind [Stats].
type counters struct {
	commits, writes, damaged atomic.Uint64
	records                  atomic.Int64
	reported                 sync.Once // the first damaged record
}

// Stats are the counters of a [Store] since it was opened, and what it holds.
type Stats struct {
	// Records is how many settled records there are, those included that have
	// expired and were not swept yet.
	Records int64
	// InFlight is how many claims are held, or ran out and were not settled.
	InFlight int
	// Commits is how often something was written to the disk, and Writes how many
	// calls that was for.
	Commits, Writes uint64
	// Damaged is how often a record was read whose checksum is wrong.
	Damaged uint64
	// Bytes is the size of the file. It does not shrink when records go: their
	// room is used again. [Compact] makes a file small.
	Bytes int64
}

// Open opens the store in the file at path, which it makes, readable by its owner
// only, if there is none. The directory must exist. The error is [ErrLocked] or
// [ErrDamaged], the operating system's, or says which option is out of range.
func Open(path string, opts ...Option) (*Store, error) {
	c, err := newConfig(opts)
	if err != nil {
		return nil, err
	}
	s := &Store{
		config:  c,
		path:    path,
		clock:   newClock(c.now),
		queue:   make(chan *op),
		closing: make(chan struct{}),
		flight:  map[string]claim{},
	}
	if err := s.open(); err != nil {
		return nil, err
	}
	if err := s.doubtAll(); err != nil {
		return nil, errors.Join(err, s.shut())
	}
	s.stopped.Go(s.write)
	if c.sweep > 0 {
		s.stopped.Go(s.sweepAll)
	}
	return s, nil
}

// Close ends the store: calls whose write has begun end well, others fail with
// [ErrClosed]. Claims that are in flight are in doubt when the file is opened
// again. It may be called again and then returns what it did the first time.
func (s *Store) Close() error {
	s.close.Do(func() {
		close(s.closing)
		s.stopped.Wait()
		s.closed = s.shut()
	})
	return s.closed
}

// shut gives the file back.
func (s *Store) shut() error {
	if s.fault() != nil {
		// A transaction that met a fault may hold bbolt's locks for ever, and a Close
		// would wait for them.
		return abandon(s.file)
	}
	if err := s.db.Close(); err != nil {
		return fmt.Errorf("boltstore: close %s: %w", s.path, err)
	}
	return nil
}

// fault is why the store is of no more use, or nil.
func (s *Store) fault() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.broken
}

// Traits says that what is in the file lasts, and is seen by this process only.
func (s *Store) Traits() store.Traits { return store.Traits{Durable: true} }

// Watch is [store.Watcher.Watch]. It does not fail.
func (s *Store) Watch(_ context.Context, id string) (notice <-chan struct{}, stop func(), err error) {
	n, _, remove := s.watchers.Add(id)
	return n, func() { remove() }, nil
}

// Stats returns the counters as they stand.
func (s *Store) Stats() Stats {
	s.mu.Lock()
	inFlight := len(s.flight)
	s.mu.Unlock()
	st := Stats{
		Records:  s.counters.records.Load(),
		InFlight: inFlight,
		Commits:  s.counters.commits.Load(),
		Writes:   s.counters.writes.Load(),
		Damaged:  s.counters.damaged.Load(),
	}
	if info, err := os.Stat(s.path); err == nil {
		st.Bytes = info.Size()
	}
	return st
}
