package boltstore

import (
	"errors"
	"fmt"
	"log/slog"
	"time"
)

// An Option sets something of a [Store]; see the With functions.
type Option interface{ apply(*config) }

type option func(*config)

func (o option) apply(c *config) { o(c) }

type config struct {
	maxEntry int
	sweep    time.Duration
	lock     time.Duration
	now      func() time.Time
	log      *slog.Logger
}

const (
	defaultMaxEntry = 8 << 20
	// mostEntry is what can be held in memory on every machine, and counted in the
	// 32 bits that a record has for it.
	mostEntry    = 1 << 30
	defaultSweep = time.Minute
	defaultLock  = time.Second
)

// WithMaxEntry sets the longest body that is kept, in bytes; Settle refuses longer
// ones with [store.ErrTooLarge]. At most 1 GiB. Default: 8 MiB.
func WithMaxEntry(bytes int) Option {
	return option(func(c *config) { c.maxEntry = bytes })
}

// WithSweep sets how often the store looks for records that have expired and
// deletes them, some ten thousand at a time; negative: never. Expired records are
// given out by nobody in any case. Default: every minute.
func WithSweep(every time.Duration) Option {
	return option(func(c *config) { c.sweep = every })
}

// WithLockTimeout sets how long Open waits for another process that has the file
// open. Default: one second.
func WithLockTimeout(d time.Duration) Option {
	return option(func(c *config) { c.lock = d })
}

// WithNow sets the clock, for tests. What it returns should come from time.Now, by
// Add if at all, so that leases run by its monotonic reading. Default: time.Now.
func WithNow(now func() time.Time) Option {
	return option(func(c *config) { c.now = now })
}

// WithLogger sets where damage is reported: WARN for the first record that fails
// its checksum, with its id; ERROR when the store can no longer be used; WARN when
// sweeping fails. Default: nowhere; errors and [Stats] say the same.
func WithLogger(l *slog.Logger) Option {
	return option(func(c *config) { c.log = l })
}

func newConfig(opts []Option) (config, error) {
	c := config{maxEntry: defaultMaxEntry, sweep: defaultSweep, lock: defaultLock, now: time.Now}
	for _, o := range opts {
		if o == nil {
			return c, errors.New("boltstore: an Option is nil")
		}
		o.apply(&c)
	}
	if c.log == nil {
		c.log = slog.New(slog.DiscardHandler)
	}
	switch {
	case c.maxEntry <= 0 || c.maxEntry > mostEntry:
		return c, fmt.Errorf("boltstore: WithMaxEntry(%d); use 1 to %d bytes", c.maxEntry, mostEntry)
	case c.sweep == 0:
		return c, errors.New("boltstore: WithSweep(0); use a positive time, or a negative one for never")
	case c.lock <= 0:
		return c, fmt.Errorf("boltstore: WithLockTimeout(%v); use a positive time", c.lock)
	case c.now == nil:
		return c, errors.New("boltstore: WithNow(nil); leave it out for time.Now")
	}
	return c, nil
}
