package audit

import (
	"time"

	"github.com/llmidem/llmidem-go/llmidem/identity"
)

// Kind says what a record is about.
type Kind string

const (
	// KindIntent: a call is about to be made; nothing was sent yet.
	KindIntent Kind = "intent"
	// KindOutcome: what became of a call.
	KindOutcome Kind = "outcome"
	// KindOpened: a process opened the log. The log writes it itself.
	KindOpened Kind = "opened"
	// KindRotated: the file of the records before was full, and is File now. The log
	// writes it itself, first in the next file.
	KindRotated Kind = "rotated"
	// KindRecovered: Open found the end of the file half written, as after a kill, and
	// cut it off: Length bytes at Offset, whose SHA-256 was Sum. Of no such record
	// was it said that it is in the log. The log writes it itself.
	KindRecovered Kind = "recovered"
)

// Outcome says how a call ended.
type Outcome string

const (
	// OutcomeAnswered: the provider executed the call and it was paid for.
	OutcomeAnswered Outcome = "answered"
	// OutcomeReplayed: an answer that was there already was given out: a duplicate
	// was prevented.
	OutcomeReplayed Outcome = "replayed"
	// OutcomeAmbiguous: the call may have been executed; its answer is not known.
	OutcomeAmbiguous Outcome = "ambiguous"
	// OutcomeRefused: the call was provably not executed.
	OutcomeRefused Outcome = "refused"
	// OutcomeFailed: the call failed for good, and nothing is in doubt.
	OutcomeFailed Outcome = "failed"
)

// Version is that of the form of a line; it grows when old readers would misread one.
const Version = 1

// Record is one line of a log. Whoever appends it fills in what is about the call;
// the log sets what says so. The tags are the names of the members in a line, which
// stay; members without a value are left out.
type Record struct {
	// Version is that of the form, Sequence the record's number, from 1 and without
	// gaps, Time when the record was made (UTC), Prev the hash of the record before
	// and KeyID which secret the hash is made with, "" for none. The log sets them.
	Version  int       `json:"v"`
	Sequence uint64    `json:"seq"`
	Time     time.Time `json:"time"`
	Prev     Hash      `json:"prev"`
	KeyID    string    `json:"mac,omitempty"`

	// Kind must be KindIntent or KindOutcome; the log writes the others.
	Kind Kind `json:"kind"`
	// Intent is, in an outcome, the Sequence of the call's intent; 0 for none.
	Intent uint64 `json:"intent,omitempty"`
	// Key is the call's key. It stands in the line as [identity.Key.LogString] has it.
	Key identity.Key `json:"key,omitzero"`
	// Address is where the call's record lies in its store, a hash.
	Address string `json:"address,omitempty"`
	// Scheme is how the key was made: sha256, uuid5 or hmac; "" for a caller's key.
	Scheme string `json:"scheme,omitempty"`
	// Document is the version of the identity document.
	Document int `json:"document_version,omitempty"`
	// Operation, Provider and Model say what was called: at most 1 KiB each.
	Operation string `json:"operation,omitempty"`
	Provider  string `json:"provider,omitempty"`
	Model     string `json:"model,omitempty"`
	// User is the end user: at most 1 KiB. The log leaves it out unless it was opened
	// with [WithPlainUsers]; with [WithHashedUsers] it sets UserHash instead.
	User     string `json:"user,omitempty"`
	UserHash string `json:"user_hash,omitempty"`
	// TraceID and SpanID are those of the call, OriginTraceID that of the call whose
	// answer was replayed: 32, 16 and 32 hexadecimal digits; "" without a tracer.
	TraceID       string `json:"trace_id,omitempty"`
	SpanID        string `json:"span_id,omitempty"`
	OriginTraceID string `json:"origin_trace_id,omitempty"`
	// Attempts are the requests that were sent, in order.
	Attempts []Attempt `json:"attempts,omitempty"`
	// Source is where the answer came from: provider, cache, store, coalesced, replay.
	Source string `json:"source,omitempty"`
	// Usage is what the call paid, Saved what it would have paid.
	Usage Usage `json:"usage,omitzero"`
	Saved Usage `json:"saved,omitzero"`
	// Outcome is how the call ended; an outcome must have one, an intent has none.
	Outcome Outcome `json:"outcome,omitempty"`
	// ErrorType is the error.type of a call that failed: a status or one word.
	ErrorType string `json:"error_type,omitempty"`

	// File is, in a record of kind rotated, the name of the file before.
	File string `json:"file,omitempty"`
	// Offset, Length and Sum say, in a record of kind recovered, what was cut off: from
	// which byte of the file, how many bytes, and their SHA-256.
	Offset int64 `json:"offset,omitempty"`
	Length int64 `json:"length,omitempty"`
	Sum    Hash  `json:"sha256,omitzero"`

	// Hash is the record's own. The log sets it.
	Hash Hash `json:"hash"`
}

// Head returns the record's place in the log.
func (r *Record) Head() Head { return Head{r.Sequence, r.Hash} }

// Attempt is one request that was sent.
type Attempt struct {
	// Class is how it ended: done, not_sent, refused, ambiguous, final.
	Class string `json:"class"`
	// Status is the HTTP status; 0 when there was none.
	Status int `json:"status,omitempty"`
	// ErrorType is its error.type: a status or one word.
	ErrorType string `json:"error_type,omitempty"`
}

// Usage counts tokens as the provider reported them.
type Usage struct {
	// InputTokens are those of the request.
	InputTokens int64 `json:"input_tokens,omitempty"`
	// OutputTokens are those of the answer.
	OutputTokens int64 `json:"output_tokens,omitempty"`
}
