package llmidem

import (
	"fmt"

	"github.com/llmidem/llmidem-go/llmidem/audit"
	"github.com/llmidem/llmidem-go/llmidem/identity"
	"github.com/llmidem/llmidem-go/llmidem/store"
)

// ForFinance is for calls of which each must be accounted for. It promises:
//
//   - Keys are UUIDs of version 5 in a namespace of yours: any random UUID, the same
//     for ever. Nothing is excluded from the identity, each call has a user ([User]
//     or the body's), and a body member that Provider.Rules.Params does not name is
//     CodeInvalid: a team writes down what makes two calls the same.
//   - A call is made under a claim that outlives the process: the provider replays by
//     key, or [WithStore] has a store that is shared and durable (pgstore; redisstore
//     with Config.AcceptStoreLoss, since its failover may lose a claim). A store that
//     fails is CodeUnavailable before anything is sent.
//   - A call that may have been executed is never made again by itself: it is
//     CodeAmbiguous in every process until [Client.Forget].
//   - The log has a call's intent on the disk before its claim, and its outcome before
//     its caller has the answer. When the intent cannot be written nothing is sent;
//     when the outcome cannot, the call is CodeUnavailable, the answer stays recorded,
//     and the next try is given it and writes the line.
//
// What cannot keep that is CodeInvalid: streams, which are given out before their
// outcome is known, NoRecall, Exclude, and requests that change a conversation at
// the provider. An option after it that breaks the promise is refused by [New]. The
// log must not be one of [audit.SyncAsync]; it stays yours to close.
func ForFinance(namespace [16]byte, log *audit.Log) Option {
	scheme := identity.UUID5(namespace)
	return preset{
		name: "ForFinance",
		set: func(s *settings) {
			s.scheme, s.finance = scheme, true
			s.cfg.merge(Config{OnAmbiguous: Fail, OnUnknown: Fail, StoreDown: Refuse, Strict: true, ExcludedFields: []string{}})
			if log != nil {
				s.audit = log
			}
		},
		promise: func(s *settings) error { return s.keepsFinance(log) },
	}
}

// keepsFinance reports what breaks the promise of ForFinance.
func (s *settings) keepsFinance(log *audit.Log) error {
	broken := func(option, wrong, fix string) error {
		return optionError(option, wrong+", and ForFinance promises otherwise", fix)
	}
	traits := store.TraitsOf(s.store)
	switch {
	case log == nil:
		return optionError("ForFinance", "has no audit log", "open one with audit.Open")
	case s.audit != auditLog(log):
		return broken("WithAudit", "replaces the log", "give the log to ForFinance")
	case !log.Durable():
		return optionError("ForFinance", "has an audit log that a power cut may take records from", "open it without audit.SyncAsync")
	case s.schemeSet || s.cfg.KeyPrefix != "" || s.cfg.Scheme != "":
		return broken("WithScheme, Config.Scheme or KeyPrefix", "changes how keys are made", "leave it out; the namespace makes the keys")
	case len(s.cfg.ExcludedFields) > 0:
		return broken("Config.ExcludedFields", "excludes members from the identity", "leave it out")
	case s.cfg.OnAmbiguous != Fail, s.cfg.OnUnknown != Fail:
		return broken("Config.OnAmbiguous or OnUnknown", "lets a call be made again that may have been executed", "leave it out")
	case s.cfg.StoreDown != Refuse:
		return broken("Config.StoreDown", "lets calls go out without a record", "leave it out")
	case s.cfg.Recall > RecallAlways:
		return broken("WithRecall", "lets an equal call be made again", "leave it out")
	case s.provider.Keys.Class == Replay:
		return nil
	case s.store == nil || !traits.Shared:
		return optionError("ForFinance", "has neither a provider that replays by key nor a store that is shared and durable",
			"add WithStore with a store of pgstore")
	case !traits.Durable && !s.cfg.AcceptStoreLoss:
		return optionError("ForFinance", "has a store that may lose claims",
			"use pgstore, or say Config{AcceptStoreLoss: true} if a failover that lets a call be made twice is acceptable")
	}
	return nil
}

// promised reports what makes a call one that ForFinance cannot keep its promise
// for.
func (c *call) promised() error {
	if !c.finance {
		return nil
	}
	refuse := func(reason string) error { return c.failure(CodeInvalid, "ForFinance: "+reason, nil) }
	switch {
	case c.doc.User() == "":
		return refuse("the call has no user; say llmidem.User(id) or name one in the body")
	case c.facts.stream:
		return refuse("a stream is given out before its outcome is on record; ask without stream")
	case c.opts.noRecall, c.recallMode == recallNone:
		return refuse("the call cannot be recorded: NoRecall, or it changes a conversation at the provider")
	case len(c.opts.exclude) > 0:
		return refuse("the option Exclude takes members out of the identity")
	case c.result != "": // a function has no members
		return nil
	}
	if pointer := c.provider.Rules.Unnamed(c.doc); pointer != "" {
		return refuse(fmt.Sprintf("the rules do not name the body member %q; add it to Provider.Rules.Params[%q] if it is a part of what is asked",
			pointer, c.facts.operation))
	}
	return nil
}
