//go:build !race

// The race detector makes pools forget what they hold, so that nothing can be said
// of allocations under it.

package llmidem_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"runtime"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/llmidem/llmidem-go/llmidem"
)

// zeros is content of any length that takes no room.
type zeros struct{}

func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }

// Whatever the size, what a send allocates stays below a megabyte beside what the
// wire itself does (HTTP/2 some bytes a frame, at both ends, which are here).
func TestAttachments_TakeNoMemory(t *testing.T) {
	const size = 64 << 20
	_, a := document(t, noise(size))
	onServer(t, func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.CopyBuffer(struct{ io.Writer }{io.Discard}, struct{ io.Reader }{r.Body}, make([]byte, 4096))
		answers(w, r, 1)
	}, func(t *testing.T, url string, client *llmidem.Client) {
		send := func(req *http.Request) uint64 {
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			resp, err := client.RoundTrip(req)
			runtime.ReadMemStats(&after)
			require.NoError(t, err)
			require.NoError(t, resp.Body.Close())
			return after.TotalAlloc - before.TotalAlloc
		}
		stream := func() *http.Request { // one that passes untouched
			req, err := http.NewRequest(http.MethodPost, url+"/files", io.LimitReader(zeros{}, size/3*4))
			require.NoError(t, err)
			req.ContentLength = size / 3 * 4
			return req
		}
		least := func(f func(n int) *http.Request) uint64 { // of three: pools of the wire lose what they hold
			return min(send(f(1)), send(f(2)), send(f(3)))
		}
		bare := least(func(int) *http.Request { return stream() })
		ours := least(func(n int) *http.Request { return attached(t, context.Background(), url, fmt.Sprint(n), a) })
		require.Less(t, ours, bare+1<<20)
	})
}
