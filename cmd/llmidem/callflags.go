package main

import (
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/llmidem/llmidem-go/llmidem/identity"
	"github.com/spf13/cobra"
)

// callFlags say what a request body does not: where it goes, with which headers,
// and what the caller says of the call.
type callFlags struct {
	provider, route string
	user, scope     string
	occurrence      uint64
	exclude         []string
	noExclude       bool
	headers         []string
}

// add declares the flags.
func (f *callFlags) add(cmd *cobra.Command) {
	fs := cmd.Flags()
	fs.StringVar(&f.provider, "provider", "openai", "whose API the body is for: openai (and all that speak its API), anthropic, gemini or ollama")
	fs.StringVar(&f.route, "route", "", "path that the body is sent to, as in /v1/embeddings (default: the provider's chat route)")
	fs.StringVar(&f.user, "user", "", "end user of the call (default: the user that the body names)")
	fs.StringVar(&f.scope, "scope", "", "what sets calls of equal content apart: a run, a job")
	fs.Uint64Var(&f.occurrence, "occurrence", 0, "which of several equal calls in one scope this is")
	fs.StringArrayVar(&f.exclude, "exclude", nil, "body member that does not count, as a dotted path; repeatable; replaces the default\nlist timestamp, trace_id, request_id, retry_count; '' alone for the empty list")
	fs.BoolVar(&f.noExclude, "no-exclude", false, "let every body member count, as --exclude '' does")
	fs.StringArrayVar(&f.headers, "header", nil, "request header, as 'Name: value'; repeatable; with a Content-Type of\nmultipart/form-data the body is a form")
	cmd.MarkFlagsMutuallyExclusive("exclude", "no-exclude")
}

// target is where a body goes and what is said of its call.
type target struct {
	rules  *identity.Rules
	route  string
	header http.Header
	call   identity.Call
}

// target reads the flags.
func (f *callFlags) target() (t target, err error) {
	if t.rules, t.route, err = providerOf(f.provider); err != nil {
		return t, err
	}
	if f.route != "" {
		t.route = f.route
	}
	if t.route == "" {
		return t, fmt.Errorf("--provider %s needs --route: its paths name the model, as in /v1beta/models/MODEL:generateContent", f.provider)
	}
	if t.header, err = parseHeaders(f.headers); err != nil {
		return t, err
	}
	t.call = identity.Call{User: f.user, Scope: f.scope, Occurrence: f.occurrence, Exclude: f.exclude}
	if f.noExclude || len(f.exclude) == 1 && f.exclude[0] == "" {
		t.call.Exclude = []string{}
	}
	return t, nil
}

// identify returns the document of a body; its error names the input.
func (t *target) identify(input string, body []byte, detail bool) (identity.Document, error) {
	call := t.call
	call.Detail = detail
	d, err := t.rules.Identify(identity.Request{Path: t.route, Header: t.header, Body: body}, call)
	if err != nil {
		return d, refused(input, err)
	}
	return d, nil
}

// providerOf returns a provider's rules and its chat route, "" where that depends on
// the model.
func providerOf(name string) (rules *identity.Rules, route string, err error) {
	switch name {
	case "openai":
		return identity.OpenAI(), "/v1/chat/completions", nil
	case "anthropic":
		return identity.Anthropic(), "/v1/messages", nil
	case "gemini":
		return identity.Gemini(), "", nil
	case "ollama":
		return identity.Ollama(), "/api/chat", nil
	}
	return nil, "", fmt.Errorf("no provider %q: it is one of openai, anthropic, gemini, ollama", name)
}

// parseHeaders reads lines of the form "Name: value". A value may be a credential,
// so no error holds one.
func parseHeaders(lines []string) (http.Header, error) {
	h := http.Header{}
	for i, l := range lines {
		name, value, ok := strings.Cut(l, ":")
		if !ok || name == "" || strings.ContainsAny(name, " \t\r\n") {
			return nil, fmt.Errorf("--header %d is not of the form 'Name: value'", i+1)
		}
		if strings.ContainsAny(value, "\r\n") {
			return nil, errors.New("--header " + printable(name) + ": a value is one line")
		}
		h.Add(name, strings.Trim(value, " \t"))
	}
	return h, nil
}
