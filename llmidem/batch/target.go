package batch

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
)

// A Target is where the items are sent: [To].
type Target struct {
	base   url.URL
	header http.Header
	err    error
}

// To sends the items to a base URL, which carries its own version, as in
// https://api.openai.com/v1: an item for /v1/embeddings goes to its /embeddings. A
// query stays (Azure's api-version). The header is that of each request, with the
// credentials; it is copied. Content-Type is application/json unless it says so
// itself, and Accept-Encoding is left out. A URL that cannot be used is an error of
// [Run].
func To(baseURL string, header http.Header) Target {
	u, err := url.Parse(baseURL)
	switch {
	case err != nil:
		return Target{err: fmt.Errorf("batch: the base URL does not parse; give it as in https://api.openai.com/v1")}
	case u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.User != nil || u.Fragment != "":
		return Target{err: fmt.Errorf("batch: the base URL is not http or https with a host, and nothing but a path and a query; give it as in https://api.openai.com/v1")}
	}
	t := Target{base: *u, header: header.Clone()}
	t.base.Path = strings.TrimRight(u.Path, "/")
	t.base.RawPath = strings.TrimRight(u.RawPath, "/")
	if t.header == nil {
		t.header = http.Header{}
	}
	if t.header.Get("Content-Type") == "" {
		t.header.Set("Content-Type", "application/json")
	}
	t.header.Del("Accept-Encoding") // the transport unpacks what it asked for itself
	return t
}

// check is the target's error, also that of the zero Target.
func (t *Target) check() error {
	if t.err == nil && t.base.Host == "" {
		return fmt.Errorf("batch: no target: use batch.To(baseURL, header)")
	}
	return t.err
}

// request makes the request of an item.
func (t *Target) request(ctx context.Context, it *Item) *http.Request {
	u := t.base
	route := strings.TrimPrefix(it.URL, apiPrefix)
	u.Path += route
	if u.RawPath != "" {
		u.RawPath += route
	}
	req := &http.Request{Method: http.MethodPost, URL: &u, Host: u.Host, Header: t.header.Clone(),
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Body: io.NopCloser(bytes.NewReader(it.Body)), ContentLength: int64(len(it.Body))}
	return req.WithContext(ctx)
}

// place is the endpoint for people and for comparison, without what may be a secret.
func (t *Target) place() string {
	return t.base.Scheme + "://" + strings.ToLower(t.base.Host) + t.base.Path
}
