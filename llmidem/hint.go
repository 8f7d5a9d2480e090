package llmidem

import (
	"math"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/llmidem/llmidem-go/llmidem/internal/complete"
)

// hintOf is how long a provider asks to wait before the next attempt:
// retry-after-ms (OpenAI, Azure), Retry-After in seconds, with a fraction, or as
// a date (RFC 9110, section 10.2.3), Gemini's RetryInfo. What makes no sense
// (negative, not a number) is as if it were not there; a date that has passed
// means at once.
func hintOf(h http.Header, info complete.ErrorInfo) (time.Duration, bool) {
	if d, ok := parseSeconds(h.Get("Retry-After-Ms"), time.Millisecond); ok {
		return d, true
	}
	after := strings.TrimSpace(h.Get("Retry-After"))
	if d, ok := parseSeconds(after, time.Second); ok {
		return d, true
	}
	if at, err := http.ParseTime(after); err == nil {
		return max(time.Until(at), 0), true
	}
	return info.RetryDelay, info.RetryDelay > 0
}

// parseSeconds reads a number of units; a huge one becomes the longest duration.
func parseSeconds(s string, unit time.Duration) (time.Duration, bool) {
	f, err := strconv.ParseFloat(strings.TrimSpace(s), 64)
	if err != nil && !math.IsInf(f, 1) || math.IsNaN(f) || f < 0 {
		return 0, false
	}
	f *= float64(unit)
	if f >= math.MaxInt64 {
		return math.MaxInt64, true
	}
	return time.Duration(f), true
}
