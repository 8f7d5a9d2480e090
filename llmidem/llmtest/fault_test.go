package llmtest_test

import (
	"encoding/json"
	"errors"
	"io"
	"net"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/llmidem/llmidem-go/llmidem/llmtest"
)

func TestStatusFaults(t *testing.T) {
	overAll(t, func(t *testing.T, srv *llmtest.Server) {
		srv.Next(
			llmtest.Status(429).RetryAfter(2*time.Second),
			llmtest.Status(429).Code("insufficient_quota").Message("You exceeded your quota."),
			llmtest.Status(503).Body("text/html", "<html>").RetryAfter(1500*time.Millisecond),
			llmtest.Status(504).AfterWork(),
			llmtest.Redirect(307, "https://elsewhere.example/v1/chat/completions"),
			llmtest.Status(204),
			llmtest.OK(),
		)
		r := chat(srv, "hi")
		assert.Equal(t, 429, r.Status)
		assert.Equal(t, "2", r.Header.Get("Retry-After"))
		assert.Equal(t, "rate_limit_exceeded", code(t, r))
		r = chat(srv, "hi")
		assert.Contains(t, r.Body, `"message":"You exceeded your quota.","type":"insufficient_quota","param":null,"code":"insufficient_quota"`)
		r = chat(srv, "hi")
		assert.Equal(t, "1.5", r.Header.Get("Retry-After"))
		assert.Equal(t, "<html>", r.Body)
		assert.Equal(t, "text/html", r.Header.Get("Content-Type"))
		assert.Zero(t, srv.Ledger().Executions())
		assert.Equal(t, 504, chat(srv, "hi").Status)
		assert.Equal(t, 1, srv.Ledger().Executions(), "AfterWork bills")
		r = chat(srv, "hi")
		assert.Equal(t, 307, r.Status)
		assert.Equal(t, "https://elsewhere.example/v1/chat/completions", r.Header.Get("Location"))
		r = chat(srv, "hi")
		assert.NoError(t, r.Err)
		assert.Equal(t, 204, r.Status)
		assert.Equal(t, "Answer to: hi", text(t, chat(srv, "hi")))
		assert.Equal(t, 2, srv.Ledger().Executions())
	})
}

func TestDroppedConnections(t *testing.T) {
	overAll(t, func(t *testing.T, srv *llmtest.Server) {
		srv.Next(llmtest.DropBefore(), llmtest.DropAfter(), llmtest.DropBefore().WholeConnection())
		assert.Error(t, chat(srv, "hi").Err)
		assert.Zero(t, srv.Ledger().Executions())
		assert.Error(t, chat(srv, "hi").Err)
		assert.Equal(t, 1, srv.Ledger().Executions())
		assert.Error(t, chat(srv, "hi").Err)
		assert.Equal(t, "Answer to: hi", text(t, chat(srv, "hi")))
		l := srv.Ledger()
		assert.Len(t, l.Requests, 4)
		assert.Zero(t, l.Requests[0].Status)
		assert.NotEqual(t, l.Requests[2].Conn, l.Requests[3].Conn)
	})
}

func TestDropsBeforeTheResponseAreResets(t *testing.T) {
	for _, w := range wires()[:2] {
		srv := llmtest.New(t, w.opts...)
		srv.Next(llmtest.DropBefore())
		var op *net.OpError
		err := chat(srv, "hi").Err
		assert.ErrorIs(t, err, syscall.ECONNRESET, w.name)
		assert.True(t, errors.As(err, &op), w.name)
	}
}

func TestBodiesCutShort(t *testing.T) {
	stream := chatBody("hi", `,"stream":true`)
	overAll(t, func(t *testing.T, srv *llmtest.Server) {
		whole := post(srv, "/chat/completions", stream)
		events := strings.SplitAfter(whole.Body, "\n\n")
		cases := []struct {
			fault  llmtest.Fault
			body   string
			length int // -1: what there is
		}{
			{llmtest.DropMiddle(), chatBody("hi", ""), -2},
			{llmtest.CutBody(10), chatBody("hi", ""), 10},
			{llmtest.CutBody(0), chatBody("hi", ""), 0},
			{llmtest.CutBody(1 << 30), chatBody("hi", ""), -1},
			{llmtest.CutBody(0), stream, 0},
			{llmtest.CutBody(20), stream, 20},
			{llmtest.CutEvents(1), stream, len(events[0])},
			{llmtest.CutEvents(1000), stream, len(whole.Body)},
			{llmtest.DropMiddle(), stream, -2},
		}
		for i, c := range cases {
			srv.Next(c.fault)
			r := post(srv, "/chat/completions", c.body)
			require.Error(t, r.Err, "%d %v", i, c.fault)
			assert.Equal(t, 200, r.Status, "%v: the headers arrived", c.fault)
			switch c.length {
			case -1:
				assert.True(t, json.Valid([]byte(r.Body)), r.Body)
			case -2:
				assert.NotEmpty(t, r.Body)
				assert.False(t, json.Valid([]byte(r.Body)))
			default:
				assert.Len(t, r.Body, c.length, "%v", c.fault)
			}
			assert.Equal(t, i+2, srv.Ledger().Executions())
		}
	})
}

func TestCutBodiesAreUnexpectedEOF(t *testing.T) {
	for _, w := range wires()[:2] {
		srv := llmtest.New(t, w.opts...)
		srv.Next(llmtest.DropMiddle())
		assert.ErrorIs(t, chat(srv, "hi").Err, io.ErrUnexpectedEOF, w.name)
	}
}

func TestRefusedConnections(t *testing.T) {
	overAll(t, func(t *testing.T, srv *llmtest.Server) {
		srv.Next(llmtest.Refuse(), llmtest.OK())
		var op *net.OpError
		err := chat(srv, "hi").Err
		require.ErrorAs(t, err, &op)
		assert.Equal(t, "dial", op.Op)
		assert.ErrorIs(t, err, syscall.ECONNREFUSED)
		assert.Empty(t, srv.Ledger().Requests)
		assert.NoError(t, chat(srv, "hi").Err)
	})
}

func TestAnswersThatAreNone(t *testing.T) {
	overAll(t, func(t *testing.T, srv *llmtest.Server) {
		srv.Next(llmtest.HTML(), llmtest.ErrorOK(), llmtest.CutJSON(), llmtest.MissingChoice(), llmtest.NoFinish(), llmtest.ForgedDone())
		r := chat(srv, "hi")
		assert.Equal(t, 200, r.Status)
		assert.Contains(t, r.Body, "<html>")
		r = chat(srv, "hi")
		assert.Equal(t, 200, r.Status)
		assert.Equal(t, "server_error", code(t, r))
		assert.Zero(t, srv.Ledger().Executions())

		r = chat(srv, "hi")
		assert.NoError(t, r.Err)
		assert.False(t, json.Valid([]byte(r.Body)))
		r = post(srv, "/chat/completions", chatBody("hi", `,"n":2`))
		assert.Equal(t, 1, strings.Count(r.Body, `"finish_reason":"stop"`))
		assert.Contains(t, chat(srv, "hi").Body, `"finish_reason":null`)
		r = chat(srv, "one two three")
		assert.Equal(t, "Answer to:", text(t, r))
		assert.Contains(t, r.Body, `"finish_reason":null`)
		assert.Equal(t, 4, srv.Ledger().Executions())
	})
}

func TestStreamFaults(t *testing.T) {
	stream := func(srv *llmtest.Server) reply {
		return post(srv, "/chat/completions", chatBody("one two three", `,"stream":true`))
	}
	overAll(t, func(t *testing.T, srv *llmtest.Server) {
		srv.Next(llmtest.NoFinish(), llmtest.ForgedDone(), llmtest.StreamError(0).Code("overloaded"), llmtest.StreamError(2), llmtest.CutJSON(), llmtest.MissingChoice())
		r := stream(srv)
		require.NoError(t, r.Err)
		assert.Contains(t, r.Body, " three")
		assert.NotContains(t, r.Body, "[DONE]")
		assert.NotContains(t, r.Body, `"finish_reason":"`)
		r = stream(srv)
		require.NoError(t, r.Err)
		assert.NotContains(t, r.Body, " three")
		assert.Contains(t, r.Body, "[DONE]")
		assert.NotContains(t, r.Body, `"finish_reason":"`)
		r = stream(srv)
		assert.True(t, strings.HasPrefix(r.Body, `data: {"error":{`))
		assert.Contains(t, r.Body, `"code":"overloaded"`)
		r = stream(srv)
		assert.Equal(t, 3, strings.Count(r.Body, "\n\n"))
		assert.Contains(t, r.Body, `"code":"server_error"`)
		r = stream(srv)
		require.NoError(t, r.Err)
		assert.False(t, strings.HasSuffix(r.Body, "\n"))
		r = stream(srv)
		assert.Equal(t, "data: [DONE]\n\n", r.Body)
	})
}

func TestScriptedAnswers(t *testing.T) {
	overAll(t, func(t *testing.T, srv *llmtest.Server) {
		srv.Next(
			llmtest.Text(""), llmtest.Text("Paris it is"),
			llmtest.CallTool("weather", `{"city":"Zürich"}`), llmtest.CallTool("weather", `{"city":"Zürich"}`),
			llmtest.Reply("application/json", `{"x":1,"usage":{"prompt_tokens":3,"completion_tokens":4}}`),
			llmtest.Reply("text/event-stream", ": ping\n\ndata: {}\r\n\r\n"),
		)
		assert.Empty(t, text(t, chat(srv, "hi")))
		assert.Equal(t, "Paris it is", text(t, chat(srv, "hi")))
		r := chat(srv, "hi")
		assert.Contains(t, r.Body, `"tool_calls":[{"id":"call_llmtest_3_0","type":"function","function":{"name":"weather","arguments":"{\"city\":\"Zürich\"}"}}]},"finish_reason":"tool_calls"`)
		r = post(srv, "/chat/completions", chatBody("hi", `,"stream":true`))
		assert.Contains(t, r.Body, `"finish_reason":"tool_calls"`)
		assert.Equal(t, 3, strings.Count(r.Body, `"tool_calls":[`))
		billed := srv.Ledger().Billed()
		r = chat(srv, "hi")
		assert.JSONEq(t, `{"x":1,"usage":{"prompt_tokens":3,"completion_tokens":4}}`, r.Body)
		assert.Equal(t, billed.Total()+7, srv.Ledger().Billed().Total())
		assert.Equal(t, ": ping\n\ndata: {}\r\n\r\n", chat(srv, "hi").Body)
		assert.Equal(t, 6, srv.Ledger().Executions())
	})
}

func TestFaultsAreValues(t *testing.T) {
	base := llmtest.Status(503).Header("A", "1")
	a, b := base.Header("B", "2"), base.Header("B", "3")
	srv := llmtest.New(t, llmtest.InMemory())
	srv.Next(a, b, base)
	assert.Equal(t, []string{"2"}, chat(srv, "hi").Header.Values("B"))
	assert.Equal(t, []string{"3"}, chat(srv, "hi").Header.Values("B"))
	assert.Empty(t, chat(srv, "hi").Header.Values("B"))
	assert.Equal(t, `Status(503).Header("A")`, base.String())
	assert.Equal(t, "Delay(2s)", llmtest.Delay(2*time.Second).String())
	assert.Equal(t, "Status(429).RetryAfter(1s)", llmtest.Status(429).RetryAfter(time.Second).String())
	assert.Equal(t, "OK()", llmtest.OK().String())
}

func TestStreamsOnTheWire(t *testing.T) {
	srv := llmtest.New(t, llmtest.InMemory())
	read := func(f llmtest.Fault) string {
		t.Helper()
		srv.Next(f)
		resp, err := srv.Client().Post(srv.URL()+"/chat/completions", "application/json",
			strings.NewReader(`{"model":"m","stream":true,"messages":[{"role":"user","content":"q"}]}`))
		require.NoError(t, err)
		defer resp.Body.Close()
		body, err := io.ReadAll(resp.Body)
		require.NoError(t, err)
		return string(body)
	}
	reply := llmtest.Reply("text/event-stream", "data: a\n\ndata: b\n\n")
	require.Equal(t, ": c\n\ndata: a\n\n: c\n\ndata: b\n\n", read(reply.Before(": c\n\n")))
	require.Equal(t, "data: a\r\n\r\ndata: b\r\n\r\n", read(reply.Newline("\r\n")))
	require.Equal(t, "data: a\n\ndata: b\n\n", read(reply.Split(1)))
	require.Equal(t, "data: {\"error\":1}\n", read(llmtest.StreamError(0).Frame("data: {\"error\":1}\n")))
	require.Equal(t, `OK().Before(": c\n\n").Newline("\r").Split(3)`, llmtest.OK().Before(": c\n\n").Newline("\r").Split(3).String())
}
