package batch

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// maxFaults is how many faults are told one by one.
const maxFaults = 20

// An InputError is input that cannot be used. Nothing was sent.
type InputError struct {
	// Input names the input.
	Input string
	// Faults are the first 20, in the order of their lines.
	Faults []Fault
	// More is how many there are beyond those.
	More int
}

// A Fault is what is wrong with a line of the input.
type Fault struct {
	// Line counts from 1; 0 is the input as a whole.
	Line int64
	// Reason says what is wrong and what to do. It holds no text of the input.
	Reason string
}

// Error returns a line for each fault and one for the rest.
func (e *InputError) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s: %s found; nothing was sent", e.Input, counted(int64(len(e.Faults)+e.More), "fault"))
	for _, f := range e.Faults {
		if f.Line > 0 {
			fmt.Fprintf(&b, "\n  line %d: %s", f.Line, f.Reason)
		} else {
			b.WriteString("\n  " + f.Reason)
		}
	}
	if e.More > 0 {
		fmt.Fprintf(&b, "\n  and %d more", e.More)
	}
	return b.String()
}

// faults collects the first faults of an input, found in any order.
type faults struct {
	first []Fault
	n     int
}

func (f *faults) add(line int64, reason string) {
	f.n++
	f.first = append(f.first, Fault{line, reason})
	if len(f.first) >= 8*maxFaults {
		f.trim()
	}
}

func (f *faults) trim() {
	slices.SortStableFunc(f.first, func(a, b Fault) int { return cmp.Compare(a.Line, b.Line) })
	f.first = f.first[:min(len(f.first), maxFaults)]
}

// of is the error about an input, nil if nothing was found.
func (f *faults) of(input string) error {
	if f.n == 0 {
		return nil
	}
	f.trim()
	return &InputError{Input: input, Faults: f.first, More: f.n - len(f.first)}
}
