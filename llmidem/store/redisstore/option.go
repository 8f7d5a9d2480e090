package redisstore

import (
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
)

// An Option configures [Open] or [New]. Later options override earlier ones.
type Option interface{ apply(*settings) }

type settings struct {
	prefix        string
	maxEntry      int64
	compressAbove int
	logger        *slog.Logger
	tls           *tls.Config
	errs          []error
}

type optionFunc func(*settings)

func (f optionFunc) apply(s *settings) { f(s) }

const (
	defaultPrefix   = "llmidem:"
	defaultMaxEntry = 8 << 20
	// defaultCompress is from where on an answer gets a third shorter or more, for
	// which a read takes some microseconds: BenchmarkCompression.
	defaultCompress = 1 << 10
	// mostEntry leaves room for the header in the longest string of Redis, 512 MiB.
	mostEntry = 511 << 20
)

// WithPrefix says how the keys, and the channels, of the records begin. Default:
// "llmidem:". Stores with one prefix share records; {braces} in it put all of them
// into one slot of a cluster.
func WithPrefix(prefix string) Option {
	return optionFunc(func(s *settings) {
		if prefix == "" {
			s.errs = append(s.errs, errors.New("redisstore: WithPrefix is empty; name what the keys begin with, or leave the option out"))
		}
		s.prefix = prefix
	})
}

// WithMaxEntry says how long an answer may be, in bytes before compression; Settle
// refuses longer ones with [store.ErrTooLarge], and what reads as longer is in
// doubt. Default: 8 MiB. At most 511 MiB.
func WithMaxEntry(bytes int64) Option {
	return optionFunc(func(s *settings) {
		if bytes <= 0 || bytes > mostEntry {
			s.errs = append(s.errs, fmt.Errorf("redisstore: WithMaxEntry(%d); it must be between 1 and %d bytes", bytes, mostEntry))
		}
		s.maxEntry = bytes
	})
}

// WithCompression says from which length on, in bytes, answers are compressed
// (zstd, where it makes them shorter): those that are longer than that. A negative
// one means never. Compressed ones are always read. Default: 1 KiB.
func WithCompression(above int) Option {
	return optionFunc(func(s *settings) { s.compressAbove = above })
}

// WithLogger says where a warning goes about servers that may evict answers, or
// that do not say whether they do. Default: nowhere.
func WithLogger(l *slog.Logger) Option {
	return optionFunc(func(s *settings) {
		if l == nil {
			s.errs = append(s.errs, errors.New("redisstore: WithLogger(nil); leave the option out to log nothing"))
		}
		s.logger = l
	})
}

// WithTLS says how [Open] uses TLS: certificates, who is trusted. The URL must
// begin with rediss:// or valkeys://. Default: the system's authorities, TLS 1.2
// or later. Where ServerName is empty it is the URL's (first) host. The
// configuration is copied.
func WithTLS(c *tls.Config) Option {
	return optionFunc(func(s *settings) {
		if c == nil {
			s.errs = append(s.errs, errors.New("redisstore: WithTLS(nil); leave the option out for the system's authorities"))
			return
		}
		s.tls = c.Clone()
	})
}

// settle is what the options of one Open or New add up to.
func settle(opts []Option) (*settings, error) {
	s := &settings{
		prefix:        defaultPrefix,
		maxEntry:      defaultMaxEntry,
		compressAbove: defaultCompress,
		logger:        slog.New(slog.DiscardHandler),
	}
	for _, o := range opts {
		if o == nil {
			return nil, errors.New("redisstore: an option is nil")
		}
		o.apply(s)
	}
	return s, errors.Join(s.errs...)
}
