package main

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"time"
)

// row is a probe in the report.
type row struct {
	name, did, got string
	finding
}

// session is the probes of one service, in order, and what they found.
type session struct {
	*prober
	rows     []row
	forms    []formResult
	form     form   // of the keys that are sent
	key      string // of the first answer
	text     string // its prompt
	first    outcome
	marks    bool // replays are marked
	steady   bool // executions of one body have one text
	careless bool // another body gets the old answer
	class    finding
}

// Waits for a key that is in use.
const (
	maxWaits    = 3
	defaultWait = time.Second
	maxWait     = 5 * time.Second
)

// run runs the probes that the calls suffice for. Its error is *unasked: there is
// nothing to report then.
func (s *session) run(ctx context.Context) error {
	err := s.begin(ctx)
	if s.first.kind == answered {
		for _, probe := range []func(context.Context){s.sameKey, s.otherBody, s.atOnce, s.cut, s.otherForms} {
			if ctx.Err() == nil {
				probe(ctx)
			}
		}
	}
	if ctx.Err() != nil {
		return &unasked{"interrupted after " + count(s.calls)}
	}
	return err
}

func (s *session) add(name, did, got string, f finding) {
	s.rows = append(s.rows, row{name, did, got, f})
}

// enough adds a row that says that the calls do not suffice, and reports whether
// they do.
func (s *session) enough(name, did string, calls int) bool {
	if s.left() >= calls {
		return true
	}
	s.add(name, did, "-", untold(fmt.Sprintf("not probed: it takes %s, --max-calls leaves %d", count(calls), s.left())))
	return false
}

// count is a number of calls in words.
func count(calls int) string {
	if calls == 1 {
		return "1 call"
	}
	return fmt.Sprintf("%d calls", calls)
}

// sameKey sends the first request again, then its body under another key.
func (s *session) sameKey(ctx context.Context) {
	const did = "the same key and body again"
	if !s.enough("same key", did, 1) {
		s.class = untold("it takes at least 2 calls")
		return
	}
	repeat, _ := s.settle(ctx, s.key, s.text)
	control := s.ask(ctx, s.form.fresh(), s.text)
	s.class = judgeClass(s.first, repeat, control)
	s.marks = repeat.mark != "" && s.first.mark == ""
	s.steady = control.kind == answered && like(s.first, control) != different
	s.add("same key", did, repeat.seen()+compared(s.first, repeat), s.class)
	says := finding{"other_answer", proved, "what a new execution looks like"}
	switch {
	case control.kind == notAsked:
		says = untold("not probed: --max-calls leaves 0")
	case control.kind != answered:
		says = untold("it was not answered")
	case like(s.first, control) >= sameCall:
		says = finding{"same_answer", proved, "equal bodies have one answer, whatever the key"}
	case like(s.first, control) == sameText:
		says = finding{"same_text", proved, "executions come to one text here, and ids alone tell them apart"}
	}
	s.add("other key", "the same body, another key", control.seen()+compared(s.first, control), says)
}

// settle asks, and asks again while the key is in use. ran says that it was.
func (s *session) settle(ctx context.Context, key, prompt string) (o outcome, ran bool) {
	for range maxWaits {
		if o = s.ask(ctx, key, prompt); o.kind != busy || s.left() == 0 {
			return o, ran
		}
		ran = true
		pause(ctx, min(max(o.wait, defaultWait), maxWait))
	}
	if s.left() > 0 {
		o = s.ask(ctx, key, prompt)
	}
	return o, ran
}

// pause waits, at most until the context ends.
func pause(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-ctx.Done():
	}
}

// otherBody sends another prompt under the key of the first answer.
func (s *session) otherBody(ctx context.Context) {
	const did = "another body under the used key"
	if s.class.result != classReplay {
		return // one that ignores keys executes it, one that rejects them refuses
	}
	if !s.enough("other body", did, 1) {
		return
	}
	o := s.ask(ctx, s.key, prompt())
	f := judgeBody(s.first, o, s.steady)
	s.careless = f.result == "replays"
	s.add("other body", did, o.seen()+compared(s.first, o), f)
}

// prompt asks for what is different each time, and is itself like no other, so that
// no cache knows it.
func prompt() string {
	return "Invent one word that does not exist and a number of eight digits, at random. Reply with these two alone. (" + random(8) + ")"
}

// random is n random bytes in hexadecimal.
func random(n int) string {
	b := make([]byte, n)
	_, _ = rand.Read(b) // it never fails
	return hex.EncodeToString(b)
}

// compared says how an answer is like the first one.
func compared(first, o outcome) string {
	if o.kind != answered {
		return ""
	}
	switch like(first, o) {
	case identical:
		return ", same bytes"
	case sameCall:
		return ", same id and text"
	case sameText:
		return ", same text, other id"
	}
	return ", other text"
}
