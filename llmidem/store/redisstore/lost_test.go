package redisstore_test

import (
	"context"
	"errors"
	"io"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/redis/rueidis"
	"github.com/stretchr/testify/require"

	"github.com/llmidem/llmidem-go/llmidem/store"
	"github.com/llmidem/llmidem-go/llmidem/store/redisstore"
)

// lossy stands between a store and its server and loses replies.
type lossy struct {
	addr  string
	lose  atomic.Int32 // so many connections break when a reply comes
	lost  atomic.Int32
	conns sync.WaitGroup
}

func newLossy(t *testing.T, server string) *lossy {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	p := &lossy{addr: l.Addr().String()}
	p.conns.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			p.conns.Go(func() { p.serve(c, server) })
		}
	})
	t.Cleanup(func() { require.NoError(t, l.Close()); p.conns.Wait() })
	return p
}

func (p *lossy) serve(c net.Conn, server string) {
	defer func() { _ = c.Close() }()
	s, err := net.Dial("tcp", server)
	if err != nil {
		return
	}
	defer func() { _ = s.Close() }()
	p.conns.Go(func() {
		_, _ = io.Copy(s, c)
		_ = s.Close()
	})
	buf := make([]byte, 1<<16)
	for {
		n, err := s.Read(buf)
		if err != nil {
			return
		}
		if p.lose.Add(-1) >= 0 {
			p.lost.Add(1)
			return
		}
		if _, err := c.Write(buf[:n]); err != nil {
			return
		}
	}
}

// TestS13_LostReplies: what a reply that was lost said is said again.
func TestS13_LostReplies(t *testing.T) {
	ctx := context.Background()
	proxy := newLossy(t, single(t))
	prefix := freshPrefix()
	s := open(t, "redis://"+proxy.addr, redisstore.WithPrefix(prefix))
	direct := open(t, "redis://"+single(t), redisstore.WithPrefix(prefix))
	losing := func(f func() error) {
		t.Helper()
		before := proxy.lost.Load()
		proxy.lose.Store(1)
		require.NoError(t, f())
		require.Equal(t, before+1, proxy.lost.Load(), "no reply was lost")
	}
	for _, o := range []store.Outcome{
		{State: store.Completed, Body: []byte(strings.Repeat("answer ", 1000)), TTL: long},
		{State: store.Unknown}, {State: store.Absent}, {State: store.Completed},
	} {
		id, c := newID(), newClaim(store.TakeAbsent)
		hold(t, s) // so that there is a connection
		losing(func() error {
			r, err := s.Claim(ctx, id, c)
			require.Equal(t, c.Owner, r.Owner)
			require.Equal(t, store.InFlight, r.State)
			require.Equal(t, store.Absent, r.Prior)
			return err
		})
		hold(t, s)
		losing(func() error { return s.Renew(ctx, id, c.Owner, 2*long) })
		require.Greater(t, get(t, direct, id).Left, long)
		hold(t, s)
		losing(func() error { return s.Settle(ctx, id, c.Owner, o) })
		require.Equal(t, o.State, get(t, direct, id).State)
		require.Equal(t, string(o.Body), string(get(t, direct, id).Body))
		losing(func() error {
			r, err := s.Get(ctx, id)
			require.Equal(t, string(o.Body), string(r.Body))
			return err
		})
		require.ErrorIs(t, s.Settle(ctx, id, c.Owner, o), store.ErrLost, "a second Settle is not a reply that was lost")
	}
}

// TestS13_LostRepliesOfOthers: to be repeated does not make a call succeed.
func TestS13_LostRepliesOfOthers(t *testing.T) {
	ctx := context.Background()
	proxy := newLossy(t, single(t))
	s := open(t, "redis://"+proxy.addr, redisstore.WithPrefix(freshPrefix()))
	settled, c := complete(t, s, "answer", 0)
	stranger := store.NewOwner()
	for name, f := range map[string]func() error{
		"another's answer": func() error {
			return s.Settle(ctx, settled, stranger, store.Outcome{State: store.Completed, Body: []byte("answer")})
		},
		"another answer": func() error {
			return s.Settle(ctx, settled, c.Owner, store.Outcome{State: store.Completed, Body: []byte("no")})
		},
		"another end":        func() error { return s.Settle(ctx, settled, c.Owner, store.Outcome{State: store.Unknown}) },
		"release":            func() error { return s.Settle(ctx, settled, c.Owner, store.Outcome{State: store.Absent}) },
		"what was never had": func() error { return s.Settle(ctx, newID(), stranger, store.Outcome{State: store.Completed}) },
		"renewal":            func() error { return s.Renew(ctx, settled, c.Owner, long) },
	} {
		proxy.lose.Store(1)
		require.ErrorIs(t, f(), store.ErrLost, name)
		require.Negative(t, proxy.lose.Load(), name)
	}
	proxy.lose.Store(1)
	r, err := s.Claim(ctx, settled, newClaim(store.TakeAbsent))
	require.NoError(t, err)
	require.Equal(t, c.Owner, r.Owner)

	proxy.lose.Store(1 << 20)
	_, err = s.Claim(ctx, newID(), newClaim(store.TakeAbsent))
	require.Error(t, err, "twice is enough")
	require.False(t, errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded), "the caller's context has not ended: %v", err)
	proxy.lose.Store(0)
	require.Equal(t, "answer", string(get(t, s, settled).Body))
}

// TestS3_ClaimAgain: one who was not told claims again, by the same owner.
func TestS3_ClaimAgain(t *testing.T) {
	url, ctx := "redis://"+single(t), context.Background()
	prefix := freshPrefix()
	s := open(t, url, redisstore.WithPrefix(prefix))
	id, _ := complete(t, s, "old", 0)
	c := newClaim(store.TakeSettled)
	first, err := s.Claim(ctx, id, c)
	require.NoError(t, err)
	again, err := s.Claim(ctx, id, c)
	require.NoError(t, err)
	first.Left, again.Left = 0, 0
	require.Equal(t, first, again)
	require.Equal(t, store.Completed, again.Prior, "what it replaced the first time")

	// Also when its lease has run out meanwhile, while nobody took over.
	v, err := command(t, raw(t, url), "GET", prefix+id).AsBytes()
	require.NoError(t, err)
	copy(v[12:20], forge('f', 'r', 1, nil)[12:20])
	command(t, raw(t, url), "SET", prefix+id, rueidis.BinaryString(v))
	require.Equal(t, store.Unknown, get(t, s, id).State)
	late := c
	late.Takeover = store.TakeAbsent
	r, err := s.Claim(ctx, id, late)
	require.NoError(t, err)
	require.Equal(t, c.Owner, r.Owner)
	require.Equal(t, store.InFlight, r.State)
	require.NoError(t, s.Settle(ctx, id, c.Owner, store.Outcome{State: store.Completed, Body: []byte("new")}))

	// But not when it has ended.
	r, err = s.Claim(ctx, id, late)
	require.NoError(t, err)
	require.Equal(t, store.Completed, r.State)
}
