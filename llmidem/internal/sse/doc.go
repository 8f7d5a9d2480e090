// Package sse cuts a body into its lines while it passes, and says of each what
// it is to a reader of server-sent events (HTML living standard, section 9.2) or
// of JSON lines.
//
// It takes nothing away: the bytes of all lines, one after the other, are the
// body. What belongs together as an event, and what of it anybody gets to see, is
// the caller's business.
package sse
