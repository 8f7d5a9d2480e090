package providers

import (
	"net/http"
	"net/url"
	"strings"

	"github.com/llmidem/llmidem-go/llmidem/internal/fold"
)

// header is an account that is the values of these headers.
func header(names ...string) func(*http.Request) string {
	canonical := make([]string, len(names))
	for i, name := range names {
		canonical[i] = http.CanonicalHeaderKey(name)
	}
	return func(req *http.Request) string {
		var b strings.Builder
		for _, name := range canonical {
			for _, v := range fold.Values(req.Header, name) {
				add(&b, name, v)
			}
		}
		return b.String()
	}
}

// headerOrQuery is an account that is the values of these headers and of these
// parameters of the query.
func headerOrQuery(headers, params []string) func(*http.Request) string {
	inHeader := header(headers...)
	return func(req *http.Request) string {
		if req.URL == nil || req.URL.RawQuery == "" {
			return inHeader(req)
		}
		var b strings.Builder
		b.WriteString(inHeader(req))
		query := req.URL.Query()
		for _, name := range params {
			for _, v := range query[name] {
				add(&b, "?"+name, url.QueryEscape(v)) // which leaves no NUL
			}
		}
		return b.String()
	}
}

// usual are the headers and parameters that carry credentials at one service or
// another: the account of what may stand behind any proxy. First come those that a
// service has of its own.
func usual(own ...string) func(*http.Request) string {
	return headerOrQuery(append(own, "Authorization", "Api-Key", "X-Api-Key", "X-Goog-Api-Key"), []string{"key", "access_token"})
}

// add writes a credential so that none imitates two: a header's value has no NUL.
func add(b *strings.Builder, name, value string) {
	b.WriteString(name)
	b.WriteByte(0)
	b.WriteString(value)
	b.WriteByte(0)
}
