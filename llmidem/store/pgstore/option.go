package pgstore

import (
	"fmt"
	"log/slog"
	"time"

	"github.com/jackc/pgx/v5"
)

const (
	defaultMaxEntry = 8 << 20
	// maxMaxEntry keeps an answer in text form, two characters a byte, well below
	// the 1 GB that PostgreSQL can handle as one value.
	maxMaxEntry = 256 << 20
	// maxID keeps an id in one index entry, and twice its length in one notice.
	maxID = 1024

	defaultSweepEvery = time.Minute
	defaultSweepBatch = 1000
)

// An Option configures a [Store]. Later options override earlier ones.
type Option interface{ apply(*settings) error }

type optionFunc func(*settings) error

func (f optionFunc) apply(s *settings) error { return f(s) }

// settings are what the options of one Open add up to.
type settings struct {
	schema     string
	maxEntry   int64
	sweepEvery time.Duration // not positive: never
	sweepBatch int
	migrate    bool
	notify     bool
	listen     *pgx.ConnConfig // nil: as the pool connects
	log        *slog.Logger
}

func newSettings(opts []Option) (*settings, error) {
	s := &settings{
		schema:     DefaultSchema,
		maxEntry:   defaultMaxEntry,
		sweepEvery: defaultSweepEvery,
		sweepBatch: defaultSweepBatch,
		migrate:    true,
		notify:     true,
		log:        slog.Default(),
	}
	for _, o := range opts {
		if err := o.apply(s); err != nil {
			return nil, err
		}
	}
	return s, nil
}

// WithSchema names the schema that the table is in. Any name that PostgreSQL
// takes will do; it is quoted, so upper case stays upper case. Default:
// [DefaultSchema].
func WithSchema(name string) Option {
	return optionFunc(func(s *settings) error {
		s.schema = name
		return validSchema(name)
	})
}

// WithMaxEntry bounds the answers that are kept, in bytes, at most 256 MiB; Settle
// refuses longer ones with [store.ErrTooLarge]. Default: 8 MiB.
func WithMaxEntry(bytes int64) Option {
	return optionFunc(func(s *settings) error {
		if bytes <= 0 || bytes > maxMaxEntry {
			return fmt.Errorf("pgstore: WithMaxEntry(%d); use 1 to %d bytes, or leave it out for %d", bytes, maxMaxEntry, defaultMaxEntry)
		}
		s.maxEntry = bytes
		return nil
	})
}

// WithSweep says how often the rows of records that expired are deleted, and how
// many by one statement; it is repeated while there are more. Zero means the
// default for either: every minute, 1000. A negative interval means never by this
// store: another one, or [Store.Sweep], must.
func WithSweep(every time.Duration, batch int) Option {
	return optionFunc(func(s *settings) error {
		if batch < 0 {
			return fmt.Errorf("pgstore: WithSweep with a batch of %d; use 0 for the default (%d) or a positive number", batch, defaultSweepBatch)
		}
		s.sweepEvery, s.sweepBatch = every, batch
		if every == 0 {
			s.sweepEvery = defaultSweepEvery
		}
		if batch == 0 {
			s.sweepBatch = defaultSweepBatch
		}
		return nil
	})
}

// WithoutMigration lets [Open] and [New] make nothing in the database, and fail
// with [ErrSchema] when the table is missing. Default: it is made.
func WithoutMigration() Option {
	return optionFunc(func(s *settings) error { s.migrate = false; return nil })
}

// WithoutNotify lets the store neither send notices nor listen: who waits for a
// claim asks again and again. Default: it does both.
func WithoutNotify() Option {
	return optionFunc(func(s *settings) error { s.notify = false; return nil })
}

// WithListenURL says where to listen for notices, where a pool in transaction mode
// is between the store and the server: at the server itself. Default: as
// everything else.
func WithListenURL(url string) Option {
	return optionFunc(func(s *settings) (err error) {
		if s.listen, err = pgx.ParseConfig(url); err != nil {
			return fmt.Errorf("pgstore: WithListenURL: %w", err) // without the password
		}
		return nil
	})
}

// WithLogger says where log lines go: of sweeps that failed, and when notices stop
// and come again. None has an id or an answer in it. Default, and for nil:
// [slog.Default].
func WithLogger(l *slog.Logger) Option {
	return optionFunc(func(s *settings) error {
		if l == nil {
			l = slog.Default()
		}
		s.log = l
		return nil
	})
}
