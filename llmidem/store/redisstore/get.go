package redisstore

import (
	"context"

	"github.com/redis/rueidis"

	"github.com/llmidem/llmidem-go/llmidem/store"
)

// Get is [store.Store.Get]. A completed record costs a plain GET, and so does one
// that is not there; one that is in flight or in doubt, and the first in a
// second, a script that asks for the time. Left is never more than there is; it may be less by
// the time that a round trip takes.
//
// A value is read whole before it is looked at: what somebody else stores under a
// record's key costs as much memory as it is long, up to the 512 MiB that Redis
// allows.
func (s *Store) Get(ctx context.Context, id string) (store.Record, error) {
	caller := ctx
	ctx, end, err := s.begin(ctx)
	if err != nil {
		return store.Record{}, err
	}
	defer end()
	rec, ok, err := s.peek(ctx, id)
	if err == nil && !ok {
		rec, err = s.read(ctx, id)
	}
	return rec, fault(caller, "get", err)
}

// peek gets a record without asking for the time. It is not ok when that is
// needed.
//
// The command is put together by hand: a Get of the builder is one that rueidis
// sends to replicas where it may, and repeats without end where there is no
// deadline.
func (s *Store) peek(ctx context.Context, id string) (rec store.Record, ok bool, err error) {
	build := func(b rueidis.Builder) rueidis.Completed {
		return b.Arbitrary("GET").Keys(s.prefix + id).Build()
	}
	cmd := build(s.client.B())
	c := s.clocks.of(cmd.Slot())
	if _, fresh := c.fresh(s.now()); !fresh {
		return store.Record{}, false, nil
	}
	r, _, sent := s.call(ctx, func(b rueidis.Builder, again bool) rueidis.Completed {
		if again {
			return build(b)
		}
		return cmd
	})
	b, err := r.AsBytes()
	switch {
	case rueidis.IsRedisNil(err):
		return store.Record{}, true, nil
	case err != nil:
		if _, said := rueidis.IsRedisErr(err); said {
			return store.Record{}, false, nil // WRONGTYPE, or what the script fails with as well
		}
		return store.Record{}, false, err
	}
	return s.completed(b, c, sent)
}

// completed is the record of a value that is a completed one and was read just now.
func (s *Store) completed(b []byte, c *clock, sent int64) (rec store.Record, ok bool, err error) {
	last, fresh := c.fresh(sent)
	if len(b) < headerSize || b[1] != isCompleted || !fresh {
		return store.Record{}, false, nil
	}
	earliest, latest := last.span(s.now())
	rec, _ = s.give(b, store.Completed, earliest, latest)
	return rec, true, nil
}

// read gets a record by a script.
func (s *Store) read(ctx context.Context, id string) (store.Record, error) {
	args := []string{s.longest()}
	a, err := s.answer(s.eval(ctx, readScript, id, func(bool) []string { return args }))
	if err != nil {
		return store.Record{}, err
	}
	rec, _ := s.record(a)
	return rec, nil
}

// record is the record of an answer, and whether it is whole.
func (s *Store) record(a answer) (rec store.Record, whole bool) {
	switch a.state {
	case isAbsent:
		return store.Record{}, true
	case isBroken:
		return doubt, false
	}
	earliest, latest := a.span(a.at)
	return s.give(a.value, stateOf(a.state), earliest, latest)
}

// doubt is what a value reads as that is none of ours.
var doubt = store.Record{State: store.Unknown}

// give makes a record of a value, with its body if it has one.
func (s *Store) give(b []byte, state store.State, earliest, latest int64) (rec store.Record, whole bool) {
	v, ok := parse(b)
	if !ok || int64(len(v.body)) > s.limit {
		return doubt, false
	}
	rec = v.record(state, earliest, latest)
	if state == store.Completed {
		body, err := s.codec.body(&v)
		if err != nil {
			return doubt, false
		}
		rec.Body = body
	}
	return rec, true
}
