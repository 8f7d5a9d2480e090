package llmidem

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"reflect"

	"github.com/llmidem/llmidem-go/llmidem/identity"
	"github.com/llmidem/llmidem-go/llmidem/internal/complete"
)

// Do makes a call of any function (a tool, a charge, a request of another kind)
// be executed once: equal calls, by name and payload, share one execution and its
// result for as long as a record is kept, and the function is given the key to
// pass on. What a caller's end, a repetition and a crash mean is as for requests;
// there are no retries, so an error of fn leaves the call in doubt unless fn says
// otherwise with [NotExecuted].
//
// The payload is marshaled to JSON and never leaves the process. The result
// travels as JSON, also to the caller whose call executed fn, so that all get the
// same; a T that does not survive that is CodeInvalid, before fn runs. fn runs
// with a context that outlives its caller, and on a goroutine of its own; a panic
// in it is a panic in the caller. Inside of a run ([WithRun]) a name and payload
// are executed once, also after a restart; an intended repeat says [Occurrence].
func Do[T any](ctx context.Context, c *Client, name string, payload any, fn func(ctx context.Context, key identity.Key) (T, error), opts ...CallOption) (Result[T], error) {
	var res Result[T]
	ctx, state := withState(ctx, opts)
	cl, err := c.function(ctx, state, name, payload, reflect.TypeFor[T]())
	ctx = c.startCall(ctx, cl)
	if err != nil {
		return res, cl.fail(ctx, asError(err, cl))
	}
	run := func(ctx context.Context, cl *call) (*answer, error) {
		return cl.execute(ctx, func(ctx context.Context) (any, error) { return fn(ctx, cl.key) })
	}
	ans, err := c.inRun(c.recall(c.coalesce(c.intend(c.wrote(c.claim(c.goOn(run)))))))(ctx, cl)
	ans, err = cl.outcomeFirst(ctx, ans, err)
	if err == nil {
		err = json.Unmarshal(ans.body, &res.Value)
	}
	if err != nil {
		failed := cl.fail(ctx, asError(err, cl))
		res.Receipt = state.snapshot()
		return res, failed
	}
	state.record(cl, ans, nil)
	cl.endDone(ctx, ans)
	res.Receipt = state.snapshot()
	return res, nil
}

// NotExecuted wraps an error of a function given to [Do] to say that nothing was
// done: the claim is released, and the next equal call executes fn. nil stays nil.
func NotExecuted(err error) error {
	if err == nil {
		return nil
	}
	return &notExecuted{err}
}

type notExecuted struct{ error }

func (e *notExecuted) Unwrap() error { return e.error }

// function makes a call of a function's name and payload.
func (c *Client) function(ctx context.Context, state *callState, name string, payload any, result reflect.Type) (*call, error) {
	cl := &call{core: c.core, progress: &progress{}, span: noSpan, state: state, opts: state.opts}
	cl.facts, cl.result = facts{operation: "do:" + name}, result.String()
	if cl.opts.invalid != nil {
		return cl, cl.opts.refusal()
	}
	if err := c.resultType(result); err != nil {
		return cl, invalid("the result of "+name+" does not survive JSON: "+err.Error(), err)
	}
	if err := cl.enterRun(ctx); err != nil {
		return cl, err
	}
	text, err := json.Marshal(payload)
	if err != nil {
		return cl, invalid("the payload of "+name+" cannot be written as JSON", err)
	}
	cl.doc, err = identity.Function(name, text, cl.opts.identityCall(nil, nil))
	if err != nil {
		return cl, invalid("the payload of "+name+" has no canonical form: "+err.Error(), err)
	}
	cl.key, err = c.scheme.Key(cl.doc)
	if err != nil {
		return cl, invalid("the key cannot be made: "+err.Error(), err)
	}
	if cl.opts.key != nil {
		if cl.key, err = cl.agreed(cl.opts.key.key); err != nil {
			return cl, err
		}
	}
	cl.home = c.homeOf(nil, "")
	return cl, cl.place(ctx)
}

// execute runs the function and writes its result as JSON.
func (c *call) execute(ctx context.Context, fn func(context.Context) (any, error)) (*answer, error) {
	c.progress.written.Store(true)
	c.progress.sends.Add(1)
	ctx = context.WithValue(ctx, stateKey, (*callState)(nil))
	if c.scope != nil {
		ctx = context.WithValue(ctx, runKey, c.scope.inside(c.keyText))
	}
	value, err := fn(ctx)
	var not *notExecuted
	if errors.As(err, &not) {
		return nil, c.failure(CodeFailed, "the function failed, and did nothing", err)
	}
	if err != nil {
		e := c.failure(CodeAmbiguous, "the function failed, and may have been executed", err)
		e.inDoubt = true
		return nil, e
	}
	body, err := json.Marshal(value)
	if err != nil {
		e := c.failure(CodeAmbiguous, "the function's result cannot be written as JSON", err)
		e.inDoubt = true
		return nil, e
	}
	return &answer{status: http.StatusOK, body: body, source: SourceProvider, sends: c.progress.count(),
		verdict: complete.Result{Terminal: true, Keep: true}, tooLarge: int64(len(body)) > c.cfg.MaxEntry}, nil
}
