package redisstore

import (
	"context"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/redis/rueidis"

	"github.com/llmidem/llmidem-go/llmidem/store"
)

// Store is a [store.Store] in Redis or Valkey. It is safe for concurrent use. All
// that share records need the same prefix, and should have the same longest
// entry.
//
// A value under a record's key that no Store wrote, that is cut short or does not
// unpack, is never given out and never taken for nothing: it reads as Unknown, with no
// owner, fingerprint or origin, so that a claim with [store.TakeDoubt] replaces it.
type Store struct {
	client rueidis.Client
	own    bool // the client is ours to close
	prefix string
	limit  int64
	codec  *codec
	notice *listener

	start      time.Time
	clocks     clocks
	calls      atomic.Int64 // under way
	grudgeEnds atomic.Int64
	closed     atomic.Bool
}

var (
	_ store.Store   = (*Store)(nil)
	_ store.Watcher = (*Store)(nil)
)

// Open connects to the server, or servers, of a URL and checks them. The URL is
// what the rueidis package takes:
//
//	redis://user:password@host:6379/0           one server, or any node of a cluster
//	rediss://user:password@host:6379/0          the same over TLS
//	redis://host1:6379?addr=host2:6379&addr=…   several nodes of a cluster
//	redis://host1:26379?addr=…&master_set=name  Sentinels, and the name of what they watch
//	unix:///run/redis.sock?db=0                 a socket
//
// valkey:// and valkeys:// mean the same. Further parameters are db, client_name,
// protocol=2 for servers without RESP3, dial_timeout (default 5s), write_timeout
// (how long a server may be silent, default 5s) and skip_verify. With rediss://
// Sentinels are spoken to by TLS too. What this does not cover goes to [New].
//
// The context bounds Open only. An error does not contain the URL, which may hold
// a password.
func Open(ctx context.Context, url string, opts ...Option) (*Store, error) {
	set, err := settle(opts)
	if err != nil {
		return nil, err
	}
	conn, err := parseURL(url, set.tls)
	if err != nil {
		return nil, err
	}
	client, err := connect(ctx, conn)
	if err != nil {
		return nil, err
	}
	s, err := newStore(ctx, client, set)
	if err != nil {
		client.Close()
		return nil, err
	}
	s.own = true
	return s, nil
}

// New returns a Store over a client of yours, which stays yours to close, after
// the Store. It checks the servers as Open does. Of the client's options,
// retries, replicas and client-side caching are not made use of. [WithTLS] is
// refused.
func New(ctx context.Context, client rueidis.Client, opts ...Option) (*Store, error) {
	set, err := settle(opts)
	if err != nil {
		return nil, err
	}
	if client == nil {
		return nil, fmt.Errorf("redisstore: New without a client; make one with rueidis.NewClient, or use Open")
	}
	if set.tls != nil {
		return nil, fmt.Errorf("redisstore: WithTLS is for Open; the client that New is given has its own TLSConfig")
	}
	return newStore(ctx, client, set)
}

func newStore(ctx context.Context, client rueidis.Client, set *settings) (*Store, error) {
	if err := check(ctx, client, set.logger); err != nil {
		return nil, err
	}
	codec, err := newCodec(set.compressAbove, set.maxEntry)
	if err != nil {
		return nil, err
	}
	return &Store{
		client: client,
		prefix: set.prefix,
		limit:  set.maxEntry,
		codec:  codec,
		notice: newListener(client, set.prefix),
		start:  time.Now(),
		clocks: newClocks(client.Mode() == rueidis.ClientModeCluster),
	}, nil
}

// connect is rueidis.NewClient, which takes no context: a client that comes too
// late is closed.
func connect(ctx context.Context, o rueidis.ClientOption) (rueidis.Client, error) {
	type made struct {
		client rueidis.Client
		err    error
	}
	done := make(chan made, 1)
	go func() {
		c, err := rueidis.NewClient(o)
		done <- made{c, err}
	}()
	select {
	case m := <-done:
		return m.client, fault(ctx, "connecting", m.err)
	case <-ctx.Done():
		go func() {
			if m := <-done; m.err == nil {
				m.client.Close()
			}
		}()
		return nil, ctx.Err()
	}
}

// Close ends the notices and, of a Store that Open made, the connections. Claims
// that are held stay in flight until their leases run out. Calls that are under
// way, and later ones, fail. It may be called twice; the error is always nil.
func (s *Store) Close() error {
	if s.closed.Swap(true) {
		return nil
	}
	s.notice.close()
	if s.own {
		s.client.Close()
	}
	return nil
}

// Traits says that others see the records, and that they may be lost: see what
// the package says of failovers.
func (s *Store) Traits() store.Traits { return store.Traits{Shared: true} }
