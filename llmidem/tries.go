package llmidem

import (
	"slices"
	"sync"

	"github.com/llmidem/llmidem-go/llmidem/audit"
)

// tries are the requests of a call as the audit log has them.
type tries struct {
	mu   sync.Mutex
	list []audit.Attempt
}

// tried notes how an attempt ended, where there is a log.
func (c *call) tried(a *answer) {
	if c.audit == nil {
		return
	}
	t := &c.progress.tries
	t.mu.Lock()
	defer t.mu.Unlock()
	t.list = append(t.list, audit.Attempt{Class: auditClass(a.end.class), Status: a.status, ErrorType: a.errorTypeOf()})
}

func (p *progress) attempts() []audit.Attempt {
	p.tries.mu.Lock()
	defer p.tries.mu.Unlock()
	return slices.Clone(p.tries.list)
}

// auditClass is a class by the name that the log has for it.
func auditClass(c class) string {
	switch c {
	case classDone:
		return "done"
	case classNotSent:
		return "not_sent"
	case classRefused:
		return "refused"
	case classAmbiguous:
		return "ambiguous"
	}
	return "final"
}
