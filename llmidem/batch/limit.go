package batch

import (
	"context"
	"sync"
	"time"
)

// limiter says when the next item may be sent: by the bounds of the options, and by
// what the service says is left of its own.
type limiter struct {
	mu       sync.Mutex
	requests bucket
	tokens   bucket
	perByte  float64 // tokens of an item for each byte of its body, as seen so far
	inFlight int     // items that were admitted and not settled
	expected float64 // tokens of those
}

func newLimiter(rpm, tpm int) *limiter {
	return &limiter{requests: newBucket(rpm), tokens: newBucket(tpm), perByte: 0.25}
}

// bucket is a token bucket that may be overdrawn, so that an item may cost more than
// it holds; with that, what the service says of its own.
type bucket struct {
	rate  float64 // a second; 0: no bound
	most  float64
	level float64
	at    time.Time

	told      bool
	left      float64 // as the service said, less what was admitted since
	gain      float64 // of it, a second
	toldAt    time.Time
	resetting time.Time // by then all of it is there again
	windowed  bool      // it comes back at once, by what was seen, and not bit by bit
}

// newBucket holds a second's worth at most, so that what is sent is spread evenly.
func newBucket(perMinute int) bucket {
	rate := float64(perMinute) / 60
	most := max(rate, 1)
	return bucket{rate: rate, most: most, level: most, at: time.Now()}
}

func (b *bucket) fill(now time.Time) {
	b.level = min(b.most, b.level+b.rate*now.Sub(b.at).Seconds())
	b.at = now
}

// wait is how long it takes until cost may be taken.
func (b *bucket) wait(now time.Time, cost float64) (d time.Duration) {
	if b.rate > 0 {
		b.fill(now)
		if b.level < 0 || b.level < min(cost, b.most) {
			d = seconds((min(cost, b.most) - b.level) / b.rate)
		}
	}
	if b.told && now.Before(b.resetting) {
		if have := b.left + b.gain*now.Sub(b.toldAt).Seconds(); have < cost {
			until := b.resetting.Sub(now)
			if b.gain > 0 {
				until = min(until, seconds((cost-have)/b.gain))
			}
			d = max(d, until)
		}
	}
	return d
}

func (b *bucket) take(cost float64) {
	b.level -= cost
	b.left -= cost
}

// longestPause bounds what a service's header can make everybody wait for.
const longestPause = time.Minute

// tell notes what the service says. Of what it says is left, pending will be used by
// what is on its way.
func (b *bucket) tell(now time.Time, a allowance, pending float64, turnedAway bool) {
	if !a.known {
		return
	}
	// Whoever is turned away though some should have come back by now has met a
	// service that counts by fixed windows.
	b.windowed = b.windowed || turnedAway && b.told && b.left < 1
	reset := min(max(a.reset, 0), longestPause)
	b.told, b.left, b.toldAt, b.resetting = true, a.left-pending, now, now.Add(reset)
	b.gain = 0
	if a.limit > a.left && a.reset > 0 && !b.windowed {
		b.gain = (a.limit - a.left) / a.reset.Seconds()
	}
}

func seconds(s float64) time.Duration {
	return time.Duration(min(max(s, 0), longestPause.Seconds()) * float64(time.Second))
}

// estimate is how many tokens an item of that size will cost.
func (l *limiter) estimate(size int) float64 {
	return max(1, l.perByte*float64(size))
}

// admit waits until an item of that size may be sent, and says what it is taken to
// cost.
func (l *limiter) admit(ctx context.Context, size int) (cost float64, err error) {
	for {
		l.mu.Lock()
		now := time.Now()
		cost = l.estimate(size)
		d := max(l.requests.wait(now, 1), l.tokens.wait(now, cost))
		if d <= 0 {
			l.requests.take(1)
			l.tokens.take(cost)
			l.inFlight++
			l.expected += cost
			l.mu.Unlock()
			return cost, nil
		}
		l.mu.Unlock()
		t := time.NewTimer(max(d, time.Millisecond))
		select {
		case <-t.C:
		case <-ctx.Done():
			t.Stop()
			return 0, ctx.Err()
		}
	}
}

// settle corrects what was admitted by what it has come to. told are the service's
// headers of the answer, if there was one.
func (l *limiter) settle(size int, cost float64, requests int, tokens float64, told allowances) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.inFlight--
	l.expected -= cost
	if requests == 0 { // nothing was sent
		tokens = 0
	} else if tokens == 0 {
		tokens = cost // it is not known
	} else if size > 0 {
		l.perByte += (tokens/float64(size) - l.perByte) / 16
	}
	l.requests.level -= float64(requests - 1)
	l.tokens.level -= tokens - cost
	if requests > 0 {
		now := time.Now()
		l.requests.tell(now, told.requests, float64(l.inFlight), requests > 1)
		l.tokens.tell(now, told.tokens, l.expected, requests > 1)
		return
	}
	l.requests.left++
	l.tokens.left += cost
}
