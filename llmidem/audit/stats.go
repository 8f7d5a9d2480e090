package audit

import "time"

// Stats are sums over the records of a log. The zero Stats are those of no record.
type Stats struct {
	// Records counts all records, Intents and Outcomes those of calls, Opened how often
	// the log was opened, Recovered how often its end was half written then.
	Records, Intents, Outcomes, Opened, Recovered uint64
	// Answered, Replayed, Ambiguous, Refused and Failed count the outcomes by how they
	// ended, Other those of a later version. Replayed ones are duplicates prevented.
	Answered, Replayed, Ambiguous, Refused, Failed, Other uint64
	// Unsettled is how many intents have no outcome: calls under way, and such whose
	// process ended first. They are in doubt. Where the first files of a log are not
	// read, outcomes of intents in these are not counted against it.
	Unsettled uint64
	// Attempts counts the requests that were sent.
	Attempts uint64
	// Paid and Saved are the sums of the tokens.
	Paid, Saved Usage
	// Begin and End are the times of the first and the last record.
	Begin, End time.Time

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

func sum(a, b int64) int64 {
	const most = 1<<63 - 1
	if b = max(b, 0); a > most-b {
		return most
	}
	return a + b
}
