package llmidem

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/llmidem/llmidem-go/llmidem/identity"
	"github.com/llmidem/llmidem-go/llmidem/internal/fold"
	"github.com/llmidem/llmidem-go/llmidem/store"
)

// accountLabel is the fixed HMAC key under which credentials are digested, so
// that no other digest of them compares equal.
const accountLabel = "llmidem/account/v1"

// address is where a record lies: SHA-256 over the length-prefixed namespace,
// endpoint and key, in hexadecimal.
func address(namespace, endpoint, key string) string {
	sum := digest(namespace, endpoint, key)
	return hex.EncodeToString(sum[:])
}

// digest hashes parts, each with its length in front, so that no two lists of
// parts hash alike.
func digest[T string | []byte](first T, parts ...string) [sha256.Size]byte {
	buf := make([]byte, 0, 1024) // enough for most, and on the stack
	buf = binary.BigEndian.AppendUint64(buf, uint64(len(first)))
	buf = append(buf, first...)
	for _, p := range parts {
		buf = binary.BigEndian.AppendUint64(buf, uint64(len(p)))
		buf = append(buf, p...)
	}
	return sha256.Sum256(buf)
}

// fingerprint is what an answer is the answer to: document, endpoint and, for a
// function, the type of its result. Under a keyed scheme it must not let anybody
// guess the prompt, so it is made of the keyed digest.
func fingerprint(scheme identity.Scheme, doc identity.Document, endpoint, result string) (store.Fingerprint, error) {
	if scheme.Name() != "hmac" {
		return digest(doc.Canonical(), endpoint, result), nil
	}
	key, err := scheme.Key(doc)
	return digest(key.String(), endpoint, result), err
}

// endpoint is scheme, host, port, the path before the matched route, and the
// query without credentials: one deployment of one service.
func endpoint(u *url.URL, prefix string) string {
	var b strings.Builder
	b.WriteString(strings.ToLower(u.Scheme))
	b.WriteString("://")
	b.WriteString(hostPort(u))
	b.WriteString(prefix)
	if u.RawQuery != "" {
		if q := stableQuery(u.Query()); q != "" {
			b.WriteString("?" + q)
		}
	}
	return b.String()
}

// hostPort is the host in lower case with its port, the scheme's own left out.
func hostPort(u *url.URL) string {
	host, port := strings.ToLower(u.Hostname()), u.Port()
	if port == "" || u.Scheme == "https" && port == "443" || u.Scheme == "http" && port == "80" {
		if strings.Contains(host, ":") {
			return "[" + host + "]"
		}
		return host
	}
	return net.JoinHostPort(host, port)
}

// stableQuery is the query sorted by name, less what are credentials.
func stableQuery(q url.Values) string {
	for name := range q {
		lower := strings.ToLower(name)
		if lower == "key" || lower == "access_token" || lower == "sig" || strings.HasPrefix(lower, "x-amz-") {
			delete(q, name)
		}
	}
	return q.Encode()
}

// home is where the records of requests to one endpoint on one account lie.
// Most requests of a client have the same home, so the last one is remembered.
type home struct {
	scheme, host, prefix, query, credentials string // of the request

	endpoint  string
	account   string // digest of the credentials, or the tenant; "" for neither
	namespace string
}

// homeOf finds the home of a request; nil is that of functions.
func (k *core) homeOf(req *http.Request, prefix string) *home {
	var h home
	if req != nil {
		h = home{scheme: req.URL.Scheme, host: req.URL.Host, prefix: prefix, query: req.URL.RawQuery, credentials: k.credentialsOf(req)}
	}
	last := k.lastHome.Load()
	if last != nil && last.scheme == h.scheme && last.host == h.host && last.prefix == h.prefix &&
		last.query == h.query && last.credentials == h.credentials {
		return last
	}
	if req != nil {
		h.endpoint = endpoint(req.URL, prefix)
	}
	h.account = k.accountOf(h.credentials)
	h.namespace = lengthPrefixed(k.namespace) + lengthPrefixed(k.provider.Name) + h.account
	k.lastHome.Store(&h)
	return &h
}

// accountOf is the tenant when one was named, else a digest of the credentials.
func (k *core) accountOf(credentials string) string {
	switch {
	case k.tenant != "":
		return "tenant:" + k.tenant
	case credentials == "":
		return ""
	}
	mac := hmac.New(sha256.New, []byte(accountLabel))
	mac.Write([]byte(credentials))
	return "account:" + hex.EncodeToString(mac.Sum(nil))
}

// credentialsOf is what tells the account of a request, as its provider says.
func (k *core) credentialsOf(req *http.Request) string {
	switch {
	case k.tenant != "":
		return ""
	case k.provider.Account != nil:
		return k.provider.Account(req)
	}
	return defaultAccount(req)
}

// credentialHeaders carry credentials at one service or another.
var credentialHeaders = [...]string{"Authorization", "Api-Key", "X-Api-Key", "X-Goog-Api-Key"}

// defaultAccount joins all credentials of a request so that none imitates two.
func defaultAccount(req *http.Request) string {
	var parts []string
	for _, name := range credentialHeaders {
		for _, v := range fold.Values(req.Header, name) {
			parts = append(parts, name, v)
		}
	}
	if req.URL.RawQuery != "" {
		q := req.URL.Query()
		for _, name := range [...]string{"key", "access_token"} {
			for _, v := range q[name] {
				parts = append(parts, name, v)
			}
		}
	}
	if len(parts) == 0 {
		return ""
	}
	if len(parts) == 2 {
		return parts[0] + "\x00" + parts[1] // the common case, no digest needed
	}
	sum := digest(parts[0], parts[1:]...)
	return hex.EncodeToString(sum[:])
}

func lengthPrefixed(s string) string {
	return string(binary.BigEndian.AppendUint32(nil, uint32(len(s)))) + s
}

// seeAccount warns once when a second account passes through one client: their
// answers are apart, which is right, and surprises whoever rotates credentials.
func (k *core) seeAccount(account string) (second bool) {
	if k.tenant != "" || account == "" {
		return false
	}
	first := k.account.Load()
	if first == nil {
		if k.account.CompareAndSwap(nil, &account) {
			return false
		}
		first = k.account.Load()
	}
	return *first != account
}

// sameOrigin compares scheme, host and port (RFC 6454, section 5).
func sameOrigin(a, b *url.URL) bool {
	return strings.EqualFold(a.Scheme, b.Scheme) && hostPort(a) == hostPort(b)
}

// prefixes that net/http puts before errors about requests it never sends.
var unsendable = []string{"unsupported protocol scheme", "http: no Host in request URL", "net/http: invalid "}

func isUnsendable(err error) bool {
	return slices.ContainsFunc(unsendable, func(s string) bool { return strings.Contains(err.Error(), s) })
}
