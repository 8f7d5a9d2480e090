package llmtest

import (
	"net/http"
	"slices"
	"strconv"
	"time"
)

// A Ledger is what the server saw and did up to one moment. [Server.Ledger]
// returns a new one each time, which later requests do not change. Headers and
// bodies in it are shared with the server and must be left as they are.
type Ledger struct {
	// Requests are all that arrived and were read to the end, in order.
	Requests []Request
	// Work are the executions, in order: what would be billed.
	Work []Execution
	// Replays is how many answers were given again to a repeated key.
	Replays int
}

// A Request is one request as the server read it.
type Request struct {
	// Number counts requests from 1, in order of arrival.
	Number int
	// Time is when it had been read.
	Time time.Time
	// Conn numbers the connection it came on, from 1; requests in memory have one
	// each. 0: a server that is used as a bare http.Handler.
	Conn int64
	// Proto is the protocol, as in "HTTP/2.0".
	Proto string
	// Method, Host, Path (escaped) and Query (raw) are those of the request line.
	Method, Host, Path, Query string
	// Header are the headers, without Host.
	Header http.Header
	// Body is the whole body.
	Body []byte
	// Key is the idempotency key, without quotes; "" if there is none.
	Key string
	// Operation is "chat", "messages", "ollama.embed", …: what package identity
	// calls it; "" if the request is no inference call.
	Operation string
	// Model is the model that was asked for, by the body or the path.
	Model string
	// Prompt is the text that the answer is about: of a chat that of the last
	// message, of several inputs all of them, a line each, of an uploaded file
	// without one its digest.
	Prompt string
	// Stream says that the answer was asked for in pieces.
	Stream bool
	// Status is what it was answered with; 0 while, and if, no answer was begun.
	Status int

	call    *call
	dialect *dialect
	epoch   int // which Reset it came after
}

// id is the request's id as the service would tell it.
func (q *Request) id() string { return "req-llmtest-" + strconv.Itoa(q.Number) }

// An Execution is work that was done once.
type Execution struct {
	// Number counts executions from 1; it is the number in the answer's id.
	Number int
	// Request is the number of the request that was executed.
	Request int
	// Time is when the work began.
	Time time.Time
	// Key, Operation, Model and Prompt are those of the request.
	Key, Operation, Model, Prompt string
	// Usage is what it cost.
	Usage Usage
}

// Usage is a number of tokens.
type Usage struct {
	// Input are the tokens of the prompt.
	Input int
	// Output are the tokens of the answer; embeddings have none.
	Output int
}

// Total is the sum of both.
func (u Usage) Total() int { return u.Input + u.Output }

func (u Usage) add(v Usage) Usage { return Usage{u.Input + v.Input, u.Output + v.Output} }

// Ledger returns what the server has seen and done so far.
func (s *Server) Ledger() Ledger {
	s.mu.Lock()
	defer s.mu.Unlock()
	return Ledger{
		Requests: slices.Clone(s.ledger.Requests),
		Work:     slices.Clone(s.ledger.Work),
		Replays:  s.ledger.Replays,
	}
}

// Executions is how many requests were worked on.
func (l Ledger) Executions() int { return len(l.Work) }

// ExecutionsOf is how many requests with this key were worked on.
func (l Ledger) ExecutionsOf(key string) int {
	n := 0
	for _, e := range l.Work {
		if e.Key == key {
			n++
		}
	}
	return n
}

// ExecutionsOfPrompt is how many requests with this prompt were worked on; see
// [Request].Prompt.
func (l Ledger) ExecutionsOfPrompt(prompt string) int {
	n := 0
	for _, e := range l.Work {
		if e.Prompt == prompt {
			n++
		}
	}
	return n
}

// Billed is the sum of what all executions cost.
func (l Ledger) Billed() Usage {
	var u Usage
	for _, e := range l.Work {
		u = u.add(e.Usage)
	}
	return u
}

// BilledTo is the sum of what the executions of one key cost.
func (l Ledger) BilledTo(key string) Usage {
	var u Usage
	for _, e := range l.Work {
		if e.Key == key {
			u = u.add(e.Usage)
		}
	}
	return u
}

// Bodies are the request bodies in order of arrival.
func (l Ledger) Bodies() [][]byte {
	out := make([][]byte, len(l.Requests))
	for i, r := range l.Requests {
		out[i] = r.Body
	}
	return out
}

// Keys are the idempotency keys, each once, in order of first arrival.
func (l Ledger) Keys() []string {
	var out []string
	seen := make(map[string]bool)
	for _, r := range l.Requests {
		if r.Key != "" && !seen[r.Key] {
			seen[r.Key] = true
			out = append(out, r.Key)
		}
	}
	return out
}

// RequestsOf are the requests that came with this key, in order of arrival.
func (l Ledger) RequestsOf(key string) []Request {
	var out []Request
	for _, r := range l.Requests {
		if r.Key == key {
			out = append(out, r)
		}
	}
	return out
}
