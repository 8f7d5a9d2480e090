package redisstore_test

import (
	"context"
	"net"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/redis/rueidis"
	"github.com/stretchr/testify/require"

	"github.com/llmidem/llmidem-go/llmidem/store"
	"github.com/llmidem/llmidem-go/llmidem/store/redisstore"
)

// TestS11_NoScript: a server that forgets its scripts is given them again, with
// every kind of call.
func TestS11_NoScript(t *testing.T) {
	server := start(t)
	ctx := context.Background()
	s, c := open(t, server.url()), raw(t, server.url())
	forget := func() { command(t, c, "SCRIPT", "", "FLUSH", "SYNC") }
	forget()
	id, claim := hold(t, s)
	forget()
	require.NoError(t, s.Renew(ctx, id, claim.Owner, long))
	forget()
	require.Equal(t, store.InFlight, get(t, s, id).State)
	forget()
	require.NoError(t, s.Settle(ctx, id, claim.Owner, store.Outcome{State: store.Completed, Body: []byte("answer")}))
	require.Equal(t, "answer", string(get(t, s, id).Body))
}

// TestS13_Restart: while there is no server calls fail soon, and when there is one
// again the store works.
func TestS13_Restart(t *testing.T) {
	server := start(t)
	ctx := context.Background()
	s := open(t, server.url())
	complete(t, s, "answer", 0)
	server.stop()
	for range 3 {
		_, err := s.Get(ctx, "id")
		require.Error(t, err)
		require.NotErrorIs(t, err, context.DeadlineExceeded)
		_, err = s.Claim(ctx, "id", newClaim(store.TakeAbsent))
		require.Error(t, err)
		require.Error(t, s.Renew(ctx, "id", store.NewOwner(), long))
		err = s.Settle(ctx, "id", store.NewOwner(), store.Outcome{State: store.Absent})
		require.Error(t, err)
		require.NotErrorIs(t, err, store.ErrLost, "nobody knows that")
	}
	server.start()
	id, _ := complete(t, s, "answer", 0)
	require.Equal(t, "answer", string(get(t, s, id).Body))
}

// TestR5_StoppedServer: a server that is there and does not answer holds up no call
// longer than its context, however many there are.
func TestR5_StoppedServer(t *testing.T) {
	server := start(t)
	s := open(t, server.url())
	id, c := hold(t, s)
	server.signal(syscall.SIGSTOP)
	defer server.signal(syscall.SIGCONT)
	for name, f := range map[string]func(ctx context.Context) error{
		"Get": func(ctx context.Context) error { _, err := s.Get(ctx, id); return err },
		"Claim": func(ctx context.Context) error {
			_, err := s.Claim(ctx, newID(), newClaim(store.TakeAbsent))
			return err
		},
		"Renew": func(ctx context.Context) error { return s.Renew(ctx, id, c.Owner, long) },
		"Settle": func(ctx context.Context) error {
			return s.Settle(ctx, newID(), c.Owner, store.Outcome{State: store.Completed})
		},
		"Watch": func(ctx context.Context) error { _, _, err := s.Watch(ctx, id); return err },
		"Open":  func(ctx context.Context) error { _, err := redisstore.Open(ctx, server.url()); return err },
	} {
		ctx, cancel := context.WithCancel(context.Background())
		ended := make(chan error, 1)
		go func() { ended <- f(ctx) }()
		cancel()
		require.ErrorIs(t, within(t, ended, name), context.Canceled, name)

		ctx, cancel = context.WithTimeout(context.Background(), 20*time.Millisecond)
		require.ErrorIs(t, f(ctx), context.DeadlineExceeded, name)
		cancel()
	}

	// More than fit into the queue of a connection.
	ctx, cancel := context.WithCancel(context.Background())
	var all sync.WaitGroup
	for range 5000 {
		all.Go(func() { _, _ = s.Claim(ctx, newID(), newClaim(store.TakeAbsent)) })
	}
	cancel()
	done := make(chan error, 1)
	go func() { all.Wait(); done <- nil }()
	require.NoError(t, within(t, done, "many calls"))

	server.signal(syscall.SIGCONT)
	require.Equal(t, store.InFlight, get(t, s, id).State)
	require.NoError(t, s.Settle(context.Background(), id, c.Owner, store.Outcome{State: store.Completed}))
}

// within is what comes on a channel while the server that would answer does not.
// The patience is below what rueidis has with a silent server.
func within(t *testing.T, ended <-chan error, what string) error {
	t.Helper()
	select {
	case err := <-ended:
		return err
	case <-time.After(4 * time.Second):
		require.Fail(t, "it outlives its context", what)
		return nil
	}
}

// TestR5_WithoutDeadline: a call that nobody bounded ends as well, over a client
// that would wait for an hour.
func TestR5_WithoutDeadline(t *testing.T) {
	server := start(t)
	client, err := rueidis.NewClient(rueidis.ClientOption{
		InitAddress: []string{server.addr}, ConnWriteTimeout: time.Hour, Dialer: net.Dialer{KeepAlive: -1}})
	require.NoError(t, err)
	defer client.Close()
	s, err := redisstore.New(context.Background(), client)
	require.NoError(t, err)
	defer func() { require.NoError(t, s.Close()) }()
	hold(t, s)
	server.signal(syscall.SIGSTOP)
	_, err = s.Claim(context.Background(), newID(), newClaim(store.TakeAbsent))
	server.signal(syscall.SIGCONT)
	require.ErrorContains(t, err, "no answer in time")
	require.NotErrorIs(t, err, context.DeadlineExceeded, "the caller's context has no deadline")
}

// TestS3_FullServer: one that has no memory left does not lose what it has, and
// still says it.
func TestS3_FullServer(t *testing.T) {
	server := start(t)
	ctx := context.Background()
	s, c := open(t, server.url()), raw(t, server.url())
	done, _ := complete(t, s, "answer", long)
	held, claim := hold(t, s)
	command(t, c, "CONFIG", "", "SET", "maxmemory", "1")
	r, err := s.Claim(ctx, done, newClaim(store.TakeAbsent))
	require.NoError(t, err)
	require.Equal(t, "answer", string(r.Body))
	_, err = s.Claim(ctx, newID(), newClaim(store.TakeAbsent))
	require.ErrorContains(t, err, "OOM")
	err = s.Settle(ctx, held, claim.Owner, store.Outcome{State: store.Completed, Body: []byte("answer")})
	require.ErrorContains(t, err, "OOM")
	require.Equal(t, store.InFlight, get(t, s, held).State)
	command(t, c, "CONFIG", "", "SET", "maxmemory", "0")
	require.NoError(t, s.Settle(ctx, held, claim.Owner, store.Outcome{State: store.Completed, Body: []byte("answer")}))
	require.Equal(t, "answer", string(get(t, s, held).Body))
}

func TestClose(t *testing.T) {
	url, ctx := "redis://"+single(t), context.Background()
	client := raw(t, url)
	mine, err := redisstore.New(ctx, client)
	require.NoError(t, err)
	for _, s := range []*redisstore.Store{open(t, url), mine} {
		_, stop, err := s.Watch(ctx, "id")
		require.NoError(t, err)
		defer stop()
		require.NoError(t, s.Close())
		require.NoError(t, s.Close())
		_, err = s.Get(ctx, "id")
		require.ErrorContains(t, err, "closed")
		_, err = s.Claim(ctx, "id", newClaim(store.TakeAbsent))
		require.ErrorContains(t, err, "closed")
		require.ErrorContains(t, s.Renew(ctx, "id", store.NewOwner(), long), "closed")
		require.ErrorContains(t, s.Settle(ctx, "id", store.NewOwner(), store.Outcome{}), "closed")
		_, _, err = s.Watch(ctx, "id")
		require.ErrorContains(t, err, "closed")
	}
	require.NoError(t, client.Do(ctx, client.B().Ping().Build()).Error(), "a client of the user's is not closed")
}

func TestTraits(t *testing.T) {
	require.Equal(t, store.Traits{Shared: true}, store.TraitsOf(open(t, "redis://"+single(t))))
}

// TestS13_KeysOnServer: a claim, and what is in doubt without a TTL, has no expiry;
// an answer has its own.
func TestS13_KeysOnServer(t *testing.T) {
	url, ctx := "redis://"+single(t), context.Background()
	prefix := freshPrefix()
	s, c := open(t, url, redisstore.WithPrefix(prefix)), raw(t, url)
	ttl := func(id string) int64 {
		n, err := command(t, c, "PTTL", prefix+id).ToInt64()
		require.NoError(t, err)
		return n
	}
	answered, _ := complete(t, s, "answer", long)
	require.Greater(t, ttl(answered), long.Milliseconds()*9/10)
	take := newClaim(store.TakeSettled)
	_, err := s.Claim(ctx, answered, take)
	require.NoError(t, err)
	require.EqualValues(t, -1, ttl(answered), "the TTL of what it replaced")
	require.NoError(t, s.Renew(ctx, answered, take.Owner, long))
	require.EqualValues(t, -1, ttl(answered))
	require.NoError(t, s.Settle(ctx, answered, take.Owner, store.Outcome{State: store.Unknown}))
	require.EqualValues(t, -1, ttl(answered))

	var keys []string
	scan := command(t, c, "KEYS", "", prefix+"*")
	keys, err = scan.AsStrSlice()
	require.NoError(t, err)
	require.Equal(t, []string{prefix + answered}, keys, "one key per record")
}

// TestP5_Compressed: what is long is stored shorter, what is not or does not get
// shorter as it is, and stores with different thresholds read each other's.
func TestP5_Compressed(t *testing.T) {
	url, ctx := "redis://"+single(t), context.Background()
	prefix := freshPrefix()
	c := raw(t, url)
	text, noise := strings.Repeat(`{"answer":"yes"}`, 100), rueidis.BinaryString(stream(t, []byte(newID())))
	never := open(t, url, redisstore.WithPrefix(prefix), redisstore.WithCompression(-1))
	always := open(t, url, redisstore.WithPrefix(prefix), redisstore.WithCompression(0))
	long := open(t, url, redisstore.WithPrefix(prefix), redisstore.WithCompression(len(text)))
	for _, x := range []struct {
		s        *redisstore.Store
		body     string
		shorter  bool
		encoding byte
	}{
		{never, text, false, 'r'}, {always, text, true, 'z'}, {long, text, false, 'r'}, {long, text + " ", true, 'z'},
		{always, noise, false, 'r'}, {always, "", false, 'r'},
	} {
		id, claim := hold(t, x.s)
		require.NoError(t, x.s.Settle(ctx, id, claim.Owner, store.Outcome{State: store.Completed, Body: []byte(x.body)}))
		v, err := command(t, c, "GET", prefix+id).ToString()
		require.NoError(t, err)
		require.Equal(t, x.encoding, v[2])
		require.Equal(t, x.shorter, len(v)-headerSize < len(x.body))
		for _, reader := range []*redisstore.Store{never, always, long} {
			require.Equal(t, x.body, string(get(t, reader, id).Body))
		}
	}
}
