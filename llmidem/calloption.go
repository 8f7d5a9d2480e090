package llmidem

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"slices"
	"sync/atomic"

	"github.com/llmidem/llmidem-go/llmidem/identity"
	"github.com/llmidem/llmidem-go/llmidem/store"
)

// A CallOption says something about one logical call. Options are values that
// may be kept and used again; for [Fresh] and [Key] that means the same call.
type CallOption interface{ applyCall(*callOptions) }

type callOptionFunc func(*callOptions)

func (f callOptionFunc) applyCall(o *callOptions) { f(o) }

// callOptions is what the options of one call add up to. It is copied.
type callOptions struct {
	user       string
	scope      string
	nonce      string
	occurrence uint64
	repeat     bool // occurrence was given
	exclude    []string
	noRecall   bool
	key        *keyBinding
	invalid    *Error // an option that cannot be honoured
}

// refusal is the error of options that cannot be honoured. Each call has its own,
// since what is known of the call is added to it.
func (o callOptions) refusal() *Error {
	e := *o.invalid
	return &e
}

// keyBinding is a caller's own key and the identity it was first used for.
type keyBinding struct {
	key   identity.Key
	first atomic.Pointer[store.Fingerprint]
}

// binds reports whether the key stands for this identity and no other.
func (b *keyBinding) binds(fp store.Fingerprint) bool {
	b.first.CompareAndSwap(nil, &fp)
	return *b.first.Load() == fp
}

// User is the user of the call: part of its identity, so that two users never
// share an answer. It overrides the user field of the body. Default: the body's.
func User(id string) CallOption {
	return callOptionFunc(func(o *callOptions) { o.user = id })
}

// Scope sets calls of equal content apart: a run, a job, a conversation. Equal
// calls in one scope are one call. Inside of a run ([WithRun]) it adds to the
// run's. Default: none.
func Scope(name string) CallOption {
	return callOptionFunc(func(o *callOptions) { o.scope = name })
}

// Occurrence says which of several equal calls this is, from 0: it is how an
// intended repeat (the third of a best of five) is told from a retry. Default: 0;
// inside of a run ([WithRun]) equal calls that do not say it are counted.
func Occurrence(n uint64) CallOption {
	return callOptionFunc(func(o *callOptions) { o.occurrence, o.repeat = n, true })
}

// Fresh makes the call anew, whatever was answered before. The nonce that makes
// it different is drawn here, so that the retries of this call, and another
// call with the same option value, are still the same call.
func Fresh() CallOption {
	var nonce [16]byte
	rand.Read(nonce[:]) // never fails: crypto/rand, since Go 1.24
	text := hex.EncodeToString(nonce[:])
	return callOptionFunc(func(o *callOptions) { o.nonce = text })
}

// Key is a key of the caller's own, in place of the one that is made of the
// content: 1 to 255 visible ASCII characters without quotes and commas
// ([identity.Foreign]). It stands for one request: with another one the call is
// CodeConflict. A bad key is CodeInvalid.
func Key(k string) CallOption {
	key, err := identity.Foreign(k)
	binding := &keyBinding{key: key}
	return callOptionFunc(func(o *callOptions) {
		if err != nil {
			o.invalid = invalid("option Key: "+err.Error(), err)
			return
		}
		o.key = binding
	})
}

// Exclude adds dotted paths of body members that do not count for this call's
// identity to those that the client excludes. Members that decide whether an
// answer may be given again, such as conversation, are CodeInvalid.
func Exclude(paths ...string) CallOption {
	return callOptionFunc(func(o *callOptions) {
		if i := slices.IndexFunc(paths, leans); i >= 0 {
			o.invalid = invalid("option Exclude: "+paths[i]+" decides whether an answer may be given again; leave it in", nil)
			return
		}
		o.exclude = append(o.exclude[:len(o.exclude):len(o.exclude)], paths...)
	})
}

// NoRecall makes the call without looking for an answer, sharing one or keeping
// it. It still has a key and is retried. To be answered anew and keep that, use
// [Fresh].
func NoRecall() CallOption {
	return callOptionFunc(func(o *callOptions) { o.noRecall = true })
}

type contextKey int

const (
	optionsKey     contextKey = iota // callOptions, from WithCall
	stateKey                         // *callState, from Call and WithReceipt
	pathKey                          // *path, the calls that this one is inside of
	runKey                           // *runScope, from WithRun and Branch
	attachmentsKey                   // []*identity.Attachment, from WithAttachments
	batchKey                         // trace.SpanContext, from StartBatch
)

// WithCall gives options to all calls made with the context, for code where
// nothing but a context passes. Options of [Call] and inner WithCalls come after
// them. Key and Fresh make all equal calls with this context one call.
func WithCall(ctx context.Context, opts ...CallOption) context.Context {
	o := optionsFrom(ctx, opts)
	return context.WithValue(ctx, optionsKey, o)
}

// optionsFrom adds options to those of the context.
func optionsFrom(ctx context.Context, opts []CallOption) callOptions {
	o, _ := ctx.Value(optionsKey).(callOptions)
	for _, opt := range opts {
		if opt != nil {
			opt.applyCall(&o)
		}
	}
	return o
}

// scopeOf is the scope in the identity document. A nonce follows the caller's
// own scope behind a blank, so that it stays readable.
func (o callOptions) scopeOf() string {
	switch {
	case o.nonce == "":
		return o.scope
	case o.scope == "":
		return "fresh " + o.nonce
	}
	return o.scope + " fresh " + o.nonce
}
