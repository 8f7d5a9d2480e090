package batch

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/llmidem/llmidem-go/llmidem"
	"github.com/llmidem/llmidem-go/llmidem/store"
)

// work makes items until there are no more.
func (e *engine) work() {
	for t := range e.tasks {
		o := outcome{n: t.n}
		for e.feeding.Err() == nil && e.until.Err() == nil {
			o = e.make(&t)
			if o.fate != fateDeferred || !e.ordered {
				break
			}
			o = outcome{n: t.n} // in order, it has to be waited for
		}
		e.outcomes <- o
	}
}

// make makes an item, or finds out why it need not or must not be made.
func (e *engine) make(t *task) outcome {
	o := outcome{n: t.n}
	ctx, receipt := llmidem.WithReceipt(e.ctx, llmidem.Scope(e.scope), llmidem.Occurrence(e.index.occurrence(t.n)))
	state := store.Absent
	if !e.fresh || e.shared {
		dead, err := e.letter(t)
		if err == nil && dead != nil {
			o.known = true
			return e.settled(o, dead)
		}
		if err == nil {
			state, err = e.look(ctx, t)
		}
		if err != nil {
			return e.failed(o, err)
		}
	}
	switch {
	case e.collect && state != store.Completed:
		o.fate = fateMissing
		return o
	case state == store.InFlight && !t.await:
		o.fate = fateDeferred
		return o
	case state == store.Completed:
		return e.send(ctx, t, o, receipt)
	}
	size := len(t.item.Body)
	cost, err := e.limit.admit(e.feeding, size)
	if err != nil {
		return o
	}
	told := allowances{}
	o = e.sendTelling(ctx, t, o, receipt, &told)
	tokens := o.receipt.Usage.InputTokens + o.receipt.Usage.OutputTokens
	e.limit.settle(size, cost, o.receipt.Attempts, float64(tokens), told)
	return o
}

// letter is the item's dead letter, nil if it has none that stands.
func (e *engine) letter(t *task) (*Result, error) {
	dead, err := e.exhume(e.ctx, t.item.CustomID)
	if err != nil || dead == nil || !e.retryFailed {
		return dead, err
	}
	return nil, e.revive(e.ctx, t.item.CustomID)
}

// look asks the state for the item's record.
func (e *engine) look(ctx context.Context, t *task) (store.State, error) {
	address, err := e.client.Address(e.target.request(ctx, &t.item))
	if err != nil {
		return store.Absent, err
	}
	rec, err := e.store.Get(ctx, address)
	return rec.State, err
}

// failed is the outcome of an item that could not be made, through no fault of its own.
func (e *engine) failed(o outcome, err error) outcome {
	if e.ctx.Err() == nil {
		e.fail(err)
	}
	o.fate = fateLeft
	return o
}

func (e *engine) send(ctx context.Context, t *task, o outcome, receipt func() llmidem.Receipt) outcome {
	return e.sendTelling(ctx, t, o, receipt, &allowances{})
}

// sendTelling makes the call, and tells what the service said of its limits.
func (e *engine) sendTelling(ctx context.Context, t *task, o outcome, receipt func() llmidem.Receipt, told *allowances) outcome {
	resp, err := e.client.RoundTrip(e.target.request(ctx, &t.item))
	var body []byte
	if err == nil {
		*told = allowancesOf(resp.Header, time.Now())
		body, err = io.ReadAll(resp.Body)
		err = errors.Join(err, resp.Body.Close())
	}
	o.receipt = receipt()
	if err != nil {
		return e.unanswered(t, o, err)
	}
	result, err := e.answered(t, resp, body, o.receipt)
	if err != nil {
		return e.failed(o, err)
	}
	if failure := o.receipt.StoreErr; failure != nil && !errors.Is(failure, store.ErrTooLarge) && !errors.Is(failure, store.ErrLost) {
		e.fail(failure) // the answer, which is paid for, is written all the same
	}
	o.unkept = result.Answered() && !o.receipt.Kept && !errors.Is(o.receipt.StoreErr, store.ErrLost)
	return e.dead(o, result)
}

// largeAnswer is what is passed through and not judged by the client at the earliest.
const largeAnswer = 1 << 20

// answered is the result of an HTTP answer.
func (e *engine) answered(t *task, resp *http.Response, body []byte, r llmidem.Receipt) (*Result, error) {
	text, err := bodyOf(resp.Header.Get("Content-Type"), body)
	if err != nil {
		return nil, err
	}
	res := e.result(t)
	res.Response = &Response{StatusCode: resp.StatusCode, RequestID: requestID(resp.Header), Body: text}
	passed := len(body) >= largeAnswer && json.Valid(body)
	if resp.StatusCode == http.StatusOK && !(r.Complete && (r.Kept || r.StoreErr != nil)) && !passed {
		res.Error = &Failure{Code: "incomplete", Message: "the service answered with status 200 and something that is no whole answer, or says that it failed"}
	}
	return res, nil
}

// unanswered is the outcome of an item whose call failed.
func (e *engine) unanswered(t *task, o outcome, err error) outcome {
	code := llmidem.CodeOf(err)
	switch {
	case e.ctx.Err() != nil:
		return o
	case code == llmidem.CodeInProgress:
		o.fate = fateDeferred
		return o
	case code == llmidem.CodeUnavailable, code == llmidem.CodeInvalid:
		return e.failed(o, err)
	}
	res := e.result(t)
	message := "the call failed"
	var own *llmidem.Error
	if errors.As(err, &own) {
		message = strings.TrimPrefix(own.Error(), "llmidem: ")
	}
	res.Error = &Failure{Code: string(code), Message: message}
	return e.dead(o, res)
}

// dead keeps a result that is a dead letter.
func (e *engine) dead(o outcome, res *Result) outcome {
	if !res.Answered() {
		if err := e.bury(context.WithoutCancel(e.ctx), res); err != nil {
			return e.failed(o, err)
		}
	}
	return e.settled(o, res)
}

// settled is the outcome of an item that has its result.
func (e *engine) settled(o outcome, res *Result) outcome {
	line, err := res.line()
	if err != nil {
		return e.failed(o, err)
	}
	o.fate, o.out = fateResult, output{res, line}
	return o
}

func (e *engine) result(t *task) *Result {
	return &Result{ID: idPrefix + recordID("result", e.digest, t.item.CustomID)[:idLength-len(idPrefix)], CustomID: t.item.CustomID}
}

// requestID is the service's name of a request.
func requestID(h http.Header) string {
	for _, name := range [...]string{"X-Request-Id", "Request-Id", "Apim-Request-Id", "X-Amzn-Requestid"} {
		if id := h.Get(name); id != "" {
			return id
		}
	}
	return ""
}
