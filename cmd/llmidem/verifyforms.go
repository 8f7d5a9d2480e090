package main

import (
	"context"
	"fmt"

	"github.com/google/uuid"
)

// form is how a key looks.
type form struct {
	name   string // in the report
	quoted bool
	sized  bool // of letters and digits alone: what is refused is the length
	make   func() string
}

// fresh is a new key as it stands in the header.
func (f form) fresh() string {
	if f.quoted {
		return `"` + f.make() + `"`
	}
	return f.make()
}

// length is that of its keys, without quotes.
func (f form) length() int { return len(f.make()) }

// formResult is whether keys of a form are taken.
type formResult struct {
	form
	result string // accepted, refused or unknown
}

// ours is a key as this module makes it; the others are of a length, of letters
// and digits alone or with the underscore.
func ours() string { return "idem_" + random(32) }

func letters(n int) form {
	return form{fmt.Sprintf("%d letters and digits", n), false, true, func() string { return random(n)[:n] }}
}

func underscored(n int) form {
	return form{fmt.Sprintf("%d with an underscore", n), false, false, func() string { return "idem_" + random(n)[:n-len("idem_")] }}
}

// inQuotes is the form as draft-ietf-httpapi-idempotency-key-header asks for it.
func (f form) inQuotes() form {
	f.name, f.quoted = f.name+", quoted", true
	return f
}

var (
	formIdem = form{"idem_ and 64 digits", false, false, ours}
	formUUID = form{"UUID", false, false, uuid.NewString}
)

// begin finds a form of the key that is taken, and the body that the model takes.
func (s *session) begin(ctx context.Context) error {
	s.text = prompt()
	keyless := false
	for _, f := range []form{formIdem, formIdem.inQuotes(), formUUID, formUUID.inQuotes()} {
		o := s.try(ctx, f)
		if o.kind == denied && !o.aboutKey && !keyless {
			switch bare := s.ask(ctx, "", s.text); bare.kind {
			case answered:
				keyless = true
			case notAsked:
				s.class = untold("the first request was refused, and --max-calls leaves none to tell whether for its key")
				s.tell(f, "first key", o, untold("it may be the key that is refused, or the body"))
				return nil
			default:
				return s.unasked(o) // it is not the key that is refused
			}
		}
		switch o.kind {
		case answered:
			s.form, s.first = f, o
			s.tell(f, "first key", o, finding{"accepted", proved, "a new key is answered"})
			return nil
		case denied:
			s.tell(f, "first key", o, finding{"refused", proved, "keys of this form are refused"})
		case notAsked:
			s.class = untold("no form of the key was taken in the calls that --max-calls allows")
			return nil
		default:
			return s.unasked(o)
		}
	}
	s.class = untold("every form of the key that was tried is refused")
	return nil
}

// try asks under a new key of a form, again without the parameters that newer
// models refuse where it is these.
func (s *session) try(ctx context.Context, f form) outcome {
	s.key = f.fresh()
	o := s.ask(ctx, s.key, s.text)
	if o.kind == denied && o.aboutUse && !s.plain && s.left() > 0 {
		s.plain, s.key = true, f.fresh()
		o = s.ask(ctx, s.key, s.text)
	}
	return o
}

func (s *session) tell(f form, name string, o outcome, says finding) {
	s.forms = append(s.forms, formResult{f, says.result})
	s.add(name, f.name, o.seen(), says)
}

// otherForms tries forms that keys could have besides the one that is taken. A
// service that ignores keys takes all, which says nothing.
func (s *session) otherForms(ctx context.Context) {
	if s.class.result != classReplay && s.class.result != classReject {
		return
	}
	if s.form.length() < len(ours()) { // is it the length or the underscore?
		if s.accepts(ctx, letters(64)) == "refused" {
			s.accepts(ctx, letters(40))
		}
		s.accepts(ctx, underscored(36))
		return
	}
	if !s.form.quoted {
		s.accepts(ctx, formIdem.inQuotes())
	}
	s.accepts(ctx, formUUID)
	if s.accepts(ctx, letters(255)) == "accepted" {
		s.accepts(ctx, letters(256))
	}
}

// accepts asks under a new key of a form, quoted where those that are taken are.
func (s *session) accepts(ctx context.Context, f form) string {
	if s.form.quoted && !f.quoted {
		f = f.inQuotes()
	}
	if ctx.Err() != nil || !s.enough("form", f.name, 1) {
		return unknown
	}
	o := s.ask(ctx, f.fresh(), prompt())
	says := untold("it was not answered")
	switch {
	case o.kind == answered && (o.mark == "" || s.first.mark != ""):
		says = finding{"accepted", proved, "keys of this form are taken"}
	case o.kind == answered:
		says = untold("a new key is marked as a replay")
	case o.kind == denied && o.aboutKey:
		says = finding{"refused", proved, "keys of this form are refused"}
	case o.kind == denied:
		says = finding{"refused", likely, "keys of this form are refused, without a word on the key"}
	}
	s.tell(f, "form", o, says)
	return says.result
}

// keys are what the forms say of the service's keys: quotes, the longest that is
// taken where a longer one is refused, and a pattern where the underscore is.
func (s *session) keys() (quoted bool, maxLen int, pattern string) {
	taken, limit := 0, false
	for _, r := range s.forms {
		switch {
		case r.result == "accepted":
			taken = max(taken, r.length())
			limit = limit || r.make()[:5] == "idem_" && r.length() < len(ours()) // the whole one was refused
		case r.result == "refused" && r.sized:
			limit = true
		case r.result == "refused" && r.length() == 36 && r.make()[:5] == "idem_":
			pattern = "[A-Za-z0-9-]+"
		}
	}
	if !limit {
		taken = 0
	}
	return s.form.quoted, taken, pattern
}
