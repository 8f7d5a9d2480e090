package redisstore

import (
	"cmp"
	"context"
	"errors"
	"strings"
	"sync"
	"time"

	"github.com/redis/rueidis"

	"github.com/llmidem/llmidem-go/llmidem/internal/watch"
)

// Watch is [store.Watcher.Watch]: it returns when the server listens. It fails
// when that cannot be had, as for a user who may not SUBSCRIBE. All watchers of
// a Store share one connection, and those of one id a subscription. When the
// connection is lost, it is made anew, and all watchers have a notice.
func (s *Store) Watch(ctx context.Context, id string) (notice <-chan struct{}, stop func(), err error) {
	caller := ctx
	ctx, end, err := s.begin(ctx)
	if err != nil {
		return nil, nil, err
	}
	defer end()
	notice, stop, err = s.notice.watch(ctx, id)
	return notice, stop, fault(caller, "watch", err)
}

// listener keeps the connection on which notices come.
type listener struct {
	client rueidis.Client
	prefix string
	group  watch.Group

	ctx    context.Context // of the goroutine
	cancel context.CancelFunc
	kick   chan struct{} // topics have changed
	done   sync.WaitGroup

	mu      sync.Mutex
	topics  map[string]*topic // by id: what to listen to
	running bool
	down    error // set while no connection is tried for: the last one failed with it
}

// topic is an id that is watched.
type topic struct {
	ready chan struct{} // closed when it is known whether it is listened to
	err   error         // why not; set before ready is closed
}

func newListener(client rueidis.Client, prefix string) *listener {
	ctx, cancel := context.WithCancel(context.Background())
	return &listener{client: client, prefix: prefix, ctx: ctx, cancel: cancel, kick: make(chan struct{}, 1), topics: map[string]*topic{}}
}

func (l *listener) watch(ctx context.Context, id string) (<-chan struct{}, func(), error) {
	l.mu.Lock()
	if l.ctx.Err() != nil {
		l.mu.Unlock()
		return nil, nil, errClosed
	}
	if l.down != nil {
		defer l.mu.Unlock()
		return nil, nil, l.down
	}
	notice, _, remove := l.group.Add(id)
	t := l.topics[id]
	if t == nil {
		t = &topic{ready: make(chan struct{})}
		l.topics[id] = t
		l.changed()
	}
	if !l.running {
		l.running = true
		l.done.Go(l.run)
	}
	l.mu.Unlock()
	stop := func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		if remove() {
			delete(l.topics, id)
			l.changed()
		}
	}
	select {
	case <-t.ready:
		if t.err == nil {
			return notice, stop, nil
		}
		stop()
		return nil, nil, t.err
	case <-ctx.Done():
		stop()
		return nil, nil, ctx.Err()
	}
}

// changed tells the goroutine that topics have changed.
func (l *listener) changed() {
	select {
	case l.kick <- struct{}{}:
	default: // it has yet to look
	}
}

// close ends the goroutine and waits for it.
func (l *listener) close() {
	l.mu.Lock()
	l.cancel()
	l.mu.Unlock()
	l.done.Wait()
	l.fail(errClosed)
}

const (
	firstBackoff = 50 * time.Millisecond
	maxBackoff   = 5 * time.Second
)

// run keeps a connection while there is something to listen to, and until the
// store is closed.
func (l *listener) run() {
	backoff := firstBackoff
	for again := false; ; again = true {
		for !l.wanted() {
			select {
			case <-l.kick:
			case <-l.ctx.Done():
				return
			}
		}
		listened, err := l.listen(again)
		if l.ctx.Err() != nil {
			return
		}
		l.fail(err)
		l.group.NotifyAll() // that the connection is lost: look for yourselves
		if listened {
			backoff = firstBackoff
		}
		select {
		case <-time.After(backoff):
		case <-l.ctx.Done():
			return
		}
		l.retry()
		backoff = min(2*backoff, maxBackoff)
	}
}

func (l *listener) retry() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.down = nil
}

func (l *listener) wanted() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.topics) > 0
}

// fail tells those who wait to be listened for that they are not. Those who were
// listened for stay, and are again on the next connection.
func (l *listener) fail(err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.down = err
	for id, t := range l.topics {
		select {
		case <-t.ready:
		default:
			t.err = err
			close(t.ready)
			delete(l.topics, id)
		}
	}
}

var errLost = errors.New("the connection for notices is lost")

// listen listens on one connection until that is lost, and reports whether it ever
// did. The connection is one of its own: to be cut off while listening costs no
// call.
func (l *listener) listen(again bool) (listened bool, err error) {
	conn, release := l.client.Dedicate()
	defer release()
	defer conn.Close()
	lost := conn.SetPubSubHooks(rueidis.PubSubHooks{OnMessage: func(m rueidis.PubSubMessage) {
		l.group.Notify(strings.TrimPrefix(m.Channel, l.prefix))
	}})
	heard := map[string]bool{} // the ids that this connection listens to
	for {
		add, drop := l.changes(heard)
		if len(add)+len(drop) == 0 {
			select {
			case <-l.kick:
				continue
			case err := <-lost:
				return listened, cmp.Or(err, errLost)
			case <-l.ctx.Done():
				return listened, l.ctx.Err()
			}
		}
		if err := l.subscribe(conn, add, drop); err != nil {
			return listened, err
		}
		for _, id := range add {
			heard[id] = true
		}
		for _, id := range drop {
			delete(heard, id)
		}
		if again && !listened {
			l.group.NotifyAll() // what happened since the connection before this
		}
		listened = true
	}
}

// changes compares what is heard with what is wanted, and tells those who wait for
// what is heard.
func (l *listener) changes(heard map[string]bool) (add, drop []string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for id, t := range l.topics {
		if !heard[id] {
			add = append(add, id)
			continue
		}
		select {
		case <-t.ready:
		default:
			close(t.ready)
		}
	}
	for id := range heard {
		if l.topics[id] == nil {
			drop = append(drop, id)
		}
	}
	return add, drop
}

// subscribe changes what a connection listens to and waits until it does.
func (l *listener) subscribe(conn rueidis.DedicatedClient, add, drop []string) error {
	ctx, cancel := context.WithTimeout(l.ctx, callTimeout)
	defer cancel()
	if len(add) > 0 {
		if err := conn.Do(noDeadline{ctx}, conn.B().Subscribe().Channel(l.channels(add)...).Build()).Error(); err != nil {
			return err
		}
	}
	if len(drop) > 0 {
		return conn.Do(noDeadline{ctx}, conn.B().Unsubscribe().Channel(l.channels(drop)...).Build()).Error()
	}
	return nil
}

func (l *listener) channels(ids []string) []string {
	channels := make([]string, len(ids))
	for i, id := range ids {
		channels[i] = l.prefix + id
	}
	return channels
}
