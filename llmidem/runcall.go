package llmidem

import (
	"context"
	"errors"
	"io"
	"net/http"
)

// enterRun puts a call into the run of its context, if there is one.
func (c *call) enterRun(ctx context.Context) error {
	s := scopeIn(ctx)
	switch {
	case s == nil:
		return nil
	case s.wrong != "":
		return invalid(s.wrong, nil)
	case c.batch:
		return invalid("a client made with ForBatch takes no part in a run, whose records expire; make the call outside of WithRun", nil)
	}
	c.scope = s
	c.opts.scope = s.with(c.opts.scope)
	return nil
}

// count gives the call its number among equal ones of its run. What it has been
// identified as is number 0; identify makes another document for another number.
func (c *call) count(req *http.Request, identify func() error) error {
	if !c.counted(req) {
		return nil
	}
	c.number = c.take(digest(c.doc.Canonical(), c.home.namespace, c.home.endpoint))
	if c.number.n == 0 {
		return nil
	}
	c.opts.occurrence = c.number.n
	return identify()
}

// counted reports whether nobody but the run tells the call from equal ones.
func (c *call) counted(req *http.Request) bool {
	if c.scope == nil || !c.facts.sampled || c.modeOf() == recallNone ||
		c.opts.repeat || c.opts.nonce != "" || c.opts.key != nil {
		return false
	}
	own, err := c.headerKey(req)
	return err == nil && own.IsZero()
}

// take takes the lowest number that is free, or the one that the call has had
// already when it is its SDK that asks again.
func (c *call) take(identity [32]byte) *number {
	all := &c.scope.run.counters
	s := c.state
	if s == nil {
		return all.take(identity)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	n := s.numbers[identity]
	if n == nil || n.all != all {
		n = all.take(identity)
	} else {
		n = all.again(n)
	}
	if s.numbers == nil {
		s.numbers = map[[32]byte]*number{}
	}
	s.numbers[identity] = n
	return n
}

// endNumber notes that the call's request has ended, in an error or not.
func (c *call) endNumber(failed bool) {
	switch s := c.state; {
	case c.number == nil:
	case s == nil:
		c.number.end(failed, false)
	default:
		s.mu.Lock()
		defer s.mu.Unlock()
		c.number.end(failed, s.retries)
	}
}

// endNumbers notes that the function of a Call has returned. The caller holds mu.
func (s *callState) endNumbers(failed bool) {
	s.retries = false
	for _, n := range s.numbers {
		n.over(failed)
	}
}

// serveCounted is serve for a call whose number must not stay taken when the
// transport, or what is asked below it, panics.
func (c *call) serveCounted(ctx context.Context, serve handler) (ans *answer, err error) {
	if c.number == nil {
		return serve(ctx, c)
	}
	returned := false
	defer func() {
		if !returned {
			c.number.end(true, false)
		}
	}()
	ans, err = serve(ctx, c)
	returned = true
	return ans, err
}

// useless reports whether whoever gets this answer is in for an error: a status,
// an error in a stream, a body that is cut or is no answer.
func (a *answer) useless() bool {
	return a.failed() || !a.verdict.Terminal && a.rest == nil && !a.tooLarge
}

// endNumberOf notes how one caller's reading of a stream ended.
func (c *call) endNumberOf(a *answer, err error) {
	if c.number == nil {
		return
	}
	failed := err != nil && !errors.Is(err, io.EOF) && err != errClosedBody
	c.endNumber(failed || a.failed() || a.live != nil && a.live.hasError())
}

// hasError reports whether the provider has ended the stream with an error.
func (l *live) hasError() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.head.broken
}

// warnUnordered says once a client that a restart may not find its answers in
// order.
func (c *call) warnUnordered(ctx context.Context) {
	if !c.number.mixed() {
		return
	}
	c.runs.unordered.Do(func() {
		c.log(ctx, levelWarn, "equal calls of one run were under way at the same time; after a restart they may swap their answers: "+
			"keep them apart with llmidem.Branch(ctx, name)")
	})
}
