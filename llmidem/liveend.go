package llmidem

import (
	"context"
	"errors"
	"io"

	"github.com/llmidem/llmidem-go/llmidem/internal/complete"
	"github.com/llmidem/llmidem-go/llmidem/internal/semconv"
)

// verdict judges what has come so far.
func (l *live) verdict() complete.Result {
	r := l.feed.judge.Result()
	r.Keep = r.Keep && !l.feed.blind
	return r
}

// broken is what the end of the body means.
func (l *live) broken(err error) error {
	switch cause := context.Cause(l.ctx); {
	case l.over || l.feed.whole() || err == io.EOF && !l.judged():
		return errEnd
	case cause != nil:
		l.fail(l.call.failure(CodeInterrupted, endReason(cause), cause), ending{class: classAmbiguous, errType: semconv.ErrorCanceled})
		return cause
	}
	return l.truncated(err, nil)
}

// endReason says in our words why the stream's context ended.
func endReason(cause error) string {
	switch {
	case errors.Is(cause, errUnread):
		return "nobody read the stream for " + unreadMax.String()
	case errors.Is(cause, errClosed):
		return "the client was closed"
	case isTimeout(cause):
		return "the call's time ended before the stream did"
	}
	return "the stream was closed before its end"
}

// truncated is the end of a stream whose choices are not all finished: it is
// asked for again where that is safe, else its callers are told.
func (l *live) truncated(err error, forged []byte) error {
	e := ending{class: classAmbiguous, errType: semconv.ErrorTruncated}
	if err != io.EOF {
		e = endOfError(err, sentMaybe)
		e.class = classAmbiguous
	}
	resumed, end := l.resume(e)
	switch {
	case resumed:
		return end
	case l.call.cfg.TolerateTruncation:
		if len(forged) > 0 {
			l.put(forged)
		}
		l.fail(nil, e)
		return errEnd
	}
	cause := err
	if err == io.EOF {
		cause = io.ErrUnexpectedEOF
	}
	l.fail(l.call.failure(CodeInterrupted, "the stream broke off before its choices were finished", cause), e)
	return cause
}

// takeError is an error frame after the stream has begun.
func (l *live) takeError(ev event) error {
	info := l.feed.judge.Err()
	e := endOfFrame(l.call.provider.Errors, l.head.header, info)
	if e.class != classFinal && !e.final {
		if resumed, end := l.resume(e); resumed {
			return end
		}
	}
	frame, readable := l.feed.errorFrame(ev, info)
	var told *Error
	if !readable {
		told = l.call.failure(CodeFailed, "the provider ended the stream with an error"+codeText(e.code), nil)
		told.errType = e.errType
	}
	l.fail(told, e)
	l.mu.Lock()
	l.head.broken, l.holding, l.kept = true, false, false
	l.mu.Unlock()
	l.put(frame) // last: who has read it may leave at once, and is to be told that it failed
	return errEnd
}

// fail notes how the stream broke off.
func (l *live) fail(e *Error, end ending) {
	head := *l.head
	head.end = end
	l.mu.Lock()
	defer l.mu.Unlock()
	l.head, l.failed = &head, e
}

// settle writes down what became of the stream and gives out what was held until
// then. It is called at the end, or when [DONE] has waited for it long enough.
func (l *live) settle() {
	l.once.Do(func() {
		final := l.conclusion()
		if l.keep != nil {
			final = l.keep(l.ctx, final)
		}
		final.body = nil
		l.mu.Lock()
		l.final, l.holding = final, false
		if len(l.held) > 0 {
			l.add(l.held)
		}
		late := l.late
		l.late = nil
		l.mu.Unlock()
		for _, tell := range late {
			tell()
		}
	})
}

// conclusion is the stream as the answer that it came to.
func (l *live) conclusion() *answer {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.holding { // else the judge is in use, and nothing is to come that it needs
		l.result = l.verdict()
	}
	ans := *l.head
	ans.verdict = l.result
	ans.tooLarge = l.size > l.call.cfg.MaxEntry
	ans.live, ans.streamed, ans.sends = nil, true, l.call.progress.count()
	ans.delivered = l.people() > 0
	if l.kept && ans.verdict.Keep {
		ans.body = append(l.buf[:len(l.buf):len(l.buf)], l.held...)
	}
	return &ans
}

// endOf is what a caller finds behind the last byte. The caller holds mu.
func (l *live) endOf(rd *reader) error {
	if l.failed == nil {
		return io.EOF
	}
	role := roleFollower
	if rd.pays {
		role = roleLeader
	}
	return l.failed.forCaller(rd.call, role)
}
