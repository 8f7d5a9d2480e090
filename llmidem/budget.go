package llmidem

import (
	"math"
	"sync/atomic"
)

// retryBudget is a token bucket that bounds how much retries add to an outage.
// A retry takes one token, a success puts a part of one back, and the bucket
// starts full. (gRPC's retry throttling and the AWS SDKs do the same.)
type retryBudget struct {
	left          atomic.Int64 // in millionths of a retry: ten tenths must be one
	limit, refill int64
}

// oneRetry is the price of a retry.
const oneRetry = 1_000_000

func newRetryBudget(p RetryPolicy) *retryBudget {
	b := &retryBudget{limit: int64(p.Budget) * oneRetry, refill: int64(math.Round(min(p.Refill, 1e6) * oneRetry))}
	b.left.Store(b.limit)
	return b
}

// take takes the token of one retry, if there is one.
func (b *retryBudget) take() bool {
	for {
		left := b.left.Load()
		if left < oneRetry {
			return false
		}
		if b.left.CompareAndSwap(left, left-oneRetry) {
			return true
		}
	}
}

// earn puts back what a success is worth.
func (b *retryBudget) earn() {
	for {
		left := b.left.Load()
		if left == b.limit || b.left.CompareAndSwap(left, min(left+b.refill, b.limit)) {
			return
		}
	}
}
