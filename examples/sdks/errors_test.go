package sdks

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"syscall"
	"testing"

	"github.com/anthropics/anthropic-sdk-go"
	einoopenai "github.com/cloudwego/eino-ext/components/model/openai"
	"github.com/openai/openai-go/v3"
	"github.com/openai/openai-go/v3/packages/ssestream"
	goopenai "github.com/sashabaranov/go-openai"
	"github.com/stretchr/testify/require"
	"google.golang.org/genai"

	"github.com/llmidem/llmidem-go/llmidem"
	"github.com/llmidem/llmidem-go/llmidem/identity"
	"github.com/llmidem/llmidem-go/llmidem/llmtest"
)

// describe is all that an SDK's own error says, and of others what they are.
func describe(err error) string {
	var (
		ours   *openai.Error
		frame  *ssestream.StreamError
		theirs *goopenai.APIError
		claude *anthropic.Error
		gemini genai.APIError
		eino   *einoopenai.APIError
	)
	switch {
	case err == nil:
		return "none"
	case errors.As(err, &ours):
		return fmt.Sprintf("openai.Error %d %s %s %s", ours.StatusCode, ours.Code, ours.Type, ours.Error())
	case errors.As(err, &frame):
		return fmt.Sprintf("ssestream.StreamError %s %s %s", frame.Message, frame.Event.Type, frame.Event.Data)
	case errors.As(err, &theirs):
		return fmt.Sprintf("goopenai.APIError %d %v %s %s", theirs.HTTPStatusCode, theirs.Code, theirs.Type, theirs.Error())
	case errors.As(err, &claude):
		return fmt.Sprintf("anthropic.Error %d %s %s %s", claude.StatusCode, claude.Type(), claude.RequestID, claude.Error())
	case errors.As(err, &gemini):
		return fmt.Sprintf("genai.APIError %d %s %s %v", gemini.Code, gemini.Status, gemini.Message, gemini.Details)
	case errors.As(err, &eino):
		return fmt.Sprintf("eino.APIError %d %v %s %s", eino.HTTPStatusCode, eino.Code, eino.Type, eino.Error())
	case errors.Is(err, io.ErrUnexpectedEOF):
		return "cut"
	case errors.Is(err, syscall.ECONNRESET):
		return "reset"
	}
	return err.Error()
}

// quota is a 429 that waiting does not help against, as the service words it.
func quota(p program) llmtest.Fault {
	switch p.rules.Name {
	case "gemini":
		return llmtest.Status(429).Code("GenerateRequestsPerDayPerProjectPerModel-FreeTier")
	case "anthropic":
		return llmtest.Status(429).Header("X-Should-Retry", "false")
	}
	return llmtest.Status(429).Code("insufficient_quota")
}

// Errors are the SDK's own, and say what they say without llmidem. None of these is
// made again: what is final is told at once, and of the others one attempt was allowed.
func TestErrors(t *testing.T) {
	once := llmidem.WithRetry(llmidem.RetryPolicy{MaxAttempts: 1})
	for _, p := range programs() {
		faults := map[string]llmtest.Fault{
			"quota":       quota(p),
			"bad request": llmtest.Status(400),
			"overloaded":  llmtest.Status(529),
			"refused":     llmtest.Status(403).Body("text/html", "<h1>Forbidden</h1>"),
			"reset":       llmtest.DropBefore(),
		}
		if p.stream {
			faults["cut stream"] = llmtest.CutEvents(3)
			faults["error frame"] = llmtest.StreamError(3)
			faults["error frame at once"] = llmtest.StreamError(0)
		}
		for name, f := range faults {
			t.Run(p.name+"/"+name, func(t *testing.T) {
				want := direct(t, p, f)
				over(t, p, func(t *testing.T, srv *llmtest.Server, hc *http.Client) {
					srv.Next(f)
					got := p.of(t.Context(), t, hc)
					require.Len(t, srv.Ledger().Requests, 1)
					if p.name == "openai-go responses stream" && strings.HasPrefix(name, "error frame") {
						requireTold(t, want, got)
						return
					}
					require.Equal(t, describe(want.err), describe(got.err))
					require.Equal(t, want.lines, got.lines)
				}, once)
			})
		}
	}
}

// Of an error event of the Responses API openai-go makes no error: it is an event
// like others, and the stream ends as if it were whole. Over llmidem that end is an
// error; an error in place of the first event is the SDK's own.
func requireTold(t *testing.T, direct, over told) {
	require.NoError(t, direct.err)
	require.Contains(t, direct.lines[len(direct.lines)-1], `"type":"error"`)
	var frame *ssestream.StreamError
	if len(direct.lines) == 1 {
		require.ErrorAs(t, over.err, &frame)
		require.Empty(t, over.lines)
		return
	}
	require.Equal(t, llmidem.CodeFailed, llmidem.CodeOf(over.err))
	require.Equal(t, direct.lines, over.lines)
}

// langchaingo passes over an error frame and returns what came before it as if it
// were all, with and without llmidem. The receipt says that it is not, and nothing
// is kept.
func TestErrorFramesThatLangchaingoPassesOver(t *testing.T) {
	p := program{rules: identity.OpenAI()}
	over(t, p, func(t *testing.T, srv *llmtest.Server, hc *http.Client) {
		srv.Next(llmtest.StreamError(3).Code("invalid_request_error"))
		for i, complete := range []bool{false, true} {
			ctx, receipt := llmidem.WithReceipt(t.Context())
			require.NoError(t, langchainStream(ctx, t, hc, func(any) {}))
			require.Equal(t, complete, receipt().Complete)
			require.Equal(t, complete, receipt().Kept)
			require.Equal(t, i+1, srv.Ledger().Executions())
		}
	})
}
