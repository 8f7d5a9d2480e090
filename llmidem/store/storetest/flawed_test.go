package storetest_test

import (
	"bytes"
	"context"
	"errors"
	"runtime"
	"strings"
	"sync"
	"time"

	"github.com/llmidem/llmidem-go/llmidem/store"
)

// flawed is the plainest store there can be, with at most one flaw.
type flawed struct {
	flaw  string
	now   func() time.Time
	limit int

	*table
}

// table is what several stores share, as those of several processes do.
type table struct {
	mu      sync.Mutex
	records map[string]record
}

func (f *flawed) Traits() store.Traits { return store.Traits{Shared: true} }

type record struct {
	store.Record
	since, until time.Time // until zero: without end
}

func (f *flawed) has(flaw string) bool { return f.flaw == flaw }

// at is the record as it stands.
func (f *flawed) at(id string) record {
	r, ok := f.records[f.id(id)]
	if !ok {
		return record{}
	}
	now := f.now()
	if !r.until.IsZero() && !now.Before(r.until) {
		switch {
		case r.State == store.InFlight && f.has("lease is a TTL"):
			return record{}
		case r.State == store.InFlight && f.has("lease never ends"):
		case r.State == store.InFlight:
			r.State, r.since, r.until = store.Unknown, r.until, time.Time{}
		case f.has("TTL never ends"):
		default:
			return record{}
		}
	}
	if f.has("empty is absent") && r.State == store.Completed && len(r.Body) == 0 {
		return record{}
	}
	r.Age, r.Left = now.Sub(r.since), 0
	if !r.until.IsZero() && !f.has("nothing left") {
		r.Left = r.until.Sub(now)
	}
	return r
}

func (f *flawed) id(id string) string {
	switch {
	case f.has("folds case"):
		return strings.ToLower(id)
	case f.has("trims ids"):
		return strings.TrimSpace(id)
	}
	return id
}

func (f *flawed) Claim(ctx context.Context, id string, c store.Claim) (store.Record, error) {
	if err := ctx.Err(); err != nil && !f.has("ignores the context") {
		return store.Record{}, err
	}
	if (c.Lease <= 0 || c.Owner == store.Owner{} || c.Takeover > store.TakeSettled) && !f.has("takes any claim") {
		return store.Record{}, errors.New("invalid claim")
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	old := f.at(id)
	wins := old.State == store.Absent ||
		old.State == store.Unknown && (c.Takeover >= store.TakeDoubt || f.has("doubt is absence")) ||
		old.State == store.Completed && (c.Takeover == store.TakeSettled || f.has("doubt takes answers") && c.Takeover == store.TakeDoubt) ||
		old.State == store.InFlight && c.Takeover == store.TakeSettled && f.has("takes what is in flight")
	if !wins {
		return old.Record, nil
	}
	if f.has("claim is not atomic") {
		f.mu.Unlock()
		runtime.Gosched()
		f.mu.Lock()
	}
	now := f.now()
	r := record{since: now, until: now.Add(c.Lease), Record: store.Record{
		State: store.InFlight, Owner: c.Owner, Fingerprint: c.Fingerprint, Origin: c.Origin, Left: c.Lease,
	}}
	if f.has("keeps the fingerprint") && old.State != store.Absent {
		r.Fingerprint = old.Fingerprint
	}
	if f.has("keeps the body") {
		r.Body = old.Body
	}
	f.records[f.id(id)] = r
	if won := r.Record; !f.has("no prior") {
		won.Prior = old.State
		return won, nil
	}
	return r.Record, nil
}

// held is the record if that owner holds it.
func (f *flawed) held(id string, owner store.Owner, what string) (record, error) {
	r := f.at(id)
	stranger := r.Owner != owner && !f.has("anybody "+what)
	ended := r.State != store.InFlight && !(r.State == store.Unknown && f.has("late "+what)) && !(r.State == store.Completed && f.has("settles twice"))
	if stranger || ended {
		return record{}, store.ErrLost
	}
	return r, nil
}

func (f *flawed) Renew(ctx context.Context, id string, owner store.Owner, lease time.Duration) error {
	if err := ctx.Err(); err != nil && !f.has("ignores the context") {
		return err
	}
	if lease <= 0 {
		return errors.New("invalid lease")
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	r, err := f.held(id, owner, "renews")
	if err != nil {
		return err
	}
	switch until := f.now().Add(lease); {
	case f.has("renew adds"):
		r.until = r.until.Add(lease)
	case f.has("renew only lengthens") && until.Before(r.until):
	default:
		r.State, r.until = store.InFlight, until
	}
	f.records[f.id(id)] = r
	return nil
}

func (f *flawed) Settle(ctx context.Context, id string, owner store.Owner, o store.Outcome) error {
	if err := ctx.Err(); err != nil && !f.has("ignores the context") {
		return err
	}
	if (o.State == store.InFlight || o.State > store.Unknown || o.TTL < 0) && !f.has("takes any outcome") {
		return errors.New("invalid outcome")
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	large := len(o.Body) > f.limit
	if large && f.has("size before owner") {
		return store.ErrTooLarge
	}
	r, err := f.held(id, owner, "settles")
	if err != nil {
		return err
	}
	if large && f.has("too large stays claimed") {
		return store.ErrTooLarge
	}
	if large || o.State == store.Absent && !f.has("release is doubt") {
		delete(f.records, f.id(id))
		if large {
			return store.ErrTooLarge
		}
		return nil
	}
	f.records[f.id(id)] = f.settled(r, o)
	return nil
}

func (f *flawed) settled(r record, o store.Outcome) record {
	now := f.now()
	r.State, r.Body, r.until = o.State, nil, time.Time{}
	if o.State == store.Completed || f.has("keeps half an answer") {
		r.Body = bytes.Clone(o.Body)
		if f.has("shares its room") {
			r.Body = append(make([]byte, 0, len(o.Body)+64), o.Body...)
		}
		if f.has("keeps text only") {
			r.Body = bytes.ToValidUTF8(r.Body, []byte("?"))
		}
	}
	if o.State == store.Absent {
		r.State = store.Unknown // "release is doubt"
	}
	if !f.has("age since the claim") {
		r.since = now
	}
	if !f.has("keeps the claim's origin") {
		r.Origin = o.Origin
	}
	if o.TTL > 0 {
		r.until = now.Add(o.TTL)
	} else if f.has("zero TTL is a default") {
		r.until = now.Add(24 * time.Hour)
	}
	return r
}

func (f *flawed) Get(ctx context.Context, id string) (store.Record, error) {
	if err := ctx.Err(); err != nil && !f.has("ignores the context") {
		return store.Record{}, err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.at(id).Record, nil
}
