package llmtest

import (
	"time"

	"github.com/llmidem/llmidem-go/llmidem"
)

// work returns the result of a remembered key, or makes and bills a new one.
func (s *Server) work(q *Request, f Fault) (r *result, replayed bool, refusal *apiError) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.cfg.keys.Class == llmidem.Replay {
		if e := s.remembered(q); e != nil {
			if refusal := e.conflict(q, llmidem.Replay); refusal != nil {
				return nil, false, refusal
			}
			s.ledger.Replays++
			return e.result, true, nil
		}
	}
	r = &result{call: q.call, number: len(s.ledger.Work) + 1, created: q.Time.Unix()}
	q.call.route.work(q.call, r)
	r.script(f, s.cfg.sampled)
	s.ledger.Work = append(s.ledger.Work, Execution{Number: r.number, Request: q.Number, Time: q.Time,
		Key: q.Key, Operation: q.Operation, Model: q.Model, Prompt: q.Prompt, Usage: r.usage})
	if s.cfg.keys.Class == llmidem.Replay {
		s.remember(q, r, q.Time.Add(r.duration(f)))
	}
	return r, false, nil
}

// duration is how long the service works on a result under a fault.
func (r *result) duration(f Fault) time.Duration {
	if f.pace == 0 {
		return f.delay
	}
	return f.delay + f.pace*time.Duration(max(len(r.render().chunks)-1, 0))
}

// answered notes the status of a request when its answer begins.
func (s *Server) answered(q *Request, status int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if q.epoch == s.epoch {
		s.ledger.Requests[q.Number-1].Status = status
	}
}
