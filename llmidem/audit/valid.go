package audit

import (
	"errors"
	"fmt"
	"slices"
)

// ErrRecord is returned by [Log.Append] for a record that no log takes; its text says
// which member is wrong. Nothing was written.
var ErrRecord = errors.New("audit: the record cannot be logged")

const (
	maxText  = 1 << 10
	maxToken = 64
)

// validate says why a record that somebody appends is none. What is in a token is a
// word, so that no text gets into a log by way of it.
func (r *Record) validate() error {
	bad := func(format string, args ...any) error {
		return fmt.Errorf("%w: "+format, append([]any{ErrRecord}, args...)...)
	}
	switch {
	case r.Kind != KindIntent && r.Kind != KindOutcome:
		return bad("its Kind is %.64q; use KindIntent or KindOutcome", r.Kind)
	case r.Kind == KindIntent && (r.Outcome != "" || r.Intent != 0 || len(r.Attempts) > 0):
		return bad("an intent has no Outcome, Intent or Attempts")
	case r.Kind == KindOutcome && !slices.Contains(outcomes[:], r.Outcome):
		return bad("its Outcome is %.64q; use one of %v", r.Outcome, outcomes)
	case r.Version != 0 || r.Sequence != 0 || !r.Time.IsZero() || r.Prev != Hash{} || r.KeyID != "" || r.Hash != Hash{} ||
		r.UserHash != "" || r.File != "" || r.Offset != 0 || r.Length != 0 || r.Sum != Hash{}:
		return bad("a member is set that the log sets itself")
	case r.Document < 0 || r.Usage.negative() || r.Saved.negative():
		return bad("a number is negative")
	}
	for _, f := range [...]struct{ name, value string }{
		{"Operation", r.Operation}, {"Provider", r.Provider}, {"Model", r.Model}, {"User", r.User},
	} {
		if len(f.value) > maxText {
			return bad("its %s has %d bytes, more than %d", f.name, len(f.value), maxText)
		}
	}
	return r.validateTokens(bad)
}

var outcomes = [...]Outcome{OutcomeAnswered, OutcomeReplayed, OutcomeAmbiguous, OutcomeRefused, OutcomeFailed}

func (u Usage) negative() bool { return u.InputTokens < 0 || u.OutputTokens < 0 }

func (r *Record) validateTokens(bad func(string, ...any) error) error {
	for _, f := range [...]struct {
		name, value string
		hex         int
	}{
		{"TraceID", r.TraceID, 32}, {"SpanID", r.SpanID, 16}, {"OriginTraceID", r.OriginTraceID, 32},
		{"Address", r.Address, 0}, {"Scheme", r.Scheme, 0}, {"Source", r.Source, 0}, {"ErrorType", r.ErrorType, 0},
	} {
		if f.value == "" {
			continue
		}
		if fault := badToken(f.value, maxToken); fault != "" {
			return bad("its %s %s", f.name, fault)
		}
		if f.hex > 0 && (len(f.value) != f.hex || !isHex(f.value)) {
			return bad("its %s has not %d lower-case hexadecimal digits", f.name, f.hex)
		}
	}
	for i, a := range r.Attempts {
		if fault := badToken(a.Class, maxToken); fault != "" {
			return bad("the Class of attempt %d %s", i+1, fault)
		}
		if fault := badToken(a.ErrorType, maxToken); fault != "" && a.ErrorType != "" {
			return bad("the ErrorType of attempt %d %s", i+1, fault)
		}
		if a.Status < 0 {
			return bad("the Status of attempt %d is negative", i+1)
		}
	}
	return nil
}

// badToken says why s is no word of letters, digits, '.', '_' and '-'; "" if it is.
func badToken(s string, most int) string {
	if s == "" || len(s) > most {
		return fmt.Sprintf("has %d characters; use 1 to %d", len(s), most)
	}
	for i := range len(s) {
		c := s[i]
		if !('a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || c == '.' || c == '_' || c == '-') {
			return fmt.Sprintf("has the byte %#x; use letters, digits, '.', '_' and '-'", c)
		}
	}
	return ""
}

// isHex reports whether s is of lower-case hexadecimal digits.
func isHex(s string) bool {
	for i := range len(s) {
		if c := s[i]; !('0' <= c && c <= '9' || 'a' <= c && c <= 'f') {
			return false
		}
	}
	return true
}
