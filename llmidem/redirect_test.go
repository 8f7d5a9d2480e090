package llmidem_test

import (
	"context"
	"net/http"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/llmidem/llmidem-go/llmidem"
	"github.com/llmidem/llmidem-go/llmidem/llmtest"
)

// No request, no header and no prompt arrives at another origin, by whichever way
// the client is used.
func TestR6a_RedirectToAnotherOrigin(t *testing.T) {
	for _, status := range []int{301, 302, 303, 307, 308} {
		for name, do := range map[string]func(*llmidem.Client, *http.Request) (*http.Response, error){
			"Do": (*llmidem.Client).Do,
			"http.Client": func(c *llmidem.Client, r *http.Request) (*http.Response, error) {
				return (&http.Client{Transport: c}).Do(r)
			},
			"http.Client beneath, Do": nil,
		} {
			t.Run(strconv.Itoa(status)+" by "+name, func(t *testing.T) {
				elsewhere := llmtest.New(t)
				srv := llmtest.New(t)
				srv.Next(llmtest.Redirect(status, elsewhere.URL()+"/chat/completions"))
				b := realClient(t, srv, nil)
				var err error
				if do == nil {
					_, err = b.ask(context.Background(), "secret")
				} else {
					_, err = do(b.client, b.request("/chat/completions", chatBody("secret")))
				}
				require.Equal(t, llmidem.CodeRedirect, llmidem.CodeOf(err))
				require.Empty(t, elsewhere.Ledger().Requests)
				require.Len(t, srv.Ledger().Requests, 1)
			})
		}
	}
}

func TestDo_FollowsWithinTheOrigin(t *testing.T) {
	srv := llmtest.New(t)
	srv.Next(llmtest.Redirect(307, "/moved/v1/chat/completions"), llmtest.OK())
	b := realClient(t, srv, nil)
	res := b.mustAsk("moved")
	require.NotEmpty(t, res.Value.Choices)
	seen := srv.Ledger()
	require.Len(t, seen.Requests, 2)
	require.Equal(t, seen.Bodies()[0], seen.Bodies()[1])
	require.Equal(t, 1, seen.Executions())
}

func TestDo_CircleOfRedirects(t *testing.T) {
	srv := llmtest.New(t)
	srv.Handle(func(*llmtest.Request) llmtest.Fault { return llmtest.Redirect(307, "/v1/chat/completions") })
	b := realClient(t, srv, nil)
	_, err := b.ask(context.Background(), "round and round")
	require.Equal(t, llmidem.CodeFailed, llmidem.CodeOf(err))
	require.Len(t, srv.Ledger().Requests, 10)
}

// A body that can be read once cannot follow a redirect that keeps the method:
// the caller gets the redirect.
func TestDo_BodyThatCanBeReadOnce(t *testing.T) {
	srv := llmtest.New(t)
	srv.Next(llmtest.Redirect(307, "/moved/v1/chat/completions"))
	b := realClient(t, srv, nil)
	req := b.request("/chat/completions", chatBody("x"))
	req.GetBody = nil
	resp, err := b.client.Do(req)
	require.NoError(t, err)
	require.Equal(t, 307, resp.StatusCode)
	require.NoError(t, resp.Body.Close())
	require.Len(t, srv.Ledger().Requests, 1)
}

// What has no body follows a redirect that keeps the method.
func TestDo_FollowsWithoutABody(t *testing.T) {
	srv := llmtest.New(t)
	srv.Next(llmtest.Redirect(307, "/v1/models"), llmtest.OK())
	b := realClient(t, srv, nil)
	req, err := http.NewRequest(http.MethodGet, srv.URL()+"/moved", nil)
	require.NoError(t, err)
	require.Equal(t, 200, b.read(b.client.Do(req)).status)
}
