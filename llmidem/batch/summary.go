package batch

import (
	"errors"
	"fmt"
	"strings"

	"github.com/llmidem/llmidem-go/llmidem"
)

// ErrStopped is returned by [Run] when it ended before its input did, since its
// context or that of [Until] had ended. Started again, it goes on.
var ErrStopped = errors.New("batch: stopped before the end; start it again to go on")

// ErrFailing is returned by [Run] when [StopAfter] ended it.
var ErrFailing = errors.New("batch: stopped since one item after the other fails; see the results for why")

// ErrState is in the chain of errors about a state that belongs to another batch, or
// to one that was run in another way, and says what differs.
var ErrState = errors.New("batch: the state is of another batch")

// A Summary is what has become of the items of a batch. Items is the sum of Done,
// Stored, Sent, Shared, Failed and Left.
type Summary struct {
	// Items is how many there are.
	Items int
	// Equal is how many of them are equal to an earlier one.
	Equal int
	// Done is how many were answered in the results that were there.
	Done int
	// Stored is how many answers were taken from the state.
	Stored int
	// Sent is how many were answered by the service.
	Sent int
	// Shared is how many were given the answer of an equal item in flight.
	Shared int
	// Failed is how many are dead letters, those included that were there.
	Failed int
	// Left is how many are neither answered nor dead letters.
	Left int
	// Requests is how many requests were sent, Retries how many of them were
	// repetitions.
	Requests, Retries int
	// Paid are the tokens that were paid now, Saved those of answers that were not:
	// from the state, shared or replayed by the service.
	Paid, Saved llmidem.Usage
	// Unkept is how many answers the state did not take, since they are too large:
	// they are in the results alone.
	Unkept int
	// Mended is how many bytes of a torn last line were cut off the results.
	Mended int64
}

// Answered is how many items have an answer.
func (s Summary) Answered() int { return s.Done + s.Stored + s.Sent + s.Shared }

// String is the summary in a few lines for people, without a newline at the end.
func (s Summary) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s: %d were done, %d taken from the state, %d sent", counted(int64(s.Items), "item"), s.Done, s.Stored, s.Sent)
	if s.Shared > 0 {
		fmt.Fprintf(&b, ", %d shared with an equal one", s.Shared)
	}
	fmt.Fprintf(&b, ", %s, %d left", counted(int64(s.Failed), "dead letter"), s.Left)
	fmt.Fprintf(&b, "\n%s, %d of them again; tokens paid %d in, %d out; saved %d in, %d out", counted(int64(s.Requests), "request"), s.Retries,
		s.Paid.InputTokens, s.Paid.OutputTokens, s.Saved.InputTokens, s.Saved.OutputTokens)
	if s.Mended > 0 {
		fmt.Fprintf(&b, "\na torn last line of %s was cut off the results", counted(s.Mended, "byte"))
	}
	if s.Unkept > 0 {
		fmt.Fprintf(&b, "\n%s too large for the state: in the results alone", counted(int64(s.Unkept), "answer"))
	}
	return b.String()
}

// counted is a number of things in words.
func counted(n int64, thing string) string {
	if n == 1 {
		return "1 " + thing
	}
	return fmt.Sprintf("%d %ss", n, thing)
}
