package batch

import (
	"math"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// allowance is what a service says is left of one of its limits.
type allowance struct {
	known       bool
	limit, left float64
	reset       time.Duration // until all of the limit is left again
}

// allowances are those of an answer.
type allowances struct{ requests, tokens allowance }

// allowancesOf reads the headers of an answer: OpenAI's, which most others have too,
// and Anthropic's.
func allowancesOf(h http.Header, now time.Time) allowances {
	return allowances{requests: allowanceOf(h, "requests", now), tokens: allowanceOf(h, "tokens", now)}
}

func allowanceOf(h http.Header, what string, now time.Time) (a allowance) {
	for _, names := range [...][3]string{
		{"X-Ratelimit-Limit-" + what, "X-Ratelimit-Remaining-" + what, "X-Ratelimit-Reset-" + what},
		{"Anthropic-Ratelimit-" + what + "-Limit", "Anthropic-Ratelimit-" + what + "-Remaining", "Anthropic-Ratelimit-" + what + "-Reset"},
	} {
		left, ok := amount(h.Get(names[1]))
		reset, known := resetIn(h.Get(names[2]), now)
		if !ok || !known { // without the time, nobody knows how long to wait
			continue
		}
		limit, _ := amount(h.Get(names[0]))
		return allowance{known: true, limit: limit, left: left, reset: reset}
	}
	return a
}

func amount(text string) (float64, bool) {
	n, err := strconv.ParseFloat(strings.TrimSpace(text), 64)
	return n, err == nil && n >= 0 && !math.IsInf(n, 0)
}

// resetIn reads a duration (6m0s, 12ms), a number of seconds or a date (RFC 3339).
func resetIn(text string, now time.Time) (time.Duration, bool) {
	text = strings.TrimSpace(text)
	if d, err := time.ParseDuration(text); err == nil {
		return d, d >= 0
	}
	if n, ok := amount(text); ok && n < 1e9 {
		return time.Duration(n * float64(time.Second)), true
	}
	if at, err := time.Parse(time.RFC3339, text); err == nil {
		return max(0, at.Sub(now)), true
	}
	return 0, false
}
