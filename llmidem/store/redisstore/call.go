package redisstore

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/redis/rueidis"
)

const (
	// callTimeout bounds a call whose context has no deadline.
	callTimeout = 10 * time.Second
	// crowd is how many calls may be under way, and be given up by their contexts,
	// on the fast path: well below the least ring that rueidis makes for a
	// connection, 256, whose end PutOne would wait for without a context.
	crowd = 128
	// grudge is for how long a call that was given up, or failed, may still take
	// room in rueidis: longer than it takes to break a connection that is silent.
	grudge = 30 * time.Second
)

var errClosed = errors.New("redisstore: the store is closed")

// noDeadline hides a deadline from rueidis, which waits for one with the whole
// connection and then does not see the context end before; it still has Done.
type noDeadline struct{ context.Context }

func (noDeadline) Deadline() (time.Time, bool) { return time.Time{}, false }

// now is our clock, in nanoseconds since the store was made.
func (s *Store) now() int64 { return int64(time.Since(s.start)) }

// do sends one command and returns its reply, or when the context ends.
//
// rueidis ends a call with its context but for two cases: it waits for a
// connection that another call is making, and for room in the connection's queue.
// Both are of a server that is not well, so only as long as that answers, and few
// wait for it, is the way straight; else the call is left behind in a goroutine
// of its own, which ends when rueidis does. That costs a fifth of the throughput.
func (s *Store) do(ctx context.Context, c *clock, cmd rueidis.Completed) rueidis.RedisResult {
	under := s.calls.Add(1)
	now := s.now()
	if _, well := c.fresh(now); well && under <= crowd && now >= s.grudgeEnds.Load() {
		defer s.calls.Add(-1)
		return s.note(s.client.Do(noDeadline{ctx}, cmd))
	}
	reply := make(chan rueidis.RedisResult, 1)
	go func() {
		defer s.calls.Add(-1)
		reply <- s.client.Do(noDeadline{ctx}, cmd)
	}()
	select {
	case r := <-reply:
		return s.note(r)
	case <-ctx.Done():
		return s.note(rueidis.NewErrorResult(ctx.Err()))
	}
}

// note bears a call that came to nothing in mind.
func (s *Store) note(r rueidis.RedisResult) rueidis.RedisResult {
	if err := r.NonRedisError(); err != nil && !rueidis.IsRedisNil(err) {
		s.grudgeEnds.Store(s.now() + int64(grudge))
	}
	return r
}

// request makes the command of a call; again says that it is sent a second time.
type request func(b rueidis.Builder, again bool) rueidis.Completed

// call sends a command, and once more if its connection broke. It returns the time
// at which it was sent.
func (s *Store) call(ctx context.Context, req request) (r rueidis.RedisResult, c *clock, sent int64) {
	for again := false; ; again = true {
		cmd := req(s.client.B(), again)
		c = s.clocks.of(cmd.Slot())
		sent = s.now()
		r = s.do(ctx, c, cmd)
		err := r.NonRedisError()
		if err == nil || again || rueidis.IsRedisNil(err) || ctx.Err() != nil || errors.Is(err, rueidis.ErrClosing) {
			return r, c, sent
		}
	}
}

// eval runs a script. Its source goes along only if the server does not have it,
// as after a restart.
func (s *Store) eval(ctx context.Context, sc script, id string, args func(again bool) []string) (rueidis.RedisResult, *clock, int64) {
	key := s.prefix + id
	r, c, sent := s.call(ctx, func(b rueidis.Builder, again bool) rueidis.Completed {
		return b.Evalsha().Sha1(sc.sha).Numkeys(1).Key(key).Arg(args(again)...).Build()
	})
	if e, ok := rueidis.IsRedisErr(r.Error()); ok && e.IsNoScript() {
		return s.call(ctx, func(b rueidis.Builder, again bool) rueidis.Completed {
			return b.Eval().Script(sc.source).Numkeys(1).Key(key).Arg(args(again)...).Build()
		})
	}
	return r, c, sent
}

// learn takes a server's time, in microseconds, from a reply that is here now.
func (s *Store) learn(c *clock, sent, micros int64) reading {
	now := s.now()
	r := reading{at: now, server: micros * int64(time.Microsecond), trip: now - sent}
	c.learn(r)
	return r
}

// bound gives a call a deadline if it has none. end must be called.
func bound(ctx context.Context) (bounded context.Context, end context.CancelFunc) {
	if _, ok := ctx.Deadline(); ok {
		return ctx, func() {}
	}
	return context.WithTimeout(ctx, callTimeout)
}

// fault is the error of a call: that of the caller's context if that has ended. An
// error of a context that is not the caller's does not look like one.
func fault(ctx context.Context, what string, err error) error {
	switch {
	case err == nil:
		return nil
	case ctx.Err() != nil:
		return ctx.Err()
	case errors.Is(err, rueidis.ErrClosing):
		return errClosed
	case errors.Is(err, context.DeadlineExceeded):
		return fmt.Errorf("redisstore: %s: no answer in time", what)
	case errors.Is(err, context.Canceled):
		return fmt.Errorf("redisstore: %s: no connection", what)
	}
	return fmt.Errorf("redisstore: %s: %w", what, err)
}
