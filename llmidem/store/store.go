// Package store keeps what became of calls: who may send one (a claim), and the
// answer once there is one (a record).
//
// A record lives at an id, which the client derives from namespace, endpoint and
// key; a store need not understand it. Its life:
//
//	        Claim                  Settle(Completed)
//	Absent ───────► InFlight ──────────────────────► Completed (until its TTL)
//	  ▲                │  │ Settle(Absent)
//	  │                │  └──────► Absent
//	  │ Claim with     ▼ lease ran out, or Settle(Unknown)
//	  └ TakeDoubt ── Unknown
package store

import (
	"context"
	"errors"
	"time"
)

// Store keeps claims and records. Implementations are safe for concurrent use,
// return promptly when the context ends, and hold these rules, which package
// storetest checks:
//
//   - Claim is atomic: of any number of claimants of an absent record, one wins.
//   - Every write after the claim names its owner, and fails with [ErrLost] when
//     the record is no longer in flight under that owner.
//   - A lease that ran out reads as Unknown. No record is lost by that: only a
//     TTL, or a Claim that takes over, ends a settled one.
//   - Time is the server's where there is a server.
type Store interface {
	// Claim takes the right to send for id and returns the record as it now
	// stands, in flight under c.Owner; or it returns the record that stands in
	// the way, whose Owner is another. A refused claim is no error; one without
	// owner or lease is.
	Claim(ctx context.Context, id string, c Claim) (Record, error)

	// Renew makes the lease of a claim end that much from now.
	Renew(ctx context.Context, id string, owner Owner, lease time.Duration) error

	// Settle ends a claim: with an answer (Completed), with the knowledge that
	// nothing was executed (Absent), or in doubt (Unknown). It may fail with
	// [ErrTooLarge]; the claim is then released. An outcome in no such state, or
	// with a negative TTL, is an error that leaves the claim as it is. The store
	// does not keep o.Body when it returns an error and does not change it in any
	// case.
	Settle(ctx context.Context, id string, owner Owner, o Outcome) error

	// Get returns the record of id; one that is not there has the state Absent.
	Get(ctx context.Context, id string) (Record, error)
}

// ErrLost is returned by Renew and Settle when the record is not, or no longer,
// in flight under that owner: it is settled, another has it, or its lease ran out,
// whether or not somebody took it over since.
var ErrLost = errors.New("store: the claim is held by another or settled")

// ErrTooLarge is returned by Settle for an answer that the store does not take.
var ErrTooLarge = errors.New("store: the answer is larger than the store keeps")

// State is where a record is in its life.
type State uint8

const (
	// Absent: there is no record, or it was released or expired.
	Absent State = iota
	// InFlight: somebody holds the claim, and its lease runs.
	InFlight
	// Completed: the answer is there.
	Completed
	// Unknown: it was sent, or may have been, and nobody knows what became of it.
	Unknown
)

// String returns the state's name in lower case.
func (s State) String() string {
	switch s {
	case Absent:
		return "absent"
	case InFlight:
		return "in flight"
	case Completed:
		return "completed"
	case Unknown:
		return "unknown"
	}
	return "invalid"
}

// Takeover says which standing records a Claim may replace.
type Takeover uint8

const (
	// TakeAbsent replaces nothing.
	TakeAbsent Takeover = iota
	// TakeDoubt replaces a record whose state is Unknown.
	TakeDoubt
	// TakeSettled replaces any record that is not in flight.
	TakeSettled
)

// Claim is what a claimant brings.
type Claim struct {
	// Owner is random for each claim: [NewOwner].
	Owner Owner
	// Lease is how long the claim holds without a Renew. It must be positive.
	Lease time.Duration
	// Fingerprint is what the record's answer will be the answer to. A store
	// keeps it as it is; whoever reads the record compares it.
	Fingerprint Fingerprint
	// Takeover says which standing records may be replaced. Default: none.
	Takeover Takeover
	// Origin is the span of the claimant, so that waiters can link to it.
	Origin Origin
}

// Outcome is how a claim ends.
type Outcome struct {
	// State is Completed, Absent (released) or Unknown.
	State State
	// Body is the answer of one that completed; the store takes a reference, so it
	// must not be changed afterwards. With another state it is not kept.
	Body []byte
	// TTL is how long the record is kept. Zero means without end.
	TTL time.Duration
	// Origin is the span of the call that was answered.
	Origin Origin
}

// Record is what a store keeps under an id.
type Record struct {
	// State is where the record is in its life.
	State State
	// Prior is, in what a successful Claim returns, the state that it replaced.
	Prior State
	// Owner holds, or held, the claim.
	Owner Owner
	// Fingerprint is that of the claim.
	Fingerprint Fingerprint
	// Body is the answer of a completed record. It may be shared with others: it
	// must not be changed.
	Body []byte
	// Origin is the span of the call that was answered, or that is in flight.
	Origin Origin
	// Age is how long ago the record was claimed or, once settled, settled; of one
	// whose lease ran out, how long ago that was.
	Age time.Duration
	// Left is how much longer the record is kept, or the lease of one in flight
	// runs. Zero means without end.
	Left time.Duration
}

// Fingerprint is a digest of what is asked, apart from the id.
type Fingerprint [32]byte

// Origin is the W3C trace context of a span: trace id, span id and flags.
type Origin struct {
	TraceID [16]byte
	SpanID  [8]byte
	Flags   byte
}
