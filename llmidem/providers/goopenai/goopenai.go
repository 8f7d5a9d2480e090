// Package goopenai puts llmidem under github.com/sashabaranov/go-openai.
//
//	client, err := llmidem.New(providers.OpenAI())
//	api := goopenai.New(openai.DefaultConfig(token), client)
//	if err := api.Err(); err != nil { … }
//	res, err := llmidem.Call(ctx, api.CreateChatCompletion, req)
//
// The API embeds *openai.Client, so that it takes its place as it is; calls that
// do not go through [llmidem.Call] are protected just as well, and say what became
// of them in their response headers.
package goopenai

import (
	"errors"
	"fmt"
	"net/http"

	openai "github.com/sashabaranov/go-openai"

	"github.com/llmidem/llmidem-go/llmidem"
)

// emptyMessages is the least EmptyMessagesLimit that New sets. go-openai gives up
// on a stream after 300 lines without data, which the keep-alive comments of a
// slow reasoning model reach.
const emptyMessages = 1 << 20

// Client is an *openai.Client whose requests go through llmidem. It is safe for
// concurrent use, as that is.
type Client struct {
	*openai.Client
	err error
}

// New returns a client for go-openai's config over a llmidem client. The
// HTTPClient of the config is put underneath: it sends the requests, and does
// not follow redirects any more. Where it is nil or the zero http.Client, as in
// [openai.DefaultConfig], the llmidem client's own transport sends them.
//
// A config that cannot be honoured is told by [Client.Err], and by every call.
func New(cfg openai.ClientConfig, client *llmidem.Client) *Client {
	if err := check(cfg, client); err != nil {
		cfg.HTTPClient = refusing{err}
		return &Client{Client: openai.NewClientWithConfig(cfg), err: err}
	}
	if rt := underneath(cfg.HTTPClient); rt != nil {
		client = client.Over(rt)
	}
	cfg.HTTPClient = client
	cfg.EmptyMessagesLimit = max(cfg.EmptyMessagesLimit, emptyMessages)
	return &Client{Client: openai.NewClientWithConfig(cfg)}
}

// Err says at start-up what is wrong with the config: nil when nothing is.
func (c *Client) Err() error { return c.err }

// check finds what would make calls go elsewhere than both configs say.
func check(cfg openai.ClientConfig, client *llmidem.Client) error {
	if client == nil {
		return errors.New("goopenai: the llmidem client is nil; make one with llmidem.New(providers.OpenAI())")
	}
	if passes(cfg.HTTPClient) {
		return errors.New("goopenai: the config's HTTPClient is a llmidem client already, so every call would pass two; leave it to New")
	}
	azure := client.Provider().Name == "azure.ai.openai"
	switch cfg.APIType {
	case openai.APITypeAzure, openai.APITypeAzureAD, openai.APITypeCloudflareAzure:
		if !azure {
			return fmt.Errorf("goopenai: the config is for %s and the llmidem client for %s; use providers.AzureOpenAI()",
				cfg.APIType, client.Provider().Name)
		}
	case openai.APITypeOpenAI, openai.APITypeAnthropic, "":
		if azure {
			return fmt.Errorf("goopenai: the llmidem client is for Azure and the config for %s; use openai.DefaultAzureConfig, or providers.OpenAI()", cfg.APIType)
		}
	default:
		return fmt.Errorf("goopenai: APIType %q is not known", cfg.APIType)
	}
	return nil
}

// passes reports whether requests of a doer pass a llmidem client.
func passes(doer openai.HTTPDoer) bool {
	switch d := doer.(type) {
	case *llmidem.Client:
		return d != nil
	case *http.Client:
		if d == nil {
			return false
		}
		_, ok := d.Transport.(*llmidem.Client)
		return ok
	}
	return false
}

// underneath is the transport that a config's HTTPClient is; nil for none of its
// own.
func underneath(doer openai.HTTPDoer) http.RoundTripper {
	hc, ok := doer.(*http.Client)
	switch {
	case doer == nil || ok && hc == nil:
		return nil
	case !ok:
		return doing{doer}
	case hc.Jar == nil && hc.Timeout == 0:
		return hc.Transport // which may be nil; redirects are the llmidem client's
	}
	own := *hc
	own.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return doing{&own}
}

// doing is a doer as a RoundTripper.
type doing struct{ openai.HTTPDoer }

func (d doing) RoundTrip(req *http.Request) (*http.Response, error) { return d.Do(req) }

// refusing fails every request.
type refusing struct{ err error }

func (r refusing) Do(req *http.Request) (*http.Response, error) {
	if req.Body != nil {
		req.Body.Close()
	}
	return nil, r.err
}
