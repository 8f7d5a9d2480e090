package main

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
)

// verifyFlags say which service is asked, how, and what is expected of it.
type verifyFlags struct {
	baseURL, model, provider string
	keyHeader, apiKeyEnv     string
	headers, headerEnv       []string
	maxCalls, maxTokens      int
	timeout                  time.Duration
	expect                   string
	asJSON, yes              bool
}

// add declares the flags.
func (f *verifyFlags) add(cmd *cobra.Command) {
	var names []string
	for _, s := range services {
		names = append(names, s.flag)
	}
	fs := cmd.Flags()
	fs.StringVar(&f.baseURL, "base-url", "", "base URL of the API, as an SDK is configured with it (required)")
	fs.StringVar(&f.model, "model", "", "chat model, or deployment, that is asked; a cheap one will do (required)")
	fs.StringVar(&f.provider, "provider", "", "what the service is: "+strings.Join(names, ", ")+"\n(default: what the host tells, else gateway, which speaks the OpenAI API)")
	fs.StringVar(&f.keyHeader, "key-header", "", "header that carries the idempotency key (default: the provider's, else Idempotency-Key)")
	fs.StringVar(&f.apiKeyEnv, "api-key-env", "", "environment variable that holds the API key (default: the provider's usual one,\nas in OPENAI_API_KEY; without it no credential is sent)")
	fs.StringArrayVar(&f.headers, "header", nil, "further request header, as 'Name: value'; repeatable; no credentials")
	fs.StringArrayVar(&f.headerEnv, "header-env", nil, "further request header whose value an environment variable holds, as\n'Name=VARIABLE'; repeatable; for credentials of gateways")
	fs.IntVar(&f.maxCalls, "max-calls", 16, "how many requests are sent at most; probes for which they do not suffice are left out")
	fs.IntVar(&f.maxTokens, "max-tokens", 32, "limit of tokens of each answer; reasoning models may need more to have a text")
	fs.DurationVar(&f.timeout, "timeout", time.Minute, "how long each answer is waited for")
	fs.StringVar(&f.expect, "expect", "", "class that the service should have: replay, reject or ignore; status 1 if it has not")
	fs.BoolVar(&f.asJSON, "json", false, "write one JSON object")
	fs.BoolVarP(&f.yes, "yes", "y", false, "do not ask before the first call, on a terminal")
	_ = cmd.MarkFlagRequired("base-url") // declared above
	_ = cmd.MarkFlagRequired("model")
}

// defaultKeyHeader carries the key where nothing else is known.
const defaultKeyHeader = "Idempotency-Key"

// check refuses values that make no sense.
func (f *verifyFlags) check() error {
	switch {
	case f.model == "":
		return errors.New("--model is empty")
	case f.maxCalls < 1:
		return errors.New("--max-calls is at least 1; the class takes 3")
	case f.maxTokens < 1:
		return errors.New("--max-tokens is at least 1")
	case f.timeout <= 0:
		return errors.New("--timeout is more than 0, as in 30s")
	case f.expect != "" && !slices.Contains([]string{classReplay, classReject, classIgnore}, f.expect):
		return fmt.Errorf("no class %q: --expect is one of replay, reject, ignore", f.expect)
	case f.keyHeader != "" && !token.MatchString(f.keyHeader):
		return errors.New("--key-header is not the name of a header")
	case f.keyHeader != "" && slices.Contains(reserved, http.CanonicalHeaderKey(f.keyHeader)):
		return errors.New("--key-header " + f.keyHeader + " is a header with another meaning")
	}
	return nil
}

var token = regexp.MustCompile("^[!#$%&'*+.^_`|~0-9A-Za-z-]+$")

// reserved carry something other than the key of a call.
var reserved = append([]string{"Content-Type", "Content-Length", "Content-Encoding", "Host", "Connection", "Transfer-Encoding",
	"Accept-Encoding", "Expect", "Trailer", "Upgrade"}, credentials...)

// prober makes of the flags what asks. keyFrom is the variable that the credential
// is from, "" if there is none.
func (f *verifyFlags) prober(rt http.RoundTripper) (p *prober, keyFrom string, err error) {
	if err := f.check(); err != nil {
		return nil, "", err
	}
	base, err := parseBase(f.baseURL)
	if err != nil {
		return nil, "", err
	}
	p = &prober{rt: rt, base: f.baseURL, model: f.model, tokens: f.maxTokens, timeout: f.timeout, maxCalls: f.maxCalls}
	if p.service, p.provider, err = serviceOf(f.provider, f.baseURL); err != nil {
		return nil, "", err
	}
	p.dialect = dialects[p.provider.Dialect]
	p.url = p.service.address(p.dialect, *base, f.model).String()
	p.keyHeader = f.keyHeader
	if p.keyHeader == "" && !p.provider.Keys.Cache { // the name of a cache's entry is no key
		p.keyHeader = p.provider.Keys.Header
	}
	if p.keyHeader == "" {
		p.keyHeader = defaultKeyHeader
	}
	keyFrom, err = f.fill(p)
	return p, keyFrom, err
}

// parseBase reads a base URL. What it refuses it does not repeat: a password may be
// in it.
func parseBase(text string) (*url.URL, error) {
	u, err := url.Parse(text)
	switch {
	case err != nil, u.Opaque != "", u.Scheme != "http" && u.Scheme != "https", u.Hostname() == "":
		return nil, errors.New("--base-url is not of the form https://host/path")
	case u.User != nil:
		return nil, errors.New("--base-url holds a credential; put that into a variable, and name it with --api-key-env or --header-env")
	case u.Fragment != "":
		return nil, errors.New("--base-url has a fragment, which is never sent")
	}
	for _, name := range []string{"key", "access_token", "api_key", "token", "sig"} {
		if u.Query().Has(name) {
			return nil, errors.New("--base-url holds a credential in its query; put that into a variable, and name it with --api-key-env or --header-env")
		}
	}
	return u, nil
}
