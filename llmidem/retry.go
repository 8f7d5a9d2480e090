package llmidem

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"strconv"
	"time"

	"github.com/llmidem/llmidem-go/llmidem/internal/semconv"
)

// errElapsed is why a call's context ends when its time budget is spent.
var errElapsed = fmt.Errorf("llmidem: the call took longer than Retry.Elapsed: %w", context.DeadlineExceeded)

// retry makes attempts until one settles the call.
func (k *core) retry(next handler) handler {
	return func(ctx context.Context, c *call) (*answer, error) {
		ctx, cancel := c.cancellable(ctx)
		c.body.hold()
		open := false
		defer func() {
			if !open {
				c.body.release()
			}
		}()
		r := &retries{call: c, next: next, cancel: cancel, start: time.Now()}
		ans, err := r.attempt(ctx)
		if err != nil {
			return nil, err
		}
		switch {
		case ans.live != nil: // the body is still to be read: the context ends with it
			open = true
			ans.live.cancel, ans.live.again = cancel, r.resume
		case ans.rest != nil:
			ans.rest = &closeFunc{ReadCloser: ans.rest, then: func() { cancel(nil) }}
		case c.flight == nil:
			cancel(nil)
		}
		return r.end(ans)
	}
}

// attempt makes attempts until one settles the call, or its time is over. A stream
// that is asked for again has that time anew.
func (r *retries) attempt(ctx context.Context) (*answer, error) {
	defer r.deadlines.end(r.deadlines.begin(r.cancel))
	for {
		ans, err := r.next(ctx, r.call)
		if err != nil {
			return nil, err
		}
		if delay, again := r.again(ctx, ans); !again || !r.wait(ctx, ans, delay) {
			return ans, nil
		}
	}
}

// resume asks again for a stream that broke off, as after an attempt that ended so.
func (r *retries) resume(ctx context.Context, e ending) (*answer, error) {
	ans := &answer{status: http.StatusOK, end: e}
	if delay, again := r.again(ctx, ans); !again || !r.wait(ctx, ans, delay) {
		return ans, nil
	}
	return r.attempt(ctx)
}

// cancellable is a context that the time budget can end: the flight's own, else
// one that is made for the call.
func (c *call) cancellable(ctx context.Context) (context.Context, context.CancelCauseFunc) {
	if c.flight != nil {
		return ctx, c.flight.cancel
	}
	return context.WithCancelCause(ctx)
}

// retries is the state of one call's attempts.
type retries struct {
	*call
	next      handler
	cancel    context.CancelCauseFunc
	start     time.Time
	attempts  int // that count, the last included
	ambiguous int // repetitions after an attempt that may have been executed
	elapsed   bool
}

// again says whether the call is attempted again, and after how long.
func (r *retries) again(ctx context.Context, ans *answer) (time.Duration, bool) {
	e := ans.end
	if e.class == classDone {
		r.core.budget.earn()
		return 0, false
	}
	if !e.inProgress {
		r.attempts++
	}
	if ctx.Err() != nil || r.progress.lost.Load() || e.final || r.attempts >= r.cfg.Retry.MaxAttempts || !r.mayRepeat(e) {
		return 0, false
	}
	delay, ok := r.delay(e)
	if !ok || !r.timeFor(ctx, delay) {
		return 0, false
	}
	if w := r.provider.Keys.Window; w > 0 && time.Since(r.start)+delay > w {
		r.elapsed = true
		return 0, false
	}
	if !e.inProgress && !r.core.budget.take() {
		return 0, false
	}
	if e.class == classAmbiguous {
		r.ambiguous++
	}
	return delay, true
}

// mayRepeat is the class table: what an attempt's end allows.
func (r *retries) mayRepeat(e ending) bool {
	keys := r.provider.Keys.Class
	switch {
	case e.class == classNotSent:
		return true
	case keys == Reject:
		return false
	case e.class == classRefused:
		return true
	case e.class == classFinal:
		return e.force
	case r.failsAmbiguous():
		return false
	}
	return keys == Replay || r.ambiguous < r.cfg.Retry.MaxAmbiguous
}

// failsAmbiguous reports whether the call must not be repeated once it may have
// been executed: by the policy, or since its tools would run twice.
func (c *call) failsAmbiguous() bool {
	return c.cfg.OnAmbiguous == Fail || c.facts.tools && c.provider.Keys.Class != Replay
}

// delay is how long the provider asks to wait, else exponential backoff with
// full jitter. ok is false when the provider asks for more than is allowed.
func (r *retries) delay(e ending) (d time.Duration, ok bool) {
	switch {
	case e.hinted && e.inProgress: // these are not counted, so they must not come thick and fast
		return max(e.hint, r.cfg.Retry.BaseDelay), e.hint <= r.cfg.Retry.MaxHint
	case e.hinted:
		return e.hint, e.hint <= r.cfg.Retry.MaxHint
	case e.inProgress:
		return r.cfg.Retry.BaseDelay, true
	}
	bound := r.cfg.Retry.BaseDelay << min(max(r.attempts-1, 0), 20)
	if bound <= 0 || bound > r.cfg.Retry.MaxHint {
		bound = r.cfg.Retry.MaxHint
	}
	return rand.N(bound + 1), true
}

// timeFor reports whether a wait ends before the call's time and its context do.
func (r *retries) timeFor(ctx context.Context, delay time.Duration) bool {
	if time.Since(r.start)+delay >= r.cfg.Retry.Elapsed {
		return false
	}
	deadline, ok := ctx.Deadline()
	return !ok || time.Until(deadline) > delay
}

// wait waits before the next attempt; false means that the context ended.
func (r *retries) wait(ctx context.Context, ans *answer, delay time.Duration) bool {
	r.logRetry(ctx, ans.end, ans.status, delay)
	r.progress.waits(delay)
	t := time.NewTimer(delay)
	defer t.Stop()
	select {
	case <-t.C:
	case <-ctx.Done():
		return false
	}
	if ans.rest != nil {
		ans.rest.Close()
	}
	return true
}

// end is what the call comes to: an HTTP answer as it came, or an error.
func (r *retries) end(ans *answer) (*answer, error) {
	ans.sends = r.progress.count()
	ans.paidToo = ans.source == SourceReplay && r.ambiguous > 0
	e := ans.end
	if r.elapsed {
		if ans.rest != nil {
			ans.rest.Close()
		}
		err := r.failure(CodeWindowElapsed, "the provider may have forgotten the key since "+
			r.provider.Keys.Window.String()+" have passed, so one more attempt could be executed again", e.err)
		err.inDoubt = e.class == classAmbiguous
		return nil, err
	}
	if e.err == nil {
		return ans, nil
	}
	reason := e.reason
	if e.content && r.ambiguous > 0 {
		reason += "; whether an attempt before it was executed is not known"
	}
	err := r.failure(CodeFailed, reason, e.err)
	err.errType, err.inDoubt, err.RetryAfter = e.errType, e.class == classAmbiguous || e.content && r.ambiguous > 0, e.hint
	if err.inDoubt {
		err.Code = CodeAmbiguous
	}
	return nil, err
}

// statusError is what Call returns in place of an answer that is an error.
func (c *call) statusError(ans *answer) *Error {
	reason, errType := "the provider answered with status "+strconv.Itoa(ans.status), strconv.Itoa(ans.status)
	if ans.broken {
		reason, errType = "the provider's stream was an error or ended in one", ans.end.errType
	}
	e := c.failure(CodeFailed, reason+codeText(ans.end.code), nil)
	e.errType, e.Attempts = errType, ans.sends
	if ans.end.class == classAmbiguous {
		e.Code, e.inDoubt = CodeAmbiguous, true
	}
	if ans.end.hinted {
		e.RetryAfter = ans.end.hint
	}
	return e
}

// codeText is a provider's code for our texts: only what looks like a code, since
// whatever else stands there could be anything.
func codeText(code string) string {
	if code == "" || len(code) > 64 || !validToken(code) {
		return ""
	}
	return " (" + code + ")"
}

// errorTypeOf is the error.type of an attempt.
func (a *answer) errorTypeOf() string {
	switch {
	case a.end.errType != "":
		return a.end.errType
	case a.status >= http.StatusBadRequest:
		return strconv.Itoa(a.status)
	case a.end.err != nil:
		return semconv.ErrorConnection
	}
	return ""
}
