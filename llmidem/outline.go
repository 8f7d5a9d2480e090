package llmidem

import (
	"context"
	"encoding/hex"
	"net/http"
	"strings"
)

// outline makes the request as it goes out on every attempt, but for its body. It
// is made while the caller waits, so that what the caller does to its own request
// afterwards changes nothing; and only when something is to be sent.
func (c *call) outline(ctx context.Context) {
	if c.in == nil { // a function's call
		return
	}
	c.keepBody(ctx)
	out := c.in.Clone(context.Background())
	out.Body, out.GetBody = nil, nil // they would hold the caller's bytes
	if out.Header == nil {
		out.Header = http.Header{}
	}
	for name, values := range c.provider.Headers {
		if name = http.CanonicalHeaderKey(name); out.Header[name] == nil {
			out.Header[name] = append([]string{}, values...)
		}
	}
	for name := range out.Header { // the caller's own, in whatever case: one goes out
		if name != c.header && strings.EqualFold(name, c.header) {
			delete(out.Header, name)
		}
	}
	if text := c.keyOnWire(); text != "" {
		if c.provider.Keys.Quoted {
			text = `"` + strings.ReplaceAll(text, `\`, `\\`) + `"` // RFC 8941; keys have no quotes
		}
		out.Header[c.header] = []string{text}
	}
	c.req, c.in = out, out // the caller's own is let go
}

// cacheLabel is what digests that name entries of a service's cache begin with.
const cacheLabel = "llmidem/cache/v1"

// keyOnWire is what goes out in the key header, "" for nothing. The name of a
// cache entry has the fingerprint in it too, since whatever is asked for under it
// is answered with what lies there.
func (c *call) keyOnWire() string {
	switch {
	case c.ownHeader:
		return c.keyText
	case c.noKeyHeader, c.provider.Keys.Cache && c.recallMode != recallAll:
		return ""
	case c.provider.Keys.Cache:
		sum := digest(cacheLabel, c.address, string(c.finger[:]))
		return hex.EncodeToString(sum[:])
	}
	return c.keyText
}
