package audit

import "time"

// Stats are sums over the records of a log. The zero Stats are those of no record.
type Stats struct {
	// Records counts all records, Intents and Outcomes those of calls.
	Records  uint64 `json:"records"`
	Intents  uint64 `json:"intents"`
	Outcomes uint64 `json:"outcomes"`
	// Opened is how often the log was opened, Recovered how often its end was half
	// written then.
	Opened    uint64 `json:"opened"`
	Recovered uint64 `json:"recovered"`
	// Answered, Replayed, Ambiguous, Refused and Failed count the outcomes by how they
	// ended, Other those of a later version. Replayed ones are duplicates prevented.
	Answered  uint64 `json:"answered"`
	Replayed  uint64 `json:"replayed"`
	Ambiguous uint64 `json:"ambiguous"`
	Refused   uint64 `json:"refused"`
	Failed    uint64 `json:"failed"`
	Other     uint64 `json:"other"`
	// Unsettled is how many intents have no outcome: calls under way, and such whose
	// process ended first. They are in doubt. Outcomes of intents in files that are not
	// read do not count against it.
	Unsettled uint64 `json:"unsettled"`
	// Attempts counts the requests that were sent.
	Attempts uint64 `json:"attempts"`
	// Paid and Saved are the sums of the tokens.
	Paid  Usage `json:"paid"`
	Saved Usage `json:"saved"`
	// Begin and End are the times of the first and the last record.
	Begin time.Time `json:"begin,omitzero"`
	End   time.Time `json:"end,omitzero"`

	first uint64 // the number of the first record
}

// Add counts a record. Records must come in the order of the log.
func (s *Stats) Add(r Record) {
	if s.Records == 0 {
		s.Begin, s.first = r.Time, r.Sequence
	}
	s.Records++
	s.End = r.Time
	switch r.Kind {
	case KindIntent:
		s.Intents++
		s.Unsettled++
	case KindOutcome:
		s.outcome(&r)
	case KindOpened:
		s.Opened++
	case KindRecovered:
		s.Recovered++
	}
}

func (s *Stats) outcome(r *Record) {
	s.Outcomes++
	if r.Intent >= s.first && s.Unsettled > 0 && r.Intent > 0 {
		s.Unsettled--
	}
	s.Attempts += uint64(len(r.Attempts))
	s.Paid.add(r.Usage)
	s.Saved.add(r.Saved)
	switch r.Outcome {
	case OutcomeAnswered:
		s.Answered++
	case OutcomeReplayed:
		s.Replayed++
	case OutcomeAmbiguous:
		s.Ambiguous++
	case OutcomeRefused:
		s.Refused++
	case OutcomeFailed:
		s.Failed++
	default:
		s.Other++
	}
}

// add counts what a log says, which may be anything: a sum that would overflow stays
// at the most there is.
func (u *Usage) add(v Usage) {
	u.InputTokens = sum(u.InputTokens, v.InputTokens)
	u.OutputTokens = sum(u.OutputTokens, v.OutputTokens)
}

// Total returns all tokens, at most the most that an int64 holds.
func (u Usage) Total() int64 { return sum(max(u.InputTokens, 0), u.OutputTokens) }

func sum(a, b int64) int64 {
	const most = 1<<63 - 1
	if b = max(b, 0); a > most-b {
		return most
	}
	return a + b
}
