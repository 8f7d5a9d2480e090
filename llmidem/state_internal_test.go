package llmidem

import (
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

// A client with other settings, or of an earlier version, may have kept an answer
// for longer: it is not given out, and not in doubt either.
func TestS17_RecordThatIsTooOldToBeGivenOut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, sends := foreignClient(t, Config{OnUnknown: Fail})
		var address string
		ask := func() string {
			ctx, receipt := WithReceipt(t.Context())
			req, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://x.invalid/v1/chat/completions", strings.NewReader(`{"model":"m","messages":[],"cachedContent":"c"}`))
			require.NoError(t, err)
			resp, err := c.RoundTrip(req)
			require.NoError(t, err)
			require.NoError(t, resp.Body.Close())
			address = receipt().Address
			return resp.Header.Get("Llmidem-Source")
		}
		require.Equal(t, "provider", ask())
		rec, err := c.store.Get(t.Context(), address)
		require.NoError(t, err)
		require.Equal(t, fleetingTTL, rec.Left, "a store that others share has it for no longer")
		plant(t, c, address, rec.Fingerprint, rec.Body) // for an hour
		time.Sleep(9 * time.Minute)
		require.Equal(t, "store", ask())
		time.Sleep(time.Minute)
		require.Equal(t, "provider", ask())
		require.Equal(t, 2, *sends)
	})
}
