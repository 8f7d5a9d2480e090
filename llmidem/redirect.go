package llmidem

import (
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"
)

// maxRedirects is where net/http stops by default, too.
const maxRedirects = 10

// Do is [Client.RoundTrip] that follows redirects, within the same origin only:
// one to another origin is CodeRedirect, and nothing reaches it. It is what
// go-openai asks of its HTTPClient. Its errors are never *[url.Error], whose text
// has the query.
func (c *Client) Do(req *http.Request) (*http.Response, error) {
	req = withUser(req)
	resp, err := c.RoundTrip(req)
	if err != nil || resp.StatusCode < 300 || resp.StatusCode > 399 || resp.Header.Get("Location") == "" {
		return resp, err
	}
	follower := http.Client{
		Transport: &firstAnswered{first: resp, then: c},
		CheckRedirect: func(_ *http.Request, via []*http.Request) error {
			if len(via) >= maxRedirects {
				return &Error{Code: CodeFailed, reason: "the provider redirects in a circle"}
			}
			return nil // another origin is refused by RoundTrip, whoever follows
		},
	}
	again := req.Clone(req.Context())
	again.RequestURI = ""
	switch {
	case req.GetBody != nil:
		if again.Body, err = req.GetBody(); err != nil {
			resp.Body.Close()
			return nil, invalid("the request's body cannot be read again to follow a redirect", err)
		}
	case req.Body != nil && req.Body != http.NoBody: // net/http then follows only what needs no body: 301 to 303
		again.Body = io.NopCloser(strings.NewReader(""))
	}
	resp, err = follower.Do(again)
	var u *url.Error
	if errors.As(err, &u) {
		err = u.Err
	}
	if err != nil {
		return nil, err
	}
	return resp, nil
}

// withUser is a request with the user of its URL as credentials, as [http.Client]
// sends it.
func withUser(req *http.Request) *http.Request {
	if req.URL == nil || req.URL.User == nil || req.Header.Get("Authorization") != "" {
		return req
	}
	password, _ := req.URL.User.Password()
	req = req.Clone(req.Context())
	if req.Header == nil {
		req.Header = http.Header{}
	}
	req.SetBasicAuth(req.URL.User.Username(), password)
	return req
}

// firstAnswered gives the answer that is there to the first request.
type firstAnswered struct {
	first *http.Response
	then  http.RoundTripper
}

func (f *firstAnswered) RoundTrip(req *http.Request) (*http.Response, error) {
	if resp := f.first; resp != nil {
		f.first = nil
		closeBody(req)
		resp.Request = req
		return resp, nil
	}
	return f.then.RoundTrip(req)
}

// refuseRedirected refuses a request that follows a redirect to another origin:
// the key and the prompt do not travel. net/http says where a request comes from.
func refuseRedirected(req *http.Request) error {
	if req.Response == nil || req.Response.Request == nil || sameOrigin(req.Response.Request.URL, req.URL) {
		return nil
	}
	return &Error{Code: CodeRedirect, reason: "the provider redirects to another origin, which would get the key and the prompt; " +
		"set the base URL to where it redirects if you trust that"}
}
