package llmidem

import (
	"context"
	"errors"
	"time"

	"github.com/llmidem/llmidem-go/llmidem/store"
)

// A run has two records of its own beside those of its calls. Its start, written
// once, says by its age how old the run is; its pulse, written with the calls, that
// it is not over. Whoever begins a run holds the claim of the pulse meanwhile, and
// is told from one who only writes it by the claim's fingerprint: so a process
// that dies anywhere leaves a run that goes on, or one that has not begun.
const (
	// runLease is how long one of these writes may take.
	runLease = 30 * time.Second
	// runTries bounds how often others may be first.
	runTries = 100
)

var errRunUnsettled = errors.New("llmidem: the store does not keep the records of a run as they are written")

// runMark is the fingerprint of a run's own records.
func runMark(what string) store.Fingerprint { return digest("llmidem run", what) }

// find learns where the run is, and begins it when it is not yet or no more.
func (l *life) find(ctx context.Context) error {
	for range runTries {
		start, pulse, err := l.read(ctx)
		if err != nil {
			return err
		}
		begins := pulse.Fingerprint == runMark("begin")
		switch {
		case pulse.State == store.InFlight && begins:
			_, err = store.Wait(ctx, l.store, l.pulseID)
		case !beats(pulse), pulse.State == store.Unknown && begins, start.State == store.Unknown:
			err = l.begin(ctx, start.Owner)
		case start.State == store.InFlight:
			_, err = store.Wait(ctx, l.store, l.startID)
		case start.State == store.Absent, start.Age > runSpan-runMargin:
			return errRunOver
		default:
			l.stand(start, pulse)
			return nil
		}
		if err != nil && !errors.Is(err, store.ErrLost) {
			return err
		}
	}
	return errRunUnsettled
}

// read reads the run's records. A run may begin between the two reads, but then
// the start is there afterwards.
func (l *life) read(ctx context.Context) (start, pulse store.Record, err error) {
	if start, err = l.store.Get(ctx, l.startID); err != nil {
		return start, pulse, err
	}
	if pulse, err = l.store.Get(ctx, l.pulseID); err != nil {
		return start, pulse, err
	}
	if start.State == store.Absent && beats(pulse) {
		start, err = l.store.Get(ctx, l.startID)
	}
	return start, pulse, err
}

// beats reports whether the pulse says that the run is not over. In doubt it was
// being written when that lease ran out.
func beats(pulse store.Record) bool {
	switch pulse.State {
	case store.InFlight:
		return true
	case store.Completed, store.Unknown:
		return pulse.Age < pulseTTL
	}
	return false
}

// stand keeps what was read. The time is taken afterwards: a run that is thought to
// be younger than it is keeps its records too long, which does no harm.
func (l *life) stand(start, pulse store.Record) {
	now := time.Now()
	l.mu.Lock()
	defer l.mu.Unlock()
	l.known, l.owner = true, start.Owner
	l.started = now.Add(-start.Age)
	l.pulsed = now.Add(-pulse.Age)
}

// begin begins the run, unless another start than the one that was seen is there
// by now.
func (l *life) begin(ctx context.Context, seen store.Owner) error {
	owner, won, _, err := l.claimPulse(ctx, "begin")
	if err != nil {
		return err
	}
	if !won {
		_, err = store.Wait(ctx, l.store, l.pulseID)
		return err
	}
	if err := l.writeStart(ctx, owner, seen); err != nil {
		_ = l.settlePulse(ctx, owner, store.Outcome{State: store.Absent})
		return err
	}
	return l.settlePulse(ctx, owner, store.Outcome{State: store.Completed, TTL: pulseTTL})
}

// writeStart writes the start for whoever holds the pulse.
func (l *life) writeStart(ctx context.Context, pulse, seen store.Owner) error {
	rec, err := store.Wait(ctx, l.store, l.startID) // for one who has lost the pulse
	if err != nil || rec.State == store.Completed && rec.Owner != seen {
		return err
	}
	if err := l.store.Renew(ctx, l.pulseID, pulse, runLease); err != nil {
		return err
	}
	owner := store.NewOwner()
	rec, err = l.store.Claim(ctx, l.startID, store.Claim{Owner: owner, Lease: runLease, Fingerprint: runMark("start"), Takeover: store.TakeSettled})
	switch {
	case err != nil:
		return err
	case rec.Owner != owner:
		return store.ErrLost
	}
	return l.store.Settle(ctx, l.startID, owner, store.Outcome{State: store.Completed, TTL: runSpan})
}

// pulse writes down that the run goes on, at most once in a while, and finds out
// whether it still is the run that was looked up.
func (l *life) pulse(ctx context.Context, now bool) error {
	l.mu.Lock()
	due := now || time.Since(l.pulsed) >= pulseEvery
	before := l.pulsed
	if due {
		l.pulsed = time.Now() // others need not write it too
	}
	l.mu.Unlock()
	if !due {
		return nil
	}
	err := l.writePulse(ctx)
	if err != nil {
		l.mu.Lock()
		l.pulsed = before
		l.mu.Unlock()
	}
	return err
}

func (l *life) writePulse(ctx context.Context) error {
	owner, won, prior, err := l.claimPulse(ctx, "beat")
	if err != nil {
		return err
	}
	if !won { // another writes it, and may be beginning anew
		if _, err := store.Wait(ctx, l.store, l.pulseID); err != nil {
			return err
		}
	}
	start, err := l.store.Get(ctx, l.startID)
	l.mu.Lock()
	same := start.State != store.Completed || start.Owner == l.owner
	if err == nil && same && start.State == store.Completed {
		l.started = time.Now().Add(-start.Age)
	}
	l.mu.Unlock()
	if won {
		out := store.Outcome{State: store.Completed, TTL: pulseTTL}
		if !same && prior == store.Absent { // that run is none of ours to keep
			out = store.Outcome{State: store.Absent}
		}
		if lost := l.settlePulse(ctx, owner, out); err == nil {
			err = lost
		}
	}
	if err == nil && !same {
		return errRunOver
	}
	return err
}

func (l *life) claimPulse(ctx context.Context, mark string) (owner store.Owner, won bool, prior store.State, err error) {
	owner = store.NewOwner()
	rec, err := l.store.Claim(ctx, l.pulseID, store.Claim{Owner: owner, Lease: runLease, Fingerprint: runMark(mark), Takeover: store.TakeSettled})
	return owner, err == nil && rec.Owner == owner, rec.Prior, err
}

// settlePulse lets go of the pulse also when the caller's context has ended
// meanwhile: others wait for it.
func (l *life) settlePulse(ctx context.Context, owner store.Owner, o store.Outcome) error {
	return l.store.Settle(context.WithoutCancel(ctx), l.pulseID, owner, o)
}
