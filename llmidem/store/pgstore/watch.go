package pgstore

import (
	"context"
	"errors"
	"time"
)

// errDeaf is why [store.Wait] has to ask.
var errDeaf = errors.New("pgstore: no notices are heard")

// firstNotice is how long the first who wait do so for the connection before
// they ask for themselves.
const firstNotice = 250 * time.Millisecond

// Watch is [store.Watcher.Watch]. It fails when notices do not come, at present or
// at all: who waits then has to ask.
func (s *Store) Watch(ctx context.Context, id string) (notice <-chan struct{}, stop func(), err error) {
	if s.ears == nil {
		return nil, nil, errDeaf
	}
	if !s.ears.up.Load() {
		if err := s.listen(ctx); err != nil {
			return nil, nil, err
		}
	}
	n, _, remove := s.ears.watchers.Add(id)
	if !s.ears.up.Load() {
		remove()
		return nil, nil, errDeaf
	}
	return n, func() { remove() }, nil
}

// listen begins to listen, and waits a little for how that goes.
func (s *Store) listen(ctx context.Context) error {
	_, done, err := s.begin(ctx)
	if err != nil {
		return err
	}
	l := s.ears
	l.begin.Do(func() { s.tasks.Go(func() { l.run(s.life) }) })
	done()
	t := time.NewTimer(firstNotice)
	defer t.Stop()
	select {
	case <-l.tried:
	case <-t.C:
	case <-s.life.Done():
		return ErrClosed
	case <-ctx.Done():
		return ctx.Err()
	}
	return nil
}
