package redisstore

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/redis/rueidis"

	"github.com/llmidem/llmidem-go/llmidem/store"
)

// begin is how every call begins: it is refused, or bounded.
func (s *Store) begin(ctx context.Context) (context.Context, context.CancelFunc, error) {
	if err := ctx.Err(); err != nil {
		return nil, nil, err
	}
	if s.closed.Load() {
		return nil, nil, errClosed
	}
	ctx, end := bound(ctx)
	return ctx, end, nil
}

// Claim is [store.Store.Claim], in one round trip: one more when it takes over a
// record whose body turns out to be broken. After an error the claim may be held
// all the same; a Claim by the same owner then says so.
func (s *Store) Claim(ctx context.Context, id string, c store.Claim) (store.Record, error) {
	caller := ctx
	ctx, end, err := s.begin(ctx)
	if err != nil {
		return store.Record{}, err
	}
	defer end()
	if err := c.Validate(); err != nil {
		return store.Record{}, err
	}
	rec, broken, err := s.claim(ctx, id, c, "")
	if err == nil && broken != "" && c.Takeover.Replaces(store.Unknown) {
		rec, _, err = s.claim(ctx, id, c, broken)
	}
	return rec, fault(caller, "claim", err)
}

// claim claims once. A record that stands in the way with a broken body is
// returned as one in doubt, and with its header, which to a second claim means
// that it may be replaced as such.
func (s *Store) claim(ctx context.Context, id string, c store.Claim, known string) (rec store.Record, broken string, err error) {
	args := []string{
		rueidis.BinaryString(claimant(c)),
		strconv.FormatInt(milliseconds(c.Lease), 10),
		strconv.Itoa(int(c.Takeover)),
		s.longest(),
		known,
	}
	r, clk, sent := s.eval(ctx, claimScript, id, func(bool) []string { return args })
	said, err := s.answer(r, clk, sent)
	if err != nil {
		return store.Record{}, "", err
	}
	if said.state != isWon {
		rec, whole := s.record(said)
		if !whole && said.state == isCompleted {
			broken = string(said.value[:headerSize])
		}
		return rec, broken, nil
	}
	rec = store.Record{State: store.InFlight, Owner: c.Owner, Fingerprint: c.Fingerprint, Origin: c.Origin}
	if len(said.value) == 1 {
		rec.Prior = stateOf(said.value[0])
	}
	rec.Left = max(1, c.Lease-time.Duration(said.trip))
	return rec, "", nil
}

// Renew is [store.Store.Renew].
func (s *Store) Renew(ctx context.Context, id string, owner store.Owner, lease time.Duration) error {
	caller := ctx
	ctx, end, err := s.begin(ctx)
	if err != nil {
		return err
	}
	defer end()
	if err := store.ValidateLease(lease); err != nil {
		return err
	}
	args := []string{string(owner[:]), strconv.FormatInt(milliseconds(lease), 10)}
	err = s.write(s.eval(ctx, renewScript, id, func(bool) []string { return args }))
	if err == store.ErrLost {
		return err
	}
	return fault(caller, "renew", err)
}

// Settle is [store.Store.Settle]. After an error other than ErrLost and
// ErrTooLarge it may have succeeded all the same; another Settle then fails with
// ErrLost, and Get has the record under its owner.
func (s *Store) Settle(ctx context.Context, id string, owner store.Owner, o store.Outcome) error {
	caller := ctx
	ctx, end, err := s.begin(ctx)
	if err != nil {
		return err
	}
	defer end()
	if err := o.Validate(); err != nil {
		return err
	}
	var refused error
	if o.State == store.Completed && int64(len(o.Body)) > s.limit {
		o, refused = store.Outcome{State: store.Absent}, store.ErrTooLarge
	}
	args := s.outcome(owner, o)
	err = s.write(s.eval(ctx, settleScript, id, func(again bool) []string {
		if again {
			args[len(args)-1] = "1"
		}
		return args
	}))
	if err == store.ErrLost {
		return err
	}
	if err != nil {
		return fault(caller, "settle", err)
	}
	return refused
}

// outcome is what the settle script takes. The body is copied.
func (s *Store) outcome(owner store.Owner, o store.Outcome) []string {
	if o.State != store.Completed {
		o.Body = nil
	}
	tail := make([]byte, 0, headerSize-offOrigin+len(o.Body))
	tail = appendOrigin(tail, o.Origin)
	tail, encoding := s.codec.append(tail[:headerSize-offOrigin], o.Body)
	seal(tail)
	return []string{
		string(owner[:]),
		string(letterOf(o.State)),
		string(encoding),
		strconv.FormatInt(milliseconds(o.TTL), 10),
		rueidis.BinaryString(tail),
		"0",
	}
}

// write reads the reply of a script that changes what it finds in flight.
func (s *Store) write(r rueidis.RedisResult, c *clock, sent int64) error {
	micros, err := r.ToInt64()
	if err != nil {
		return err
	}
	s.learn(c, sent, max(micros, -micros))
	if micros < 0 {
		return store.ErrLost
	}
	return nil
}

// longest is the longest value that is read.
func (s *Store) longest() string { return strconv.FormatInt(headerSize+s.limit, 10) }

// answer is what a script said of a record.
type answer struct {
	reading
	state byte
	value []byte
}

func (s *Store) answer(r rueidis.RedisResult, c *clock, sent int64) (answer, error) {
	parts, err := r.ToArray()
	if err != nil {
		return answer{}, err
	}
	if len(parts) != 3 {
		return answer{}, fmt.Errorf("the script returned %d values instead of 3: is it a proxy that changes replies?", len(parts))
	}
	micros, err := parts[0].ToInt64()
	if err != nil {
		return answer{}, err
	}
	state, err := parts[1].ToString()
	if err != nil || len(state) != 1 {
		return answer{}, fmt.Errorf("the script returned no state: is it a proxy that changes replies?")
	}
	a := answer{reading: s.learn(c, sent, micros), state: state[0]}
	if !parts[2].IsNil() {
		a.value, err = parts[2].AsBytes()
	}
	return a, err
}
