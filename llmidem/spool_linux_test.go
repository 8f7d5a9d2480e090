package llmidem_test

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/llmidem/llmidem-go/llmidem"
	"github.com/llmidem/llmidem-go/llmidem/llmtest"
)

// spooled counts the nameless files of this process.
func spooled(t *testing.T) int {
	t.Helper()
	entries, err := os.ReadDir("/proc/self/fd")
	require.NoError(t, err)
	n := 0
	for _, e := range entries {
		to, _ := os.Readlink("/proc/self/fd/" + e.Name()) // the one of ReadDir is gone by now
		if strings.Contains(to, "/llmidem-") && strings.HasSuffix(to, " (deleted)") {
			n++
		}
	}
	return n
}

// spoolLife runs tests of one call each, after which no file may be left.
func spoolLife(t *testing.T, tests map[string]func(t *testing.T, b *bench)) {
	t.Helper()
	dir := spoolDir(t)
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := newBench(t)
				test(t, b)
				synctest.Wait()
				require.Zero(t, spooled(t))
				require.Empty(t, files(t, dir))
			})
		})
	}
}

func large(b *bench, prompt string) *http.Request {
	return b.request("/chat/completions", largeBody(prompt))
}

func largeStream(b *bench) *http.Request {
	return b.request("/chat/completions", `{"stream":true,`+largeBody("x")[1:])
}

func passTime(d time.Duration) { time.Sleep(d); synctest.Wait() }

// The file of a large body is there while the call may be made again, and not
// longer, however the call ends; a name it has never.
func TestSpool_LifeOfTheFile(t *testing.T) {
	spoolLife(t, map[string]func(t *testing.T, b *bench){
		"answered after a retry": func(t *testing.T, b *bench) {
			b.srv.Next(llmtest.Status(503).RetryAfter(10*time.Second), llmtest.OK())
			done := make(chan exchanged)
			go func() { done <- b.read(b.client.RoundTrip(large(b, "x"))) }()
			synctest.Wait()
			require.Equal(t, 1, spooled(t))
			require.Equal(t, 200, (<-done).status)
			bodies := b.srv.Ledger().Bodies()
			require.True(t, string(bodies[0]) == largeBody("x") && string(bodies[1]) == largeBody("x"))
		},
		"recalled": func(t *testing.T, b *bench) {
			b.read(b.client.RoundTrip(large(b, "x")))
			require.Equal(t, "cache", b.read(b.client.RoundTrip(large(b, "x"))).source)
		},
		"the caller leaves": func(t *testing.T, b *bench) {
			b.srv.Next(llmtest.Delay(10 * time.Second))
			ctx, cancel := context.WithTimeout(context.Background(), time.Second)
			defer cancel()
			_, err := b.client.RoundTrip(large(b, "x").WithContext(ctx))
			require.Equal(t, llmidem.CodeInProgress, llmidem.CodeOf(err))
			require.Equal(t, 1, spooled(t), "the call goes on")
			passTime(20 * time.Second)
		},
		"two callers": func(t *testing.T, b *bench) {
			b.srv.Next(llmtest.Delay(10 * time.Second))
			done := make(chan exchanged)
			for range 2 {
				go func() { done <- b.read(b.client.RoundTrip(large(b, "x"))) }()
			}
			synctest.Wait()
			require.Equal(t, 2, spooled(t))
			require.Equal(t, 200, (<-done).status)
			require.Equal(t, 200, (<-done).status)
		},
		"failed": func(t *testing.T, b *bench) {
			b.srv.Handle(func(*llmtest.Request) llmtest.Fault { return llmtest.DropAfter() })
			_, err := b.client.RoundTrip(large(b, "x"))
			require.Equal(t, llmidem.CodeAmbiguous, llmidem.CodeOf(err))
		},
		"without recall": func(t *testing.T, b *bench) {
			req := large(b, "x")
			b.read(b.client.RoundTrip(req.WithContext(llmidem.WithCall(req.Context(), llmidem.NoRecall()))))
		},
		"refused before it is sent": func(t *testing.T, b *bench) {
			req := large(b, "x")
			_, err := b.client.RoundTrip(req.WithContext(llmidem.WithCall(req.Context(), llmidem.Key("a b c,"))))
			require.Equal(t, llmidem.CodeInvalid, llmidem.CodeOf(err))
		},
		"passes, for it names no model": func(t *testing.T, b *bench) {
			b.read(b.client.RoundTrip(b.request("/chat/completions", strings.Replace(largeBody("x"), `"model"`, `"mode"`, 1))))
		},
		"Close cuts it off": func(t *testing.T, b *bench) {
			b.srv.Next(llmtest.Hang())
			done := make(chan error)
			go func() { _, err := b.client.RoundTrip(large(b, "x")); done <- err }()
			synctest.Wait()
			ctx, cancel := context.WithTimeout(context.Background(), time.Second)
			defer cancel()
			require.Error(t, b.client.Close(ctx))
			require.Error(t, <-done)
		},
	})
}

func TestSpool_LifeOfTheFileOfAStream(t *testing.T) {
	spoolLife(t, map[string]func(t *testing.T, b *bench){
		"a stream": func(t *testing.T, b *bench) {
			got := b.read(b.client.RoundTrip(largeStream(b)))
			require.Contains(t, got.body, "[DONE]")
		},
		"a stream that only one can have": func(t *testing.T, b *bench) {
			req := largeStream(b)
			b.read(b.client.RoundTrip(req.WithContext(llmidem.WithCall(req.Context(), llmidem.NoRecall()))))
		},
		"a stream that is closed early": func(t *testing.T, b *bench) {
			b.srv.Next(llmtest.Text(strings.Repeat("word ", 100)).Pace(time.Second))
			resp, err := b.client.RoundTrip(largeStream(b))
			require.NoError(t, err)
			_, err = resp.Body.Read(make([]byte, 10))
			require.NoError(t, err)
			require.Equal(t, 1, spooled(t))
			require.NoError(t, resp.Body.Close())
			passTime(2 * time.Second)
		},
	})
}

// One byte above 1 MiB it is a file.
func TestSpool_FromWhichSize(t *testing.T) {
	spoolDir(t)
	for size, want := range map[int]int{1 << 20: 0, 1<<20 + 1: 1} {
		synctest.Test(t, func(t *testing.T) {
			b := newBench(t)
			b.srv.Next(llmtest.Delay(time.Second))
			text := chatBody(strings.Repeat("x", size-len(chatBody(""))))
			require.Len(t, text, size)
			done := make(chan exchanged)
			go func() { done <- b.read(b.client.RoundTrip(b.request("/chat/completions", text))) }()
			synctest.Wait()
			require.Equal(t, want, spooled(t))
			require.Equal(t, 200, (<-done).status)
			require.Zero(t, spooled(t))
		})
	}
}

// A provider that replays is asked again for a stream that broke off, with the same
// bytes from the file, also where only one caller has the stream.
func TestSpool_ResumedStream(t *testing.T) {
	spoolDir(t)
	for name, opts := range map[string][]llmidem.CallOption{"recalled": nil, "not recalled": {llmidem.NoRecall()}} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := benchOver(t, llmtest.New(t, llmtest.InMemory(), llmtest.WithKeys(llmidem.Keys{Class: llmidem.Replay})))
				b.srv.Next(llmtest.CutEvents(3).Pace(100*time.Millisecond), llmtest.OK())
				req := largeStream(b)
				resp, err := b.client.RoundTrip(req.WithContext(llmidem.WithCall(req.Context(), opts...)))
				require.NoError(t, err)
				text, err := io.ReadAll(resp.Body)
				require.NoError(t, err)
				require.Contains(t, string(text), "[DONE]")
				bodies := b.srv.Ledger().Bodies()
				require.Greater(t, len(bodies), 1)
				for _, again := range bodies[1:] {
					require.True(t, bytes.Equal(bodies[0], again))
				}
				synctest.Wait()
				require.Zero(t, spooled(t))
			})
		})
	}
}

// A call that waits for another process keeps its file though its caller leaves, as
// long as somebody waits: it is this body that is sent.
func TestSpool_LeaderLeavesBeforeTheSend(t *testing.T) {
	spoolDir(t)
	synctest.Test(t, func(t *testing.T) {
		_, p := processes(t, 2)
		p[0].srv.Next(llmtest.Status(400).Delay(10*time.Second), llmtest.OK())
		other := make(chan exchanged)
		go func() { other <- p[0].read(p[0].client.RoundTrip(large(p[0].bench, "x"))) }()
		synctest.Wait()
		ctx, leave := context.WithTimeout(context.Background(), time.Second)
		defer leave()
		left, got := make(chan error), make(chan exchanged)
		go func() {
			_, err := p[1].client.RoundTrip(large(p[1].bench, "x").WithContext(ctx))
			left <- err
		}()
		synctest.Wait()
		go func() { got <- p[1].read(p[1].client.RoundTrip(large(p[1].bench, "x"))) }()
		require.Error(t, <-left)
		require.Equal(t, 400, (<-other).status)
		require.Equal(t, 200, (<-got).status)
		bodies := p[0].srv.Ledger().Bodies()
		require.Len(t, bodies, 2)
		require.True(t, string(bodies[1]) == largeBody("x"))
		synctest.Wait()
		require.Zero(t, spooled(t))
	})
}
