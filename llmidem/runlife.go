package llmidem

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/llmidem/llmidem-go/llmidem/store"
)

const (
	// runIdle is how long a run is kept after its last write.
	runIdle = 7 * 24 * time.Hour
	// runSpan is how long it is kept after its first one: the deadline that its
	// records share.
	runSpan = 2 * runIdle
	// runMargin is how long before that no call is made any more, so that none
	// finds some records of the run gone and others not.
	runMargin = time.Hour
	// pulseEvery is how exactly the last write is known.
	pulseEvery = time.Minute
	// pulseTTL makes the pulse outlast runIdle by what it may be late.
	pulseTTL = runIdle + pulseEvery
	// ageSlack is what two ages from one store may differ by.
	ageSlack = time.Minute
)

var errRunOver = errors.New("llmidem: run expired")

// runLives are the lives of one run: records of different accounts live apart.
type runLives struct {
	id string
	mu sync.Mutex
	m  map[lifeKey]*life
}

type lifeKey struct {
	core      *core
	namespace string
}

func (ls *runLives) of(k *core, namespace string) *life {
	ls.mu.Lock()
	defer ls.mu.Unlock()
	key := lifeKey{k, namespace}
	l := ls.m[key]
	if l == nil {
		if ls.m == nil {
			ls.m = map[lifeKey]*life{}
		}
		l = &life{store: k.store, startID: runAddress(namespace, ls.id, "start"), pulseID: runAddress(namespace, ls.id, "pulse")}
		ls.m[key] = l
	}
	return l
}

// others are the lives that the run has beside one.
func (ls *runLives) others(than *life) (all []*life) {
	ls.mu.Lock()
	defer ls.mu.Unlock()
	for _, l := range ls.m {
		if l != than && l.stands() {
			all = append(all, l)
		}
	}
	return all
}

// runAddress is where a run keeps its start or its pulse. No call's key has a
// blank.
func runAddress(namespace, id, what string) string {
	return address(namespace, "", "run "+what+" "+quoted(id))
}

// life is how long the records of a run in one namespace are kept: they end all
// at the same time, and are of no use when the run has ended before. What is known
// of it is looked up once. It is counted from what the store said, on this
// process's monotonic clock; where that has stood still (a machine that slept)
// the store is asked again before a record is thrown away.
type life struct {
	store            store.Store
	startID, pulseID string

	mu      sync.Mutex
	looking *lookup
	known   bool
	owner   store.Owner // of the start: it tells one life of the run from the next
	started time.Time
	pulsed  time.Time // when the pulse was last written, as far as is known
}

// lookup is one that others wait for.
type lookup struct {
	done chan struct{}
	err  error
}

func (l *life) stands() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.known
}

// ttl is how long a record is kept that is written now.
func (l *life) ttl() time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	return max(runSpan-time.Since(l.started), pulseEvery)
}

// admit lets a call be made, or recalled, while the run lasts. The error is
// errRunOver, the store's or the context's.
func (l *life) admit(ctx context.Context) error {
	for {
		l.mu.Lock()
		known, idle, look := l.known, time.Since(l.pulsed), l.looking
		over := known && time.Since(l.started) > runSpan-runMargin
		mine := !known && look == nil
		if mine {
			look = &lookup{done: make(chan struct{})}
			l.looking = look
		}
		l.mu.Unlock()
		switch {
		case over:
			return errRunOver
		case known && idle < runIdle:
			return nil
		case known: // another life of the run may have begun
			return l.pulse(ctx, true)
		case mine:
			return l.look(ctx, look)
		}
		select {
		case <-look.done:
			if look.err != nil {
				return look.err
			}
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// look looks the run up for all who wait for that. That one's context has ended is
// nothing to the others.
func (l *life) look(ctx context.Context, look *lookup) error {
	defer func() {
		l.mu.Lock()
		l.looking = nil
		l.mu.Unlock()
		close(look.done)
	}()
	err := l.find(ctx)
	if ctx.Err() == nil {
		look.err = err
	}
	return err
}

// stale reports whether a completed record of that age is from an earlier life of
// the run.
func (l *life) stale(ctx context.Context, age time.Duration) bool {
	l.mu.Lock()
	known, owner := time.Since(l.started), l.owner
	l.mu.Unlock()
	if age <= known+ageSlack {
		return false
	}
	start, err := l.store.Get(ctx, l.startID)
	if err != nil || start.State != store.Completed || start.Owner != owner {
		return true
	}
	l.mu.Lock()
	l.started = time.Now().Add(-start.Age)
	l.mu.Unlock()
	return age > start.Age+ageSlack
}
