package pgstore

import (
	"context"
	"encoding/hex"
	"errors"
	"math/rand/v2"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/llmidem/llmidem-go/llmidem/internal/watch"
	"github.com/llmidem/llmidem-go/llmidem/store"
)

// errNotHeard is what happens in a pool in transaction mode: LISTEN is without
// effect there, and without an error.
var errNotHeard = errors.New("a notice did not come back, as through a pool in transaction mode; see pgstore.WithListenURL")

const (
	connectTimeout = 10 * time.Second
	// probeTimeout is how long a notice may take that the store sends to itself.
	probeTimeout = 2 * time.Second
	defaultQuiet = time.Minute
	firstRetry   = 100 * time.Millisecond
	maxRetry     = time.Minute
)

// probePrefix begins a notice that is no id, which are in hexadecimal.
const probePrefix = "probe-"

// listener hears notices on a connection of its own, from when somebody first
// waits for one.
type listener struct {
	s        *Store
	channel  string
	connect  func(context.Context) (*pgx.Conn, error)
	watchers watch.Group
	quiet    time.Duration // how long nothing may be heard before the connection is looked at

	begin sync.Once
	up    atomic.Bool   // it hears
	tried chan struct{} // closed after the first attempt
	done  sync.Once     // of tried
}

func newListener(s *Store, set *settings) *listener {
	l := &listener{s: s, channel: channelOf(set.schema), quiet: defaultQuiet, tried: make(chan struct{})}
	l.connect = func(ctx context.Context) (*pgx.Conn, error) {
		if set.listen != nil {
			return pgx.ConnectConfig(ctx, set.listen.Copy())
		}
		return connectLike(ctx, s)
	}
	return l
}

// connectLike makes a connection as the pool makes its.
func connectLike(ctx context.Context, s *Store) (*pgx.Conn, error) {
	cfg := s.pool.Config()
	conf := cfg.ConnConfig.Copy()
	if cfg.BeforeConnect != nil {
		if err := cfg.BeforeConnect(ctx, conf); err != nil {
			return nil, err
		}
	}
	conn, err := pgx.ConnectConfig(ctx, conf)
	if err != nil || cfg.AfterConnect == nil {
		return conn, err
	}
	if err := cfg.AfterConnect(ctx, conn); err != nil {
		return nil, errors.Join(err, conn.Close(ctx))
	}
	return conn, nil
}

// run listens until the context ends, over as many connections as it takes.
func (l *listener) run(ctx context.Context) {
	retry := firstRetry
	for ctx.Err() == nil {
		err := l.session(ctx)
		heard := l.up.Swap(false)
		l.done.Do(func() { close(l.tried) })
		if ctx.Err() != nil {
			return
		}
		if heard {
			retry = firstRetry
		}
		if heard || retry == firstRetry {
			l.s.log.Warn("llmidem: pgstore: no notices are heard; who waits asks for the time being", "error", err)
		}
		t := time.NewTimer(retry/2 + rand.N(retry))
		select {
		case <-t.C:
		case <-ctx.Done():
		}
		t.Stop()
		retry = min(2*retry, maxRetry)
	}
}

// session listens on one connection until that breaks.
func (l *listener) session(ctx context.Context) error {
	opening, cancel := context.WithTimeout(ctx, connectTimeout)
	defer cancel()
	conn, err := l.connect(opening)
	if err != nil {
		return err
	}
	defer func() {
		closing, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
		defer cancel()
		_ = conn.Close(closing)
	}()
	if _, err := conn.PgConn().Exec(opening, "LISTEN "+pgx.Identifier{l.channel}.Sanitize()).ReadAll(); err != nil {
		return err
	}
	if err := l.probe(opening, conn); err != nil {
		return err
	}
	l.up.Store(true)
	l.watchers.NotifyAll() // what was told before could not be heard
	l.done.Do(func() { close(l.tried) })
	l.s.log.Debug("llmidem: pgstore: notices are heard")
	return l.hear(ctx, conn)
}

// probe sends a notice by another connection and waits for it.
func (l *listener) probe(ctx context.Context, conn *pgx.Conn) error {
	token := probePrefix + store.NewOwner().String()
	if err := l.s.mouth.say(ctx, []string{token}); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, probeTimeout)
	defer cancel()
	for {
		n, err := conn.WaitForNotification(ctx)
		switch {
		case err == nil:
		case ctx.Err() != nil:
			return errNotHeard
		default:
			return err
		}
		if n.Payload == token {
			return nil
		}
	}
}

// hear passes notices on until the connection breaks. One that is broken without
// a sign of it is found by asking now and then.
func (l *listener) hear(ctx context.Context, conn *pgx.Conn) error {
	for {
		waiting, cancel := context.WithTimeout(ctx, l.quiet)
		n, err := conn.WaitForNotification(waiting)
		silent := waiting.Err() != nil && ctx.Err() == nil
		cancel()
		switch {
		case err == nil:
			l.pass(n.Payload)
		case silent:
			if err := l.ping(ctx, conn); err != nil {
				return err
			}
		default:
			return err
		}
	}
}

func (l *listener) ping(ctx context.Context, conn *pgx.Conn) error {
	ctx, cancel := context.WithTimeout(ctx, connectTimeout)
	defer cancel()
	return conn.Ping(ctx)
}

// pass wakes those who wait for what a notice names. Anybody who may connect to the
// database can send one: it says no more than that it is time to look.
func (l *listener) pass(notice string) {
	if strings.HasPrefix(notice, probePrefix) {
		return
	}
	id, err := hex.DecodeString(notice)
	if err == nil {
		l.watchers.Notify(string(id))
	}
}
