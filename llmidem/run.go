package llmidem

import (
	"context"
	"strings"
	"unicode"
	"unicode/utf8"
)

// maxRunName is how long the id of a run and the name of a branch may be, in bytes.
const maxRunName = 256

// WithRun makes all calls with the context steps of one run: a scope that tells
// intended repeats from retries by counting them, so that a program that crashed
// and is started again with the same id finds its answers in order and goes on
// where it stopped. It needs a store that lasts; on memory alone it says so with
// a WARN.
//
// Among equal calls whose answers are drawn (chat, completions, Responses with a
// temperature other than 0, images) each takes the lowest number that is free,
// from 0. The number is the call's occurrence. It is free again when an error
// reaches the caller, so that the repetition of a failed call is that call; a
// stream that is closed early keeps it. Equal requests inside of one [Call] or
// [WithReceipt] are one call, as an SDK's own retries are. Not counted are other
// operations and calls of [Do] (equal ones in a run are one call, so that a tool
// is executed once; say [Occurrence] for an intended repeat), and calls with
// Occurrence, [Fresh], [Key] or a key header of their own, whose number the caller
// gave. [NoRecall], [RecallOff] and requests that change state at the provider have
// no part in the run. Calls that fn makes inside of a Do are counted for
// themselves, since they are not made again when its result is recorded.
//
// Each WithRun counts from 0. Inside of a run, WithRun with the id of a run that
// the context is in already goes on with that one, its branch included; with
// another id it begins a run of its own, which takes the place of the outer one
// and of its branches.
//
// Equal calls at the same time are two calls, and may swap their answers after a
// restart: a WARN, and [Receipt].Unordered, say so. [Branch] keeps them apart.
//
// Answers of a run are kept for 7 days after its last write (an answer that is
// replayed is none), whatever Config.CacheTTL is, and at most for 14 days after its
// first call. They end together: a WithRun after that begins the run anew. Where
// some are gone before the others, or soon will be, calls are CodeInvalid ("run
// expired") until it is over, and so are those of a program that was idle while
// another has begun the run anew. Answers belong to the namespace, provider and
// account of their client, and so do runs.
//
// The scope in a call's identity is
//
//	run "ID" branch "NAME" … scope "SCOPE"
//
// with each branch from the outside in, and the caller's own [Scope] where there
// is one; in the texts \ and " have a \ in front. Calls inside of a Do have its key
// as a part: do "KEY".
//
// The id is 1 to 256 bytes of UTF-8 without control characters; with another one
// every call is CodeInvalid. The context may be used concurrently.
func WithRun(ctx context.Context, id string) context.Context {
	inner := scopeIn(ctx)
	for s := inner; s != nil; s = s.outer {
		switch {
		case s == inner && (s.wrong != "" || s.run.id == id):
			return ctx
		case s.run.id == id:
			return context.WithValue(ctx, runKey, s)
		}
	}
	s := &runScope{wrong: wrongName("WithRun: the run's id", id), outer: inner}
	if s.wrong == "" {
		s.run = &run{id: id, lives: &runLives{id: id}}
		s.text = "run " + quoted(id)
	}
	return context.WithValue(ctx, runKey, s)
}

// Branch extends the scope of a run, for parts of it that run at the same time:
// equal calls in two branches are two calls, and each finds its own answer after
// a restart. A branch is known by its name and those of the branches around it;
// the same name from the same context is the same branch, whose counters go on.
//
// Outside of a run, and with a name that is no id of a run either, every call with
// the context is CodeInvalid: nothing would keep the calls apart.
func Branch(ctx context.Context, name string) context.Context {
	outer := scopeIn(ctx)
	s := &runScope{}
	switch {
	case outer == nil:
		s.wrong = "Branch outside of a run keeps nothing apart; call WithRun(ctx, id) first"
	case outer.wrong != "":
		return ctx
	default:
		s.wrong = wrongName("Branch: the name", name)
		s.run, s.outer = outer.run, outer.outer
		s.text = outer.text + " branch " + quoted(name)
	}
	return context.WithValue(ctx, runKey, s)
}

// wrongName says what is wrong with an id or a name; "" when nothing is.
func wrongName(what, name string) string {
	switch {
	case name == "":
		return what + " is empty; give it one that is the same after a restart"
	case len(name) > maxRunName:
		return what + " is longer than 256 bytes; use a shorter one, or a digest"
	case !utf8.ValidString(name):
		return what + " is not UTF-8; use text, or hexadecimal digits"
	case strings.ContainsFunc(name, unicode.IsControl):
		return what + " has control characters; leave them out"
	}
	return ""
}

// runScope is where in a run the calls of a context are. It is not changed.
type runScope struct {
	run   *run
	text  string    // in the identity
	outer *runScope // of another run
	wrong string    // why no call can be made; run may be nil then
}

// run is what one WithRun knows of its run.
type run struct {
	id    string
	lives *runLives
	counters
}

func scopeIn(ctx context.Context) *runScope {
	s, _ := ctx.Value(runKey).(*runScope)
	return s
}

// with adds the caller's own scope.
func (s *runScope) with(own string) string {
	if own == "" {
		return s.text
	}
	return s.text + " scope " + quoted(own)
}

// inside is the scope of the calls that a function makes: they count from 0 each
// time it is executed, and apart from those around it, which are counted the same
// whether it is executed or its result is recorded.
func (s *runScope) inside(key string) *runScope {
	return &runScope{run: &run{id: s.run.id, lives: s.run.lives}, text: s.text + " do " + quoted(key), outer: s.outer}
}

// quoted puts a text into quotes so that no two lists of texts read alike.
func quoted(s string) string {
	return `"` + strings.ReplaceAll(strings.ReplaceAll(s, `\`, `\\`), `"`, `\"`) + `"`
}
