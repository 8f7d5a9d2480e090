package llmidem

import (
	"bytes"
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/llmidem/llmidem-go/llmidem/identity"
	"github.com/llmidem/llmidem-go/llmidem/store"
)

// lasting is a memory that passes for a store which others write to.
type lasting struct{ *store.Memory }

func (lasting) Traits() store.Traits { return store.Traits{Durable: true, Shared: true} }

// foreignClient is a client on a store that others write to.
func foreignClient(t *testing.T, opts ...Option) (*Client, *int) {
	t.Helper()
	memory, err := store.NewMemory(store.MemoryConfig{})
	require.NoError(t, err)
	c, _, sends := faultClient(t, append(opts, WithStore(lasting{memory}), WithTenant("t"))...)
	return c, sends
}

// plant settles a body at an address as somebody else's answer.
func plant(t *testing.T, c *Client, address string, finger store.Fingerprint, body []byte) {
	t.Helper()
	ctx, owner := context.Background(), store.NewOwner()
	_, err := c.store.Claim(ctx, address, store.Claim{Owner: owner, Lease: time.Minute, Fingerprint: finger, Takeover: store.TakeSettled})
	require.NoError(t, err)
	require.NoError(t, c.store.Settle(ctx, address, owner, store.Outcome{State: store.Completed, Body: body, TTL: time.Hour}))
	c.near.Drop(address)
}

// recordOf makes the call once and returns its record.
func recordOf(t *testing.T, c *Client) (string, store.Record) {
	t.Helper()
	r, _, err := chatOnce(t, c)
	require.NoError(t, err)
	rec, err := c.store.Get(context.Background(), r.Address)
	require.NoError(t, err)
	return r.Address, rec
}

// bound is an answer as this client would have kept it there, whole or not.
func bound(c *Client, address string, finger store.Fingerprint, body string, streamed bool) []byte {
	h := http.Header{"Content-Type": {"application/json"}}
	if streamed {
		h.Set("Content-Type", "text/event-stream")
	}
	cl := &call{core: c.core, address: address, finger: finger}
	return cl.encode(&answer{header: h, body: []byte(body), streamed: streamed})
}

// S9: what somebody wrote into the store by hand is never given out: it is in
// doubt, which is neither an answer nor absence.
func TestS9_RecordWrittenByHand(t *testing.T) {
	for name, spoil := range map[string]func(c *Client, address string, rec store.Record) []byte{
		"garbage":       func(*Client, string, store.Record) []byte { return []byte("garbage") },
		"empty":         func(*Client, string, store.Record) []byte { return nil },
		"huge":          func(*Client, string, store.Record) []byte { return bytes.Repeat([]byte{recordBound}, 7<<20) },
		"other version": func(_ *Client, _ string, rec store.Record) []byte { b := bytes.Clone(rec.Body); b[0]++; return b },
		"not bound":     func(_ *Client, _ string, rec store.Record) []byte { return rec.Body[boundSize:] },
		"cut":           func(_ *Client, _ string, rec store.Record) []byte { return rec.Body[:len(rec.Body)-1] },
		"longer":        func(_ *Client, _ string, rec store.Record) []byte { return append(bytes.Clone(rec.Body), ' ') },
		"other key's": func(c *Client, _ string, rec store.Record) []byte {
			return bound(c, strings.Repeat("0", 64), rec.Fingerprint, wholeAnswer, false)
		},
		"other request's": func(c *Client, address string, _ store.Record) []byte {
			return bound(c, address, store.Fingerprint{1}, wholeAnswer, false)
		},
		"no JSON": func(c *Client, address string, rec store.Record) []byte {
			return bound(c, address, rec.Fingerprint, "<html>", false)
		},
		"unfinished": func(c *Client, address string, rec store.Record) []byte {
			return bound(c, address, rec.Fingerprint, strings.Replace(wholeAnswer, `"stop"`, "null", 1), false)
		},
		"a cut stream": func(c *Client, address string, rec store.Record) []byte {
			return bound(c, address, rec.Fingerprint, "data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"hi\"}}]}\n\n", true)
		},
		"a forged stream": func(c *Client, address string, rec store.Record) []byte {
			return bound(c, address, rec.Fingerprint, "data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"hi\"}}]}\n\ndata: [DONE]\n\n", true)
		},
	} {
		t.Run(name, func(t *testing.T) {
			c, sends := foreignClient(t)
			address, rec := recordOf(t, c)
			plant(t, c, address, rec.Fingerprint, spoil(c, address, rec))
			r, text, err := chatOnce(t, c)
			require.NoError(t, err)
			require.Equal(t, wholeAnswer, text)
			require.True(t, r.Paid() && r.Kept)
			require.Equal(t, 2, *sends)

			c, sends = foreignClient(t, Config{OnUnknown: Fail})
			address, rec = recordOf(t, c)
			plant(t, c, address, rec.Fingerprint, spoil(c, address, rec))
			_, _, err = chatOnce(t, c)
			require.Equal(t, CodeAmbiguous, CodeOf(err))
			require.Equal(t, 1, *sends)
		})
	}
}

// S9: any bit that changed in a record makes it one in doubt.
func TestS9_AnyBit(t *testing.T) {
	c, _ := foreignClient(t)
	address, rec := recordOf(t, c)
	doc, err := identity.OpenAI().Identify(identity.Request{Path: "/v1/chat/completions", Body: []byte(`{"model":"m","messages":[]}`)}, identity.Call{})
	require.NoError(t, err)
	cl := &call{core: c.core, address: address, finger: rec.Fingerprint, doc: doc, facts: factsOf(doc, nil), progress: &progress{}}
	good, err := cl.decode(rec)
	require.NoError(t, err)
	require.Equal(t, wholeAnswer, string(good.body))
	for i := range len(rec.Body) * 8 {
		bad := rec
		bad.Body = bytes.Clone(rec.Body)
		bad.Body[i/8] ^= 1 << (i % 8)
		_, err := cl.decode(bad)
		require.ErrorIs(t, err, errRecord, "bit %d", i)
	}
}

// A record that a store could not read has no fingerprint; it is in doubt, not
// another request's.
func TestS9_UnreadableForTheStore(t *testing.T) {
	for policy, want := range map[DoubtPolicy]Code{Retry: "", Fail: CodeAmbiguous} {
		c, _ := foreignClient(t, Config{OnUnknown: policy})
		address, _ := recordOf(t, c)
		ctx, owner := context.Background(), store.NewOwner()
		_, err := c.store.Claim(ctx, address, store.Claim{Owner: owner, Lease: time.Minute, Takeover: store.TakeSettled})
		require.NoError(t, err)
		require.NoError(t, c.store.Settle(ctx, address, owner, store.Outcome{State: store.Unknown}))
		c.near.Drop(address)
		_, _, err = chatOnce(t, c)
		require.Equal(t, want, CodeOf(err))
	}
}

// P1: a record of another request under the same key is a conflict, whatever state
// it is in, and P2: it does not enter the memory in front of the store.
func TestP1_MismatchInTheStore(t *testing.T) {
	for _, state := range []store.State{store.InFlight, store.Completed, store.Unknown} {
		c, sends := foreignClient(t)
		address, rec := recordOf(t, c)
		ctx, owner := context.Background(), store.NewOwner()
		_, err := c.store.Claim(ctx, address, store.Claim{Owner: owner, Lease: time.Minute, Fingerprint: store.Fingerprint{1}, Takeover: store.TakeSettled})
		require.NoError(t, err)
		if state != store.InFlight {
			require.NoError(t, c.store.Settle(ctx, address, owner, store.Outcome{State: state, Body: rec.Body}))
		}
		c.near.Drop(address)
		for range 2 {
			_, _, err = chatOnce(t, c)
			require.Equal(t, CodeConflict, CodeOf(err), state)
		}
		near, err := c.near.Get(ctx, address)
		require.NoError(t, err)
		require.Equal(t, store.Absent, near.State)
		require.Equal(t, 1, *sends)
	}
}
