package llmtest_test

import (
	"context"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/llmidem/llmidem-go/llmidem"
	"github.com/llmidem/llmidem-go/llmidem/llmtest"
)

func TestIgnoredKeysAreExecutedAgain(t *testing.T) {
	overAll(t, func(t *testing.T, srv *llmtest.Server) {
		for range 2 {
			r := chat(srv, "hi", "Idempotency-Key", "k")
			assert.Empty(t, r.Header.Get("Idempotent-Replayed"))
		}
		assert.Equal(t, 2, srv.Ledger().ExecutionsOf("k"))
	})
}

func TestReplayedKeys(t *testing.T) {
	overAll(t, func(t *testing.T, srv *llmtest.Server) {
		srv.Next(llmtest.Status(503), llmtest.DropAfter())
		assert.Equal(t, 503, chat(srv, "hi", "Idempotency-Key", "k").Status, "not remembered: no work was done")
		assert.Error(t, chat(srv, "hi", "Idempotency-Key", "k").Err)
		r := chat(srv, "hi", "Idempotency-Key", "k")
		assert.Equal(t, "true", r.Header.Get("Idempotent-Replayed"))
		assert.Equal(t, "Answer 1 to: hi", text(t, r))

		r = chat(srv, "another", "Idempotency-Key", "k")
		assert.Equal(t, 422, r.Status)
		assert.Equal(t, "idempotency_key_reused", code(t, r))
		r = chat(srv, "hi", "Idempotency-Key", "k", "Authorization", "Bearer another")
		assert.Equal(t, "Answer 2 to: hi", text(t, r), "keys belong to credentials")
		assert.Equal(t, "Answer 3 to: hi", text(t, chat(srv, "hi")), "no key, no replay")

		l := srv.Ledger()
		assert.Equal(t, 2, l.ExecutionsOf("k"))
		assert.Equal(t, 1, l.Replays)
		assert.Equal(t, []string{"k"}, l.Keys())
		assert.Len(t, l.RequestsOf("k"), 5)
	}, llmtest.WithKeys(llmidem.Keys{Class: llmidem.Replay}), llmtest.Sampled())
}

func TestReplayedStreamsAreEqual(t *testing.T) {
	srv := llmtest.New(t, llmtest.InMemory(), llmtest.Sampled(), llmtest.WithKeys(llmidem.Keys{Class: llmidem.Replay}))
	srv.Next(llmtest.NoFinish())
	stream := func() reply {
		return post(srv, "/chat/completions", chatBody("hi", `,"stream":true`), "Idempotency-Key", "k")
	}
	damaged, first, second := stream(), stream(), stream()
	assert.NotContains(t, damaged.Body, "[DONE]")
	assert.Contains(t, first.Body, "[DONE]", "the fault spoilt the delivery, not the answer")
	assert.Equal(t, first.Body, second.Body)
	assert.Equal(t, 1, srv.Ledger().Executions())
}

func TestRejectedKeys(t *testing.T) {
	srv := llmtest.New(t, llmtest.InMemory(), llmtest.WithKeys(llmidem.Keys{Class: llmidem.Reject, Header: "X-Once"}))
	srv.Next(llmtest.Refuse(), llmtest.DropBefore())
	assert.Error(t, chat(srv, "hi", "X-Once", "k").Err)
	assert.Error(t, chat(srv, "hi", "X-Once", "k").Err, "a refused connection has burnt nothing")
	r := chat(srv, "hi", "X-Once", "k")
	assert.Equal(t, 422, r.Status)
	assert.Equal(t, "duplicate_key", code(t, r))
	assert.Equal(t, 200, chat(srv, "hi", "X-Once", "k2").Status)
	assert.Equal(t, 200, chat(srv, "hi").Status)
	assert.Equal(t, 2, srv.Ledger().Executions())
}

func TestKeyForms(t *testing.T) {
	keys := llmidem.Keys{Class: llmidem.Replay, Quoted: true, MaxLen: 4, Pattern: "[a-z]+"}
	srv := llmtest.New(t, llmtest.InMemory(), llmtest.WithKeys(keys))
	assert.Equal(t, 200, chat(srv, "hi", "Idempotency-Key", `"abcd"`).Status)
	assert.Equal(t, []string{"abcd"}, srv.Ledger().Keys())
	for _, bad := range []string{`abcd`, `"abcde"`, `"ABC"`, `""`, `"a`, `"a;b"`} {
		r := chat(srv, "hi", "Idempotency-Key", bad)
		assert.Equal(t, 400, r.Status, bad)
		assert.Equal(t, "invalid_idempotency_key", code(t, r))
	}
	assert.Equal(t, 400, chat(srv, "hi", "Idempotency-Key", `"a"`, "Idempotency-Key", `"b"`).Status)
	assert.Equal(t, 1, srv.Ledger().Executions())
	p := srv.Provider()
	assert.Equal(t, "llmtest", p.Name)
	assert.Equal(t, "openai", p.Rules.Name)
	assert.Equal(t, llmidem.Replay, p.Keys.Class)
}

func TestKeysInFlightAndTheWindow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv := llmtest.New(t, llmtest.InMemory(), llmtest.WithKeys(llmidem.Keys{Class: llmidem.Replay, Window: time.Hour}))
		srv.Next(llmtest.Delay(3 * time.Second))
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		r := send(ctx, srv, http.MethodPost, srv.URL()+"/chat/completions", chatBody("hi", ""), "Idempotency-Key", "k")
		require.ErrorIs(t, r.Err, context.DeadlineExceeded)

		r = chat(srv, "hi", "Idempotency-Key", "k")
		assert.Equal(t, 409, r.Status, "the work goes on without its client")
		assert.Equal(t, "idempotency_key_in_use", code(t, r))
		assert.Equal(t, "2", r.Header.Get("Retry-After"))
		time.Sleep(2 * time.Second)
		r = chat(srv, "hi", "Idempotency-Key", "k")
		assert.Equal(t, 200, r.Status)
		assert.Equal(t, "true", r.Header.Get("Idempotent-Replayed"))
		assert.Equal(t, 1, srv.Ledger().Executions())

		time.Sleep(time.Hour)
		assert.Empty(t, chat(srv, "hi", "Idempotency-Key", "k").Header.Get("Idempotent-Replayed"))
		assert.Equal(t, 2, srv.Ledger().Executions())
	})
}

func TestPacedStreamIsInFlightUntilItsEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv := llmtest.New(t, llmtest.InMemory(), llmtest.WithKeys(llmidem.Keys{Class: llmidem.Replay}))
		srv.Next(llmtest.Text("a b c").Pace(time.Second))
		done := make(chan reply)
		go func() {
			done <- post(srv, "/chat/completions", chatBody("hi", `,"stream":true`), "Idempotency-Key", "k")
		}()
		synctest.Wait()
		r := post(srv, "/chat/completions", chatBody("hi", `,"stream":true`), "Idempotency-Key", "k")
		assert.Equal(t, 409, r.Status)
		start := time.Now()
		first := <-done
		assert.NoError(t, first.Err)
		assert.Equal(t, 5*time.Second, time.Since(start), "six events, five pauses")
		r = post(srv, "/chat/completions", chatBody("hi", `,"stream":true`), "Idempotency-Key", "k")
		assert.Equal(t, first.Body, r.Body)
	})
}
