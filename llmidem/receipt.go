package llmidem

import (
	"time"

	"github.com/llmidem/llmidem-go/llmidem/identity"
)

// Source is where an answer came from.
type Source string

const (
	// SourceProvider: the provider executed the call and it was paid for.
	SourceProvider Source = "provider"
	// SourceCache: this process had the answer.
	SourceCache Source = "cache"
	// SourceStore: a store shared with others had the answer.
	SourceStore Source = "store"
	// SourceCoalesced: another caller's equal call was in flight and its answer
	// is shared.
	SourceCoalesced Source = "coalesced"
	// SourceReplay: the provider or a gateway replayed the answer by its key, or gave
	// it out of a cache of its own (Provider.CacheHits).
	SourceReplay Source = "replay"
)

// Usage counts tokens as the provider reported them.
type Usage struct {
	InputTokens, OutputTokens int64
}

func (u *Usage) add(v Usage) {
	u.InputTokens += v.InputTokens
	u.OutputTokens += v.OutputTokens
}

// Receipt says what became of one logical call. Where a function made several
// calls, the fields describe the last one; Attempts, Usage and Saved are sums.
type Receipt struct {
	// Key is the call's key; zero for what is no inference call.
	Key identity.Key
	// Address is where its record lies, as [Client.Forget] takes it.
	Address string
	// Source is where the answer came from; "" when there is none.
	Source Source
	// Attempts is how many requests were sent for this caller: 0 for an answer
	// that was there already or that another caller waited for.
	Attempts int
	// TraceID is the trace of this call, Origin that of the call that was paid
	// for when this one was not; 32 hexadecimal digits, "" without a tracer.
	TraceID, Origin string
	// Usage is what this call paid, Saved what it would have paid.
	Usage, Saved Usage
	// Age is how long ago a recorded answer was recorded.
	Age time.Duration
	// Complete says that the answer is provably whole; Kept that it is recorded,
	// so that it can be given again.
	Complete, Kept bool
	// Calls is how many different calls went through a Client.
	Calls int
	// Unordered says that an equal call of the same run was under way at the same
	// time, so that after a restart the two may swap their answers; [Branch] keeps
	// them apart. The earlier of the two is told so when it has not ended before.
	Unordered bool
	// StoreErr is a failure of the store that did not cost the answer.
	StoreErr error
}

// Paid reports whether the provider was paid for this answer now.
func (r Receipt) Paid() bool { return r.Source == SourceProvider }
