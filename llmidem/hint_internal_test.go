package llmidem

import (
	"math"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/llmidem/llmidem-go/llmidem/internal/complete"
)

// R4: which hint wins, and what none is.
func TestR4_HintOf(t *testing.T) {
	synctest.Test(t, func(t *testing.T) { // a bubble's clock starts at 2000-01-01 00:00 UTC
		gemini := complete.ErrorInfo{RetryDelay: 7 * time.Second}
		for name, tt := range map[string]struct {
			header http.Header
			info   complete.ErrorInfo
			want   time.Duration
			ok     bool
		}{
			"none":                    {nil, complete.ErrorInfo{}, 0, false},
			"milliseconds win":        {http.Header{"Retry-After-Ms": {"5"}, "Retry-After": {"9"}}, gemini, 5 * time.Millisecond, true},
			"seconds before the body": {http.Header{"Retry-After": {"9"}}, gemini, 9 * time.Second, true},
			"the body":                {http.Header{"Retry-After": {"-1"}}, gemini, 7 * time.Second, true},
			"a date that has passed":  {http.Header{"Retry-After": {"Fri, 31 Dec 1999 23:59:00 GMT"}}, gemini, 0, true},
			"blanks":                  {http.Header{"Retry-After": {" 2 "}}, gemini, 2 * time.Second, true},
			"huge":                    {http.Header{"Retry-After": {"1e400"}}, gemini, math.MaxInt64, true},
			"infinite":                {http.Header{"Retry-After": {"Inf"}}, gemini, math.MaxInt64, true},
			"not a number":            {http.Header{"Retry-After": {"NaN"}}, complete.ErrorInfo{}, 0, false},
			"hexadecimal is a number": {http.Header{"Retry-After": {"0x1p1"}}, complete.ErrorInfo{}, 2 * time.Second, true},
		} {
			got, ok := hintOf(tt.header, tt.info)
			require.Equal(t, tt.want, got, name)
			require.Equal(t, tt.ok, ok, name)
		}
	})
}
