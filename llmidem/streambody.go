package llmidem

import (
	"context"
	"errors"
	"io"
	"net/http"
	"slices"

	"github.com/llmidem/llmidem-go/llmidem/internal/semconv"
)

// streamBody is the body of a stream for one caller: live, or recorded. Behind the
// last byte resp has the trailers.
func (c *call) streamBody(ctx context.Context, a *answer, resp *http.Response) *reader {
	rd := &reader{ctx: ctx, call: c, ans: a, pays: a.source != SourceCoalesced}
	if a.live == nil {
		rd.then = func(err error) { c.endNumberOf(a, err); c.endStream(ctx, a, err) }
		newReplay(a.body).open(rd)
		return rd
	}
	rd.then = func(err error) {
		if err == io.EOF && rd.pays && a.wire != nil {
			resp.Trailer = a.wire.Trailer
		}
		c.endNumberOf(a, err)
		a.live.conclude(ctx, rd, err)
	}
	a.live.open(rd)
	return rd
}

// conclude tells one caller of a live stream what it had. One who leaves when the
// choices are finished is told when the rest, which has the usage, has come.
func (l *live) conclude(ctx context.Context, rd *reader, err error) {
	l.mu.Lock()
	var e *Error
	if l.final == nil && l.finished && !errors.As(err, &e) {
		l.late = append(l.late, func() { l.conclude(ctx, rd, nil) })
		l.mu.Unlock()
		return
	}
	a := l.partOf(rd)
	l.mu.Unlock()
	rd.call.endStream(ctx, a, err)
}

// partOf is the answer as one caller had it. When the one who paid has left before
// the end, the first of the others to come there is told the cost. The caller holds
// mu.
func (l *live) partOf(rd *reader) *answer {
	a := *rd.ans
	a.live, a.streamed = nil, true
	f := l.final
	if f == nil {
		a.cut, a.broken, a.end = true, l.head.broken, l.head.end
		l.unpaid = l.unpaid || rd.pays
		return &a
	}
	a.verdict, a.kept, a.storeErr, a.broken, a.end = f.verdict, f.kept, f.storeErr, f.broken, f.end
	a.cut = !f.verdict.Terminal
	switch {
	case rd.pays:
		a.sends = f.sends
	case l.unpaid:
		l.unpaid = false
		a.source, a.sends = l.head.source, f.sends
	}
	return &a
}

// endStream ends the call of one caller whose stream is consumed or closed.
func (c *call) endStream(ctx context.Context, a *answer, err error) {
	var e *Error
	if errors.As(err, &e) {
		c.state.streamed(c, a, e)
		if c.span.IsRecording() {
			c.span.SetAttributes(c.answerAttributes(a)...)
			c.link(a)
		}
		c.endFailed(ctx, a, e)
		return
	}
	c.state.streamed(c, a, nil)
	c.endDone(ctx, a)
}

// streamLeft is what Read says when the caller's context has ended.
func (c *call) streamLeft(ctx context.Context) *Error {
	e := c.callerGone(ctx, false)
	e.Code, e.reason = CodeInterrupted, "the caller's context ended before the stream did"
	return e
}

// streamed replaces what was known of a stream when it began.
func (s *callState) streamed(c *call, ans *answer, e *Error) {
	if s == nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	r := c.receipt(ans, nil)
	s.receipt.Usage.add(r.Usage)
	s.receipt.Saved.add(r.Saved)
	if e != nil || ans.failed() {
		s.failure = e
		if e == nil {
			s.failure = c.statusError(ans)
		}
	}
	if s.receipt.Address != c.address || s.receipt.TraceID != r.TraceID {
		return // another call came after it
	}
	s.receipt.Source, s.receipt.Origin = r.Source, r.Origin
	s.receipt.Attempts += r.Attempts - s.sends
	s.sends = r.Attempts
	s.receipt.Complete, s.receipt.Kept, s.receipt.StoreErr = r.Complete, r.Kept, r.StoreErr
	s.receipt.Unordered = r.Unordered
}

// finishReasons are those of an answer, and of one that its caller has only a part
// of, that it is.
func (a *answer) finishReasons() []string {
	if a.cut {
		return append(slices.Clip(a.verdict.FinishReasons), semconv.FinishReasonError)
	}
	return a.verdict.FinishReasons
}
