package audit

import (
	"errors"
	"fmt"
	"time"
)

// An Option sets something of a [Log]; see the With functions.
type Option interface{ apply(*config) }

type option func(*config)

func (o option) apply(c *config) { o(c) }

type config struct {
	sync       Sync
	rotateSize int64
	daily      bool
	secret     Secret
	secrets    []Secret // secret and the former ones
	keyed      bool
	plainUsers bool
	hashUsers  bool
	userSecret Secret
	now        func() time.Time
	mostQueued int // bytes that may wait for the disk
}

// Sync says when an Append returns, and so what a power cut may take of what was said
// to be in the log. A process that is killed takes nothing under any of them.
type Sync struct {
	delay   time.Duration
	records int
	async   bool
}

const (
	defaultGroup = 1024
	mostGroup    = 1 << 20
)

// SyncEach has each record written and brought to the disk by itself (fdatasync on
// Linux) before its Append returns. A power cut takes nothing.
func SyncEach() Sync { return Sync{records: 1} }

// SyncGroup has Append return when its record is on the disk, where records that come
// while the disk is busy go together, at most so many, so that many callers pay hardly
// more than one. A power cut takes nothing. With a delay above 0 the disk waits so long
// for more records, or until the group is full: fewer writes, and a later return.
// The default is SyncGroup(0, 1024).
func SyncGroup(delay time.Duration, records int) Sync {
	return Sync{delay: delay, records: records}
}

// SyncAsync has Append return when its record was handed to the operating system, which
// brings it to the disk when delay has passed or so many records have gathered. A power
// cut takes at most that many records, which hold for certain (Append waits for
// the disk where it must), and those of the last delay, as far as the disk keeps up.
func SyncAsync(delay time.Duration, records int) Sync {
	return Sync{delay: delay, records: records, async: true}
}

// WithSync sets what a power cut may take. Default: nothing, [SyncGroup](0, 1024).
func WithSync(s Sync) Option {
	return option(func(c *config) { c.sync = s })
}

// RotateSize has a file end, and the next begin, before it is longer than so many bytes;
// 0: never for its size. At least 4096, and a file holds one record more where that
// alone is longer. Default: 256 MiB.
func RotateSize(bytes int64) Option {
	return option(func(c *config) { c.rotateSize = bytes })
}

// RotateDaily has a file end with the day (UTC) in which it began. Default: it does
// not.
func RotateDaily() Option {
	return option(func(c *config) { c.daily = true })
}

// WithHMAC has the chain made with a secret, so that nobody without it can write records
// that hold. Records that were made with former ones are read with these. A log is
// begun with a secret or without, and stays that way. Default: no secret.
func WithHMAC(s Secret, former ...Secret) Option {
	return option(func(c *config) {
		c.keyed, c.secret, c.secrets = true, s, append([]Secret{s}, former...)
	})
}

// WithPlainUsers has the log hold the user of each call as it is. Default: it is left
// out.
func WithPlainUsers() Option {
	return option(func(c *config) { c.plainUsers = true })
}

// WithHashedUsers has the log hold [Secret.HashUser] of the user of each call: equal
// users can be told to be equal, and only with the secret who they are. Default: users
// are left out.
func WithHashedUsers(s Secret) Option {
	return option(func(c *config) { c.hashUsers, c.userSecret = true, s })
}

// WithNow sets the clock, for tests: what records say, and when a day ends. Default:
// time.Now.
func WithNow(now func() time.Time) Option {
	return option(func(c *config) { c.now = now })
}

const (
	defaultRotate = 256 << 20
	leastRotate   = 4096
	defaultQueued = 64 << 20
)

func newConfig(opts []Option) (config, error) {
	c := config{sync: SyncGroup(0, defaultGroup), rotateSize: defaultRotate, now: time.Now, mostQueued: defaultQueued}
	for _, o := range opts {
		if o == nil {
			return c, errors.New("audit: an Option is nil")
		}
		o.apply(&c)
	}
	switch {
	case c.sync.records < 1 || c.sync.records > mostGroup:
		return c, fmt.Errorf("audit: WithSync: %d records at a time; use 1 to %d", c.sync.records, mostGroup)
	case c.sync.delay < 0 || c.sync.async && c.sync.delay == 0:
		return c, fmt.Errorf("audit: WithSync: a delay of %v; use a positive one", c.sync.delay)
	case c.rotateSize != 0 && c.rotateSize < leastRotate:
		return c, fmt.Errorf("audit: RotateSize(%d); use at least %d bytes, or 0 for never", c.rotateSize, leastRotate)
	case c.now == nil:
		return c, errors.New("audit: WithNow(nil); leave it out for time.Now")
	case c.plainUsers && c.hashUsers:
		return c, errors.New("audit: WithPlainUsers and WithHashedUsers; use one of them")
	case c.hashUsers && c.userSecret.id == "":
		return c, errors.New("audit: WithHashedUsers with the zero Secret; make one with NewSecret")
	}
	ids := map[string]bool{}
	for _, s := range c.secrets {
		if s.id == "" {
			return c, errors.New("audit: WithHMAC with the zero Secret; make one with NewSecret")
		}
		if ids[s.id] {
			return c, fmt.Errorf("audit: WithHMAC: two secrets have the id %s; a new secret needs a new id", s.id)
		}
		ids[s.id] = true
	}
	return c, nil
}
