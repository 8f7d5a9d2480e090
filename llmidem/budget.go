package llmidem

import "sync"

// retryBudget is a token bucket that bounds how much retries add to an outage.
// A retry takes one token, a success puts a part of one back, and the bucket
// starts full. (gRPC's retry throttling and the AWS SDKs do the same.)
type retryBudget struct {
	mu            sync.Mutex
	tokens        float64
	limit, refill float64
}

func newRetryBudget(p RetryPolicy) *retryBudget {
	return &retryBudget{tokens: float64(p.Budget), limit: float64(p.Budget), refill: p.Refill}
}

// take takes the token of one retry, if there is one.
func (b *retryBudget) take() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.tokens < 1 {
		return false
	}
	b.tokens--
	return true
}

// earn puts back what a success is worth.
func (b *retryBudget) earn() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.tokens = min(b.tokens+b.refill, b.limit)
}
