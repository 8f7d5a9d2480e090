// Package watch wakes those in this process who wait for something to happen to
// an id: what the notices of every store are built on.
package watch

import "sync"

// Group are those who wait, by id. The zero value is ready. It is safe for
// concurrent use.
type Group struct {
	mu sync.Mutex
	m  map[string]map[chan struct{}]struct{}
}

// Add makes a watcher of id. first reports whether it is the only one of that id,
// and stop whether it was the last: whoever listens on behalf of all of them
// begins and ends with these. stop may be called twice and says so once.
func (g *Group) Add(id string) (notice <-chan struct{}, first bool, stop func() (last bool)) {
	n := make(chan struct{}, 1)
	g.mu.Lock()
	defer g.mu.Unlock()
	first = len(g.m[id]) == 0
	if first {
		if g.m == nil {
			g.m = map[string]map[chan struct{}]struct{}{}
		}
		g.m[id] = map[chan struct{}]struct{}{}
	}
	g.m[id][n] = struct{}{}
	return n, first, func() bool { return g.remove(id, n) }
}

func (g *Group) remove(id string, n chan struct{}) (last bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if _, ok := g.m[id][n]; !ok {
		return false
	}
	delete(g.m[id], n)
	if len(g.m[id]) > 0 {
		return false
	}
	delete(g.m, id)
	return true
}

// Notify wakes all who watch id.
func (g *Group) Notify(id string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for n := range g.m[id] {
		wake(n)
	}
}

// NotifyAll wakes everybody: notices may have been lost.
func (g *Group) NotifyAll() {
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, ns := range g.m {
		for n := range ns {
			wake(n)
		}
	}
}

func wake(n chan struct{}) {
	select {
	case n <- struct{}{}:
	default: // it has one already
	}
}
