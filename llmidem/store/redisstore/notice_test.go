package redisstore_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/redis/rueidis"
	"github.com/stretchr/testify/require"

	"github.com/llmidem/llmidem-go/llmidem/store"
	"github.com/llmidem/llmidem-go/llmidem/store/redisstore"
)

// noticed requires a notice. Nothing asks the store meanwhile: whoever is woken is
// woken by it.
func noticed(t *testing.T, notice <-chan struct{}) {
	t.Helper()
	select {
	case <-notice:
	case <-time.After(patience):
		require.Fail(t, "nobody told")
	}
}

func quiet(t *testing.T, notice <-chan struct{}) {
	t.Helper()
	select {
	case <-notice:
		require.Fail(t, "told without cause")
	default:
	}
}

func watchID(t *testing.T, s *redisstore.Store, id string) (<-chan struct{}, func()) {
	t.Helper()
	notice, stop, err := s.Watch(context.Background(), id)
	require.NoError(t, err)
	t.Cleanup(stop)
	return notice, stop
}

// eachKind runs a test on one server and on a cluster, and by RESP2.
func eachKind(t *testing.T, f func(t *testing.T, url string)) {
	t.Run("single", func(t *testing.T) { f(t, "redis://"+single(t)) })
	t.Run("RESP2", func(t *testing.T) { f(t, "redis://"+single(t)+"?protocol=2") })
	t.Run("cluster", func(t *testing.T) { f(t, cluster(t)) })
}

// TestS3_Notices: in a cluster also from every node to every other.
func TestS3_Notices(t *testing.T) {
	eachKind(t, func(t *testing.T, url string) {
		ctx := context.Background()
		prefix := redisstore.WithPrefix(freshPrefix())
		here, there := open(t, url, prefix), open(t, url, prefix)
		for i := range 32 { // over all nodes
			o := []store.Outcome{{State: store.Completed, Body: []byte("a")}, {State: store.Absent}, {State: store.Unknown}}[i%3]
			id, c := hold(t, here)
			other, _ := hold(t, here)
			same, stop := watchID(t, here, id)
			far, _ := watchID(t, there, id)
			second, _ := watchID(t, there, id)
			elsewhere, _ := watchID(t, there, other)
			require.NoError(t, here.Renew(ctx, id, c.Owner, long))
			quiet(t, far)
			require.NoError(t, here.Settle(ctx, id, c.Owner, o))
			noticed(t, same)
			noticed(t, far)
			noticed(t, second)
			quiet(t, elsewhere)
			stop()
			stop()
		}
	})
}

// TestS3_NoticeOfTooLarge: a claim that is released since its answer is too large
// has ended too.
func TestS3_NoticeOfTooLarge(t *testing.T) {
	s := open(t, "redis://"+single(t), redisstore.WithPrefix(freshPrefix()), redisstore.WithMaxEntry(1))
	id, c := hold(t, s)
	notice, _ := watchID(t, s, id)
	require.ErrorIs(t, s.Settle(context.Background(), id, c.Owner, store.Outcome{State: store.Completed, Body: []byte("ab")}), store.ErrTooLarge)
	noticed(t, notice)
}

// subscribed waits until that many listen to an id's channel, at that server.
func subscribed(t *testing.T, c rueidis.Client, channel string, n int) {
	t.Helper()
	require.Eventually(t, func() bool {
		m, err := c.Do(context.Background(), c.B().Arbitrary("PUBSUB", "NUMSUB").Args(channel).Build()).AsMap()
		require.NoError(t, err)
		v := m[channel]
		got, err := v.AsInt64()
		require.NoError(t, err)
		return int(got) == n
	}, patience, 5*time.Millisecond)
}

// TestS3_OneSubscription: those who wait for an id in a process share one
// subscription, all share a connection, and the last one ends it.
func TestS3_OneSubscription(t *testing.T) {
	url := "redis://" + single(t)
	prefix := freshPrefix()
	s, c := open(t, url, redisstore.WithPrefix(prefix)), raw(t, url)
	id, claim := hold(t, s)
	var stops []func()
	for range 10 {
		_, stop := watchID(t, s, id)
		stops = append(stops, stop)
	}
	subscribed(t, c, prefix+id, 1)
	for _, stop := range stops[1:] {
		stop()
	}
	subscribed(t, c, prefix+id, 1)
	stops[0]()
	subscribed(t, c, prefix+id, 0)

	notice, _ := watchID(t, s, id) // again
	require.NoError(t, s.Settle(context.Background(), id, claim.Owner, store.Outcome{State: store.Absent}))
	noticed(t, notice)
}

// TestS3_NoticesInARush: many begin and end to wait for the same few ids.
func TestS3_NoticesInARush(t *testing.T) {
	s := open(t, "redis://"+single(t), redisstore.WithPrefix(freshPrefix()))
	ctx := context.Background()
	var all sync.WaitGroup
	for i := range 16 {
		all.Go(func() {
			for j := range 50 {
				id := fmt.Sprint((i + j) % 4)
				c := newClaim(store.TakeSettled)
				r, err := s.Claim(ctx, id, c)
				if err != nil {
					t.Error(err)
					return
				}
				if r.Owner != c.Owner {
					if _, err := store.Wait(ctx, s, id); err != nil {
						t.Error(err)
					}
					continue
				}
				notice, stop, err := s.Watch(ctx, id)
				if err != nil {
					t.Error(err)
					return
				}
				if err := s.Settle(ctx, id, c.Owner, store.Outcome{State: store.Absent}); err != nil {
					t.Error(err)
				}
				noticed(t, notice)
				stop()
			}
		})
	}
	all.Wait()
}

// TestS3_SubscriberIsCutOff: who waits is told that notices may have been lost,
// and then gets them again.
func TestS3_SubscriberIsCutOff(t *testing.T) {
	server := start(t)
	ctx := context.Background()
	s, c := open(t, server.url()), raw(t, server.url())
	a, claimA := hold(t, s)
	b, _ := hold(t, s)
	noticeA, _ := watchID(t, s, a)
	noticeB, _ := watchID(t, s, b)
	quiet(t, noticeA)
	command(t, c, "CLIENT", "", "KILL", "TYPE", "pubsub")
	noticed(t, noticeA)
	noticed(t, noticeB)
	subscribed(t, c, "llmidem:"+a, 1)
	subscribed(t, c, "llmidem:"+b, 1)
	require.NoError(t, s.Settle(ctx, a, claimA.Owner, store.Outcome{State: store.Absent}))
	noticed(t, noticeA) // that of the new connection, or of the settlement
	watchID(t, s, newID())

	// Also when the whole server is gone for a while: Wait ends.
	id, claim := hold(t, s)
	ended := make(chan error, 1)
	notice, _ := watchID(t, s, id)
	server.stop()
	noticed(t, notice)
	server.start()
	_, err := s.Claim(ctx, id, claim) // the server has forgotten
	require.NoError(t, err)
	go func() {
		_, err := store.Wait(ctx, s, id)
		ended <- err
	}()
	require.NoError(t, s.Settle(ctx, id, claim.Owner, store.Outcome{State: store.Completed}))
	require.NoError(t, <-ended)
}

// TestS3_WithoutNotices: where they are forbidden Watch says so at once, and Wait
// asks.
func TestS3_WithoutNotices(t *testing.T) {
	server := start(t)
	ctx := context.Background()
	command(t, raw(t, server.url()), "ACL", "", "SETUSER", "mute", "on", ">secret", "~*", "resetchannels", "+@all", "-subscribe")
	s := open(t, strings.Replace(server.url(), "//", "//mute:secret@", 1))
	id, c := hold(t, s)
	for range 20 {
		_, _, err := s.Watch(ctx, id)
		require.ErrorContains(t, err, "NOPERM")
	}
	ended := make(chan store.Record, 1)
	go func() {
		r, _ := store.Wait(ctx, s, id)
		ended <- r
	}()
	require.NoError(t, s.Settle(ctx, id, c.Owner, store.Outcome{State: store.Completed}), "nor may it publish")
	require.Equal(t, store.Completed, (<-ended).State)
}
