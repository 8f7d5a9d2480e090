package llmidem_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	openai "github.com/sashabaranov/go-openai"
	"github.com/stretchr/testify/require"

	"github.com/llmidem/llmidem-go/llmidem"
	"github.com/llmidem/llmidem-go/llmidem/llmtest"
)

func TestR13_CutStreamIsInterrupted(t *testing.T) {
	for name, fault := range map[string]llmtest.Fault{
		"in the middle":                llmtest.CutEvents(3),
		"before the last event":        llmtest.DropMiddle(),
		"clean end, no finish reason":  llmtest.NoFinish(),
		"P7 forged [DONE]":             llmtest.ForgedDone(),
		"half an event":                llmtest.CutJSON(),
		"P7a of a choice nothing came": llmtest.CutEvents(2),
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t)
			b.srv.Next(fault)
			out := b.stream("cut")
			require.Equal(t, llmidem.CodeInterrupted, llmidem.CodeOf(out.err), "%v", out.err)
			require.NotEmpty(t, out.chunks)
			require.False(t, out.r.Complete || out.r.Kept)
			require.Equal(t, llmidem.SourceProvider, b.mustStream("cut").r.Source, "half an answer is never given again")
		})
		t.Run(name+", tolerated", func(t *testing.T) {
			b := newBench(t, llmidem.Config{TolerateTruncation: true})
			b.srv.Next(fault)
			out := b.mustStream("cut")
			require.False(t, out.r.Complete || out.r.Kept)
		})
	}
}

func TestR13_CutBeforeTheFirstEventIsRetried(t *testing.T) {
	for name, fault := range map[string]llmtest.Fault{
		"headers alone":     llmtest.CutEvents(0),
		"comment, then cut": llmtest.CutBody(5).Before(": hello\n\n"),
		"before headers":    llmtest.DropAfter(),
		"empty":             llmtest.Reply("text/event-stream", ""),
		"[DONE] alone":      llmtest.Reply("text/event-stream", "data: [DONE]\n\n"),
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := newBench(t)
				b.srv.Next(fault)
				out := b.mustStream("first")
				require.Equal(t, 2, out.r.Attempts)
			})
		})
	}
	t.Run("for good", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			b := newBench(t)
			b.srv.Handle(func(*llmtest.Request) llmtest.Fault { return llmtest.CutEvents(0) })
			out := b.stream("first")
			require.Equal(t, llmidem.CodeInterrupted, llmidem.CodeOf(out.err), "%v", out.err)
			require.Len(t, b.srv.Ledger().Bodies(), 3)
		})
	})
}

func TestR13_CutAfterTheLastEventIsWhole(t *testing.T) {
	b := newBench(t)
	b.srv.Next(llmtest.CutEvents(1000))
	require.True(t, b.mustStream("whole").r.Kept)
	require.Equal(t, llmidem.SourceCache, b.mustStream("whole").r.Source)
}

func TestR13a_FirstFrameIsRetriedByItsCode(t *testing.T) {
	for code, want := range map[string]int{
		"rate_limit_exceeded": 5, "overloaded_error": 5, "server_error": 3, "insufficient_quota": 1, "invalid_request_error": 1,
		"429": 5, "500": 3, "never_heard_of": 3,
	} {
		t.Run(code, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := newBench(t)
				b.srv.Handle(func(*llmtest.Request) llmtest.Fault {
					return llmtest.StreamError(0).Code(code).Message("the words of " + code)
				})
				out := b.stream("frame")
				var api *openai.APIError
				require.ErrorAs(t, out.err, &api)
				require.Equal(t, "the words of "+code, api.Message)
				require.Len(t, b.srv.Ledger().Bodies(), want)
				require.NotContains(t, out.err.Error(), "the words")
				b.srv.Handle(func(*llmtest.Request) llmtest.Fault { return llmtest.OK() })
				require.NotEmpty(t, b.mustStream("frame").text)
			})
		})
	}
}

func TestT2_FrameReachesTheSDK(t *testing.T) {
	const frame = `{"error":{"message":"told","type":"invalid_request_error","code":"bad"}}`
	for name, text := range map[string]string{
		"plain": "data: " + frame + "\n\n", "after a comment": ": hello\n\ndata: " + frame + "\n\n",
		"comment in the block": ": hello\ndata: " + frame + "\n\n",
		"space after brace":    "data: { \"error\": {\"message\":\"told\",\"type\":\"invalid_request_error\",\"code\":\"bad\"} }\n\n",
		"no blank line":        "data: " + frame + "\n", "no line end": "data: " + frame, "CRLF": "data: " + frame + "\r\n\r\n",
		"text": `data: {"error":"told","code":"bad","type":"invalid_request_error"}` + "\n\n",
	} {
		for at := range 3 {
			for _, open := range []bool{false, true} {
				if open && name == "no line end" {
					continue // nobody can know that it is over
				}
				t.Run(fmt.Sprintf("%s at %d open %v", name, at, open), func(t *testing.T) {
					synctest.Test(t, func(t *testing.T) {
						b := newBench(t)
						fault := llmtest.StreamError(at).Frame(text)
						if open {
							fault = fault.LeaveOpen()
						}
						b.srv.Next(fault)
						out := b.stream("frame")
						var api *openai.APIError
						require.ErrorAs(t, out.err, &api, "%v", out.err)
						require.Equal(t, "told", api.Message)
						require.NotContains(t, out.err.Error(), "told")
						require.Len(t, out.chunks, at)
						require.False(t, out.r.Complete || out.r.Kept)
					})
				})
			}
		}
	}
}

func TestP7_NoStreamIsNotKept(t *testing.T) {
	for name, fault := range map[string]llmtest.Fault{
		"HTML": llmtest.HTML(), "error with 200": llmtest.ErrorOK(), "no finish": llmtest.NoFinish(), "forged": llmtest.ForgedDone(),
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t)
			b.srv.Next(fault)
			_ = b.stream("p7")
			require.Equal(t, llmidem.SourceProvider, b.mustStream("p7").r.Source)
		})
	}
}

func TestP7a_OneChoiceOfTwoIsNotKept(t *testing.T) {
	b := newBench(t)
	b.srv.Next(llmtest.MissingChoice())
	req := chat("two")
	req.N = 2
	s, err := llmidem.CallStream(context.Background(), b.api.CreateChatCompletionStream, req)
	require.NoError(t, err)
	require.Equal(t, llmidem.CodeInterrupted, llmidem.CodeOf(drainStream(s).err))
	require.False(t, s.Receipt().Kept)
}

func TestR9_CutStreamIsResumedWhereKeysAreReplayed(t *testing.T) {
	for cut := 1; cut < 8; cut++ {
		for _, pieces := range []bool{false, true} {
			t.Run(fmt.Sprint(cut, pieces), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					srv := llmtest.New(t, llmtest.InMemory(), llmtest.WithKeys(llmidem.Keys{Class: llmidem.Replay}))
					b := benchOver(t, srv)
					fault := llmtest.CutEvents(cut)
					if pieces {
						fault = fault.Split(7)
					}
					srv.Next(fault)
					out := b.mustStream("one two three four five")
					require.Equal(t, "Answer to: one two three four five", strings.TrimSpace(out.text))
					require.True(t, out.r.Complete && out.r.Kept, "%+v", out.r)
					require.Equal(t, 2, out.r.Attempts)
					require.Equal(t, 1, srv.Ledger().Executions())
				})
			})
		}
	}
}

func TestR9_AnotherAnswerIsNotContinued(t *testing.T) {
	const finish = `data: {"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}` + "\n\ndata: [DONE]\n\n"
	delta := func(text string) string {
		return `data: {"choices":[{"index":0,"delta":{"content":"` + text + `"}}]}` + "\n\n"
	}
	for name, c := range map[string]struct {
		second, want string
	}{
		"another":     {delta("Good ") + delta("bye") + finish, ""},
		"other cuts":  {delta("Hel") + delta("lo wor") + delta("ld") + finish, "Hello world"},
		"one event":   {delta("Hello world") + finish, "Hello world"},
		"too short":   {delta("Hell") + finish, ""},
		"an error":    {`data: {"error":{"message":"m","code":"invalid_request_error"}}` + "\n\n", ""},
		"same events": {delta("Hello ") + delta("world") + finish, "Hello world"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				bodies := []string{delta("Hello "), c.second}
				b := newBench(t)
				replay := b.srv.Provider()
				replay.Keys.Class = llmidem.Replay
				client, err := llmidem.New(replay, llmidem.WithTransport(b.srv.Transport()), quiet)
				require.NoError(t, err)
				defer client.Close(context.Background())
				b.api = b.apiOver(client, "sk-test")
				n := 0
				b.srv.Handle(func(*llmtest.Request) llmtest.Fault {
					n++
					return llmtest.Reply("text/event-stream", bodies[min(n, 2)-1])
				})
				out := b.stream("resume")
				if c.want == "" {
					require.Equal(t, llmidem.CodeInterrupted, llmidem.CodeOf(out.err), "%v", out.err)
					require.Equal(t, "Hello ", out.text)
					require.False(t, out.r.Kept)
					return
				}
				require.NoError(t, out.err)
				require.Equal(t, c.want, out.text)
			})
		})
	}
}

// go-openai cannot read an error frame once it has passed over another field.
func TestT2_FrameBehindOtherFields(t *testing.T) {
	const chunk = "event: message\ndata: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"a\"}}]}\n\n"
	for name, frame := range map[string]string{
		"error":       "data: {\"error\":{\"message\":\"secret\",\"code\":\"bad\"}}\n\n",
		"named":       "event: error\ndata: { \"error\":{\"message\":\"secret\",\"code\":\"bad\"}}\n\n",
		"typed":       "event: error\ndata: {\"type\":\"error\",\"code\":\"bad\",\"message\":\"secret\"}\n\n",
		"in a choice": "data: {\"choices\":[{\"index\":0,\"finish_reason\":\"error\",\"error\":{\"message\":\"secret\",\"code\":\"bad\"}}]}\n\n",
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t)
			b.srv.Next(llmtest.Reply("text/event-stream", chunk+frame))
			out := b.stream("fields")
			require.Equal(t, llmidem.CodeFailed, llmidem.CodeOf(out.err), "%v", out.err)
			require.Contains(t, out.err.Error(), "(bad)")
			require.NotContains(t, out.err.Error(), "secret")
			require.Equal(t, "a", out.text)
		})
	}
}

func TestR13a_ResponsesFrames(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		open := func() *llmidem.Stream[openai.ResponseStreamEvent] {
			s, err := llmidem.CallStream(context.Background(), b.api.CreateResponseStream, openai.CreateResponseRequest{Model: "gpt-4o", Input: "q"})
			require.NoError(t, err)
			return s
		}
		b.srv.Next(llmtest.StreamError(0), llmtest.OK().Pace(time.Millisecond))
		s := open()
		for _, err := range s.All() {
			require.NoError(t, err)
		}
		require.Equal(t, 2, s.Receipt().Attempts)
		b.srv.Next(llmtest.StreamError(3))
		s, err := llmidem.CallStream(context.Background(), b.api.CreateResponseStream, openai.CreateResponseRequest{Model: "gpt-4o", Input: "other"})
		require.NoError(t, err)
		var last openai.ResponseStreamEvent
		var end error
		for e, err := range s.All() {
			if end = err; err == nil {
				last = e
			}
		}
		require.EqualValues(t, "error", last.Type)
		require.Equal(t, llmidem.CodeFailed, llmidem.CodeOf(end), "%v", end)
	})
}

func TestR15_PausedForTooLong(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		s := b.mustOpen("paused")
		time.Sleep(8 * time.Minute)
		require.Equal(t, llmidem.CodeInterrupted, llmidem.CodeOf(drainStream(s).err))
		require.Len(t, b.spans.Named("chat gpt-4o-mini"), 1)
		require.Equal(t, llmidem.SourceCache, b.mustStream("paused").r.Source, "the answer was there before")
	})
}

// An error that is an event of a type is given out whole, with its blank line: SDKs
// that read by the event would never see it otherwise.
func TestR13a_TypedErrorsAreWholeEvents(t *testing.T) {
	const frame = "event: error\ndata: {\"type\":\"error\",\"code\":\"server_error\",\"message\":\"m\"}\n\n"
	sent := llmtest.StreamError(3).Frame(frame)
	for name, fault := range map[string]llmtest.Fault{"with its blank line": sent, "without": sent.Frame(strings.TrimSuffix(frame, "\n")),
		"CRLF": sent.Newline("\r\n"), "CR": sent.Newline("\r"), "byte by byte": sent.Newline("\r\n").Split(1)} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t)
			b.srv.Next(fault)
			req, err := http.NewRequest(http.MethodPost, b.srv.URL()+"/responses", strings.NewReader(`{"model":"m","input":"q","stream":true}`))
			require.NoError(t, err)
			resp, err := b.client.RoundTrip(req)
			require.NoError(t, err)
			defer resp.Body.Close()
			text, err := io.ReadAll(resp.Body)
			require.Equal(t, llmidem.CodeFailed, llmidem.CodeOf(err), "%v", err)
			plain := strings.NewReplacer("\r\n", "\n", "\r", "\n").Replace(string(text))
			require.True(t, strings.HasSuffix(plain, "\n\n"+frame), "%q", text)
		})
	}
}

// P7: who asked for a stream and is answered with something else that is not whole
// must not read an empty answer.
func TestP7_NoStreamAndNoAnswer(t *testing.T) {
	for name, text := range map[string]string{"cut": `{"choices":[{"index":0,"mess`, "no JSON": "busy", "empty": "", "unfinished": `{"id":"c","choices":[{"index":0,"message":{"content":"ha"}}]}`} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t)
			b.srv.Next(llmtest.Reply("application/json", text))
			stream, err := b.api.CreateChatCompletionStream(t.Context(), chat("no stream"))
			require.NoError(t, err)
			defer stream.Close()
			_, err = stream.Recv()
			require.Equal(t, llmidem.CodeInterrupted, llmidem.CodeOf(err), "%v", err)
		})
	}
}
