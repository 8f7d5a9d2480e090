// Package gateway is the server's side of idempotency keys, for services that
// receive them. [RequireKey] is net/http middleware that lets through only requests
// whose key has the agreed form.
//
// Everything here is safe for concurrent use.
package gateway
