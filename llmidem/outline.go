package llmidem

import (
	"context"
	"net/http"
	"strings"
)

// outline makes the request as it goes out on every attempt, but for its body. It
// is made while the caller waits, so that what the caller does to its own request
// afterwards changes nothing; and only when something is to be sent.
func (c *call) outline() {
	if c.in == nil { // a function's call
		return
	}
	out := c.in.Clone(context.Background())
	out.Body = nil
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
	if !c.noKeyHeader || c.ownHeader {
		text := c.keyText
		if c.provider.Keys.Quoted {
			text = `"` + text + `"`
		}
		out.Header[c.header] = []string{text}
	}
	c.req = out
}
