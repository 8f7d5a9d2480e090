package complete

import (
	"cmp"
	"slices"
)

// maxChoices bounds what is kept of the choices of one stream; services stop at
// 128. A stream of more is never whole.
const maxChoices = 1 << 16

// tally counts the choices of a stream that are finished.
type tally struct {
	want   uint64 // how many were asked for; 0: the dialect has no choices
	seen   []uint64
	done   []uint64 // as long as seen
	open   int      // seen and not done
	ended  uint64   // done, of those asked for
	beyond bool     // an index was out of all bounds
	why    []finishReason
}

type finishReason struct {
	choice int64
	reason string
}

// see notes that a choice has begun.
func (t *tally) see(choice int64) bool {
	if choice < 0 || choice >= maxChoices {
		t.beyond = true
		return false
	}
	for int64(len(t.seen))*64 <= choice {
		t.seen, t.done = append(t.seen, 0), append(t.done, 0)
	}
	if word, bit := &t.seen[choice/64], uint64(1)<<(choice%64); *word&bit == 0 {
		*word |= bit
		t.open++
	}
	return true
}

// finish notes that a choice is over. A choice that is finished twice counts
// once.
func (t *tally) finish(choice int64, reason []byte) {
	if !t.see(choice) {
		return
	}
	word, bit := &t.done[choice/64], uint64(1)<<(choice%64)
	if *word&bit != 0 {
		return
	}
	*word |= bit
	t.open--
	if uint64(choice) < t.want {
		t.ended++
	}
	t.say(choice, string(reason))
}

// say keeps a reason.
func (t *tally) say(choice int64, reason string) {
	if len(t.why) < maxReasons {
		t.why = append(t.why, finishReason{choice, cut(reason, maxReason)})
	}
}

// complete reports whether every choice is finished and none is missing.
func (t *tally) complete() bool { return t.reason() == "" }

func (t *tally) reason() string {
	switch {
	case t.open > 0:
		return reasonUnfinished
	case t.beyond || t.ended < t.want:
		return reasonChoices
	}
	return ""
}

// reasons are the finish reasons in the order of the choices.
func (t *tally) reasons() []string {
	slices.SortStableFunc(t.why, func(a, b finishReason) int { return cmp.Compare(a.choice, b.choice) })
	var out []string
	for _, w := range t.why {
		out = append(out, w.reason)
	}
	return out
}
