package llmidem

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptrace"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/llmidem/llmidem-go/llmidem/identity"
	"github.com/llmidem/llmidem-go/llmidem/store"
)

var errStore = errors.New("store is down")

// faulty is a store whose methods fail by switch.
type faulty struct {
	store.Store
	claim, settle, lost, get bool
}

func (f *faulty) Claim(ctx context.Context, id string, c store.Claim) (store.Record, error) {
	if f.claim {
		return store.Record{}, errStore
	}
	return f.Store.Claim(ctx, id, c)
}

func (f *faulty) Get(ctx context.Context, id string) (store.Record, error) {
	if f.get {
		return store.Record{}, errStore
	}
	return f.Store.Get(ctx, id)
}

func (f *faulty) Settle(ctx context.Context, id string, owner store.Owner, o store.Outcome) error {
	switch {
	case f.settle:
		return errStore
	case f.lost:
		return store.ErrLost
	}
	return f.Store.Settle(ctx, id, owner, o)
}

const wholeAnswer = `{"id":"c1","model":"m","choices":[{"index":0,"finish_reason":"stop","message":{"role":"assistant","content":"hi"}}],"usage":{"prompt_tokens":1,"completion_tokens":2}}`

// faultClient is a client over a faulty store and a transport that counts.
func faultClient(t *testing.T, opts ...Option) (*Client, *faulty, *int) {
	t.Helper()
	sends := new(int)
	rt := transportFunc(func(*http.Request) (*http.Response, error) {
		*sends++
		return &http.Response{StatusCode: 200, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, ContentLength: int64(len(wholeAnswer)),
			Header: http.Header{"Content-Type": {"application/json"}}, Body: io.NopCloser(strings.NewReader(wholeAnswer))}, nil
	})
	opts = append(opts, WithTransport(rt), WithLogger(slog.New(slog.DiscardHandler)))
	c, err := New(Provider{Name: "test", Rules: identity.OpenAI()}, opts...)
	require.NoError(t, err)
	f := &faulty{Store: c.store}
	c.store = f
	t.Cleanup(func() { require.NoError(t, c.Close(context.Background())) })
	return c, f, sends
}

type transportFunc func(*http.Request) (*http.Response, error)

func (f transportFunc) RoundTrip(req *http.Request) (*http.Response, error) { return f(req) }

func chatOnce(t *testing.T, c *Client) (Receipt, string, error) {
	t.Helper()
	return chatWith(t, c)
}

func chatWith(t *testing.T, c *Client, opts ...CallOption) (Receipt, string, error) {
	t.Helper()
	ctx, receipt := WithReceipt(context.Background(), opts...)
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, "https://api.invalid/v1/chat/completions", strings.NewReader(`{"model":"m","messages":[]}`))
	require.NoError(t, err)
	resp, err := c.RoundTrip(req)
	if err != nil {
		return receipt(), "", err
	}
	text, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	return receipt(), string(text), nil
}

// S13: the store fails at the claim.
func TestS13_StoreFailsAtTheClaim(t *testing.T) {
	c, f, sends := faultClient(t)
	f.claim, f.get = true, true
	r, text, err := chatOnce(t, c)
	require.NoError(t, err)
	require.Equal(t, wholeAnswer, text)
	require.ErrorIs(t, r.StoreErr, errStore)
	require.True(t, r.Complete && !r.Kept)
	require.Equal(t, 1, *sends)

	c, f, sends = faultClient(t, Config{StoreDown: Refuse})
	f.claim = true
	_, _, err = chatOnce(t, c)
	require.Equal(t, CodeUnavailable, CodeOf(err))
	require.ErrorIs(t, err, errStore)
	require.Zero(t, *sends, "nothing was sent")
	require.Equal(t, CodeUnavailable, CodeOf(c.Forget(context.Background(), strings.Repeat("0", 64))))
}

// S13: the store fails at completion: the answer that was paid for still reaches
// the caller.
func TestS13_StoreFailsAtCompletion(t *testing.T) {
	c, f, _ := faultClient(t)
	f.settle = true
	r, text, err := chatOnce(t, c)
	require.NoError(t, err)
	require.Equal(t, wholeAnswer, text)
	require.ErrorIs(t, r.StoreErr, errStore)
	require.False(t, r.Kept)
}

// S13: at release the first error survives.
func TestS13_StoreFailsAtRelease(t *testing.T) {
	c, f, _ := faultClient(t, WithRetry(RetryPolicy{MaxAttempts: 1}))
	f.settle = true
	broken := errors.New("broken wire")
	c = c.Over(transportFunc(func(*http.Request) (*http.Response, error) { return nil, broken }))
	_, _, err := chatOnce(t, c)
	require.ErrorIs(t, err, broken)
}

// S12: a finisher that has lost its claim returns the record's answer if there is
// one, else its own, and says so.
func TestS12_LateFinisher(t *testing.T) {
	c, f, _ := faultClient(t)
	f.lost = true
	r, text, err := chatOnce(t, c)
	require.NoError(t, err)
	require.Equal(t, wholeAnswer, text)
	require.ErrorIs(t, r.StoreErr, store.ErrLost)
	require.False(t, r.Kept)

	// Another has completed it meanwhile.
	other := strings.Replace(wholeAnswer, "hi", "other", 1)
	c, f, _ = faultClient(t)
	address := r.Address
	var finger store.Fingerprint
	c = c.Over(transportFunc(func(*http.Request) (*http.Response, error) {
		rec, err := f.Get(context.Background(), address)
		require.NoError(t, err)
		finger = rec.Fingerprint
		ctx := context.Background()
		require.NoError(t, f.Settle(ctx, address, rec.Owner, store.Outcome{State: store.Absent}))
		mine := store.NewOwner()
		_, err = f.Claim(ctx, address, store.Claim{Owner: mine, Lease: time.Minute, Fingerprint: finger})
		require.NoError(t, err)
		body := encodeRecord(&answer{header: http.Header{"Content-Type": {"application/json"}}, body: []byte(other)}, 0)
		require.NoError(t, f.Settle(ctx, address, mine, store.Outcome{State: store.Completed, Body: body, TTL: time.Minute}))
		return &http.Response{StatusCode: 200, ContentLength: int64(len(wholeAnswer)), Header: http.Header{"Content-Type": {"application/json"}},
			Body: io.NopCloser(strings.NewReader(wholeAnswer))}, nil
	}))
	r, text, err = chatOnce(t, c)
	require.NoError(t, err)
	require.Equal(t, other, text, "all have the same answer")
	require.ErrorIs(t, r.StoreErr, store.ErrLost)
}

// S9: a record that does not parse is in doubt, not absent and not an answer.
func TestS9_RecordThatDoesNotParse(t *testing.T) {
	spoil := func(c *Client, address string, finger store.Fingerprint) {
		ctx, owner := context.Background(), store.NewOwner()
		_, err := c.store.Claim(ctx, address, store.Claim{Owner: owner, Lease: time.Minute, Fingerprint: finger, Takeover: store.TakeSettled})
		require.NoError(t, err)
		require.NoError(t, c.store.Settle(ctx, address, owner, store.Outcome{State: store.Completed, Body: []byte("garbage"), TTL: time.Hour}))
	}
	for policy, want := range map[DoubtPolicy]Code{Retry: "", Fail: CodeAmbiguous} {
		c, _, sends := faultClient(t, Config{OnUnknown: policy})
		r, _, err := chatOnce(t, c)
		require.NoError(t, err)
		rec, err := c.store.Get(context.Background(), r.Address)
		require.NoError(t, err)
		spoil(c, r.Address, rec.Fingerprint)
		_, text, err := chatOnce(t, c)
		require.Equal(t, want, CodeOf(err))
		if want == "" {
			require.Equal(t, wholeAnswer, text)
			require.Equal(t, 2, *sends)
		} else {
			require.Equal(t, 1, *sends)
		}
		spoil(c, r.Address, store.Fingerprint{1})
		_, _, err = chatOnce(t, c)
		require.Equal(t, CodeConflict, CodeOf(err), "P1: before anything else")
	}
}

// P1: a fingerprint that differs is a conflict at every place that finds one: the
// flight, the record, the claim. Each holds on its own, since between any two of
// them another caller may come.
func TestP1_MismatchAtEveryPlace(t *testing.T) {
	ctx := context.Background()
	c, _, _ := faultClient(t)
	first := &call{core: c.core, address: strings.Repeat("a", 64), finger: store.Fingerprint{1}, recallMode: recallAll, progress: &progress{}, span: noSpan}
	other := &call{core: c.core, address: first.address, finger: store.Fingerprint{2}, recallMode: recallAll, progress: &progress{}, span: noSpan}
	f, role := c.flights.join(ctx, first)
	require.Equal(t, roleLeader, role)
	_, role = c.flights.join(ctx, other)
	require.Equal(t, roleConflict, role)

	holder := &hold{call: first, owner: store.NewOwner()}
	_, won, err := holder.acquire(ctx)
	require.NoError(t, err)
	require.True(t, won)
	standing, won, err := (&hold{call: other, owner: store.NewOwner()}).acquire(ctx)
	require.NoError(t, err)
	require.False(t, won)
	require.Equal(t, CodeConflict, CodeOf(standing.err))

	body := encodeRecord(&answer{body: []byte(wholeAnswer)}, 0)
	require.NoError(t, holder.settle(ctx, store.Outcome{State: store.Completed, Body: body, TTL: time.Minute}))
	rec, err := c.store.Get(ctx, first.address)
	require.NoError(t, err)
	_, err = other.recorded(ctx, rec)
	require.Equal(t, CodeConflict, CodeOf(err))
	_, err = first.recorded(ctx, rec)
	require.NoError(t, err)
	f.land(&answer{}, nil)
}

// R10: a connection that wrote nothing is known not to have sent, although the
// request got as far as the transport's buffer.
func TestR10_NothingLeftTheBuffer(t *testing.T) {
	for wrote, want := range map[bool]class{false: classNotSent, true: classAmbiguous} {
		client, server := net.Pipe()
		go func() { _, _ = io.Copy(io.Discard, server) }()
		conn := &countedConn{Conn: client}
		_, err := conn.Write([]byte("an earlier request"))
		require.NoError(t, err)
		c, _, _ := faultClient(t, WithRetry(RetryPolicy{MaxAttempts: 1}))
		var got class
		c = c.Over(transportFunc(func(req *http.Request) (*http.Response, error) {
			trace := httptrace.ContextClientTrace(req.Context())
			trace.GetConn("api.invalid:443")
			trace.GotConn(httptrace.GotConnInfo{Conn: conn, Reused: true})
			trace.WroteHeaders()
			if wrote {
				_, _ = conn.Write([]byte("POST"))
			}
			return nil, io.EOF
		}))
		_, _, err = chatOnce(t, c)
		if CodeOf(err) == CodeAmbiguous {
			got = classAmbiguous
		} else {
			got = classNotSent
		}
		require.Equal(t, want, got)
		client.Close()
		server.Close()
	}
}

// A transport that says nothing of what it writes is taken to have written.
func TestR10_SilentTransport(t *testing.T) {
	c, _, _ := faultClient(t, WithRetry(RetryPolicy{MaxAttempts: 1}))
	c = c.Over(transportFunc(func(*http.Request) (*http.Response, error) { return nil, io.ErrUnexpectedEOF }))
	_, _, err := chatOnce(t, c)
	require.Equal(t, CodeAmbiguous, CodeOf(err))
}

// Whatever a store gives back parses or is refused, and never panics.
func FuzzDecodeRecord(f *testing.F) {
	f.Add(encodeRecord(&answer{header: http.Header{"Content-Type": {"application/json"}}, body: []byte(wholeAnswer)}, 0))
	f.Add([]byte{recordVersion, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1})
	f.Fuzz(func(t *testing.T, data []byte) {
		ans, err := decodeRecord(store.Record{Body: data})
		if err != nil {
			require.ErrorIs(t, err, errRecord)
			return
		}
		again, err := decodeRecord(store.Record{Body: encodeRecord(ans, 0)})
		require.NoError(t, err)
		require.Equal(t, ans.body, again.body)
		for _, name := range replayed {
			require.Equal(t, ans.header[name], again.header[name])
		}
	})
}

// What is given out once has been, when a caller left with it while its record was
// about to be settled.
func TestRecallUndelivered_TakenOnLeaving(t *testing.T) {
	c, _, _ := faultClient(t)
	leader := &call{core: c.core, address: strings.Repeat("a", 64), recallMode: recallOnce, progress: &progress{}, span: noSpan}
	f, role := c.flights.join(context.Background(), leader)
	require.Equal(t, roleLeader, role)
	f.answered(&answer{body: []byte("answer")})
	l := f.leave(roleLeader)
	require.Equal(t, "answer", string(l.ans.body))
	require.ErrorIs(t, l.ans.storeErr, errSettling)
	require.True(t, f.deliver(), "it was given out")
	_, role = c.flights.join(context.Background(), leader)
	require.Equal(t, roleAlone, role, "and is nobody else's")
	f.land(&answer{}, nil)
}
