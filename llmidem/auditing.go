package llmidem

import (
	"context"
	"log/slog"

	"github.com/llmidem/llmidem-go/llmidem/audit"
)

// documentVersion is that of the identity documents that package identity makes.
const documentVersion = 1

// auditLog is what a client needs of an [audit.Log].
type auditLog interface {
	Append(context.Context, audit.Record) (audit.Head, error)
}

// intend writes down that a call is about to be made, before its claim. Where the
// log must not fail, nothing is sent that it does not have.
func (k *core) intend(next handler) handler {
	return func(ctx context.Context, c *call) (*answer, error) {
		if k.audit == nil {
			return next(ctx, c)
		}
		rec := c.auditRecord()
		rec.Kind = audit.KindIntent
		head, err := k.audit.Append(ctx, rec)
		switch {
		case err == nil:
			c.progress.intent.Store(head.Sequence)
		case k.finance:
			return nil, c.failure(CodeUnavailable, "the audit log cannot take the intent, so nothing was sent", err)
		default:
			c.warnAudit(ctx, err)
		}
		return next(ctx, c)
	}
}

// outcomeFirst writes down how a call ended before its caller is told, where the
// log must not fail. The answer stays recorded when it cannot be: the next try is
// given it, and writes the line that is missing.
func (c *call) outcomeFirst(ctx context.Context, ans *answer, err error) (*answer, error) {
	if !c.finance || c.key.IsZero() {
		return ans, err
	}
	var e *Error
	if err != nil {
		e = asError(err, c)
	}
	if failed := c.auditOutcome(ctx, ans, e); failed != nil && e == nil {
		return nil, c.failure(CodeUnavailable, "the audit log cannot take the outcome, so the answer is not given out; it is recorded, ask again", failed)
	} else if failed != nil {
		c.warnAudit(ctx, failed)
	}
	return ans, err
}

// auditEnd writes down how a call ended, where that was not done yet.
func (c *call) auditEnd(ctx context.Context, ans *answer, e *Error) {
	if c.audit == nil || c.progress.audited.Load() || c.key.IsZero() {
		return
	}
	if err := c.auditOutcome(ctx, ans, e); err != nil {
		c.warnAudit(ctx, err)
	}
}

// auditOutcome appends the outcome of a call. What goes on without its caller has
// none yet: whoever ends it writes that.
func (c *call) auditOutcome(ctx context.Context, ans *answer, e *Error) error {
	rec := c.auditRecord()
	rec.Kind, rec.Outcome = audit.KindOutcome, outcomeOfCall(ans, e)
	rec.Intent = c.progress.intent.Load()
	if rec.Outcome == "" {
		return nil
	}
	c.progress.audited.Store(true)
	if e != nil {
		rec.ErrorType = e.ErrorType()
	} else if ans.failed() {
		rec.ErrorType = ans.errorTypeOf()
	}
	if ans != nil {
		rec.Source, rec.OriginTraceID = string(ans.source), originTrace(ans.origin)
		rec.Usage, rec.Saved = auditUsage(usageOf(ans.cost())), auditUsage(usageOf(ans.saving()))
	}
	rec.Attempts = c.progress.attempts()
	// The caller's end must not leave a call without a line.
	_, err := c.audit.Append(context.WithoutCancel(ctx), rec)
	return err
}

func auditUsage(u Usage) audit.Usage {
	return audit.Usage{InputTokens: u.InputTokens, OutputTokens: u.OutputTokens}
}

// outcomeOfCall says in the log's words how a call ended; "" for one that goes on.
func outcomeOfCall(ans *answer, e *Error) audit.Outcome {
	switch {
	case e != nil:
		return outcomeOfError(e)
	case !ans.failed() && ans.cut:
		return audit.OutcomeAmbiguous
	case !ans.failed() && ans.paid():
		return audit.OutcomeAnswered
	case !ans.failed():
		return audit.OutcomeReplayed
	}
	switch ans.end.class {
	case classAmbiguous:
		return audit.OutcomeAmbiguous
	case classNotSent, classRefused:
		return audit.OutcomeRefused
	}
	return audit.OutcomeFailed
}

func outcomeOfError(e *Error) audit.Outcome {
	switch e.Code {
	case CodeInvalid, CodeConflict, CodeUnavailable, CodeRedirect:
		return audit.OutcomeRefused
	case CodeAmbiguous, CodeInterrupted, CodeWindowElapsed:
		return audit.OutcomeAmbiguous
	case CodeInProgress:
		return ""
	}
	return audit.OutcomeFailed
}

// auditRecord is what is known of a call from its beginning.
func (c *call) auditRecord() audit.Record {
	sc := c.span.SpanContext()
	r := audit.Record{Key: c.key, Address: c.address, Document: documentVersion, Operation: c.facts.operation,
		Provider: c.provider.Name, Model: c.facts.model, User: c.doc.User(), TraceID: traceID(sc)}
	if sc.HasSpanID() {
		r.SpanID = sc.SpanID().String()
	}
	if !c.ownHeader && c.opts.key == nil {
		r.Scheme = c.scheme.Name()
	}
	return r
}

func (c *call) warnAudit(ctx context.Context, err error) {
	c.log(ctx, levelWarn, "the audit log cannot take a record; the call goes on without it", slog.String("error", err.Error()))
}
