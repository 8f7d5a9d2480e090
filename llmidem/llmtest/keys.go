package llmtest

import (
	"crypto/sha256"
	"math"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/llmidem/llmidem-go/llmidem"
)

// A keyEntry is what the server remembers of a key. When it is ready is a matter of
// the clock alone, so that nothing has to run on for a client that has left.
type keyEntry struct {
	digest [sha256.Size]byte // of path and body
	begun  time.Time
	ready  time.Time // the answer is there, and no longer being worked on
	result *result
}

// key reads the idempotency key of a request, without the quotes of its form.
func (s *Server) key(h http.Header) string {
	v := h.Get(s.cfg.keys.Header)
	if s.cfg.keys.Quoted && len(v) >= 2 && v[0] == '"' && v[len(v)-1] == '"' {
		return v[1 : len(v)-1]
	}
	return v
}

// checkKey holds the form of the key against what WithKeys asks for.
func (s *Server) checkKey(h http.Header) *apiError {
	k := s.cfg.keys
	lines := h.Values(k.Header)
	if k.Class == llmidem.Ignore || len(lines) == 0 {
		return nil
	}
	key := s.key(h)
	why := ""
	switch {
	case len(lines) > 1:
		why = "sent more than once"
	case k.Quoted && key == lines[0]:
		why = "not a quoted string"
	case key == "":
		why = "empty"
	case k.MaxLen > 0 && len(key) > k.MaxLen:
		why = "longer than " + strconv.Itoa(k.MaxLen) + " bytes"
	case s.cfg.pattern != nil && !s.cfg.pattern.MatchString(key):
		why = "not of the form " + k.Pattern
	default:
		return nil
	}
	e := invalidRequest("The idempotency key is " + why + ".")
	e.code = "invalid_idempotency_key"
	return e
}

// slot is where a key is remembered: keys of other credentials are other keys.
func slot(q *Request) string {
	parts := []string{q.Key}
	for _, name := range []string{"Authorization", "Api-Key", "X-Api-Key", "X-Goog-Api-Key"} {
		parts = append(parts, q.Header.Get(name))
	}
	return strings.Join(parts, "\x00")
}

func digest(q *Request) [sha256.Size]byte {
	return sha256.Sum256(append([]byte(q.Path+"\x00"+q.Query+"\x00"), q.Body...))
}

// remembered returns the entry of a request's key, if there is one within the
// window. The caller holds the lock.
func (s *Server) remembered(q *Request) *keyEntry {
	if q.Key == "" || s.cfg.keys.Class == llmidem.Ignore {
		return nil
	}
	e := s.keys[slot(q)]
	if e == nil || s.cfg.keys.Window > 0 && q.Time.Sub(e.begun) >= s.cfg.keys.Window {
		return nil
	}
	return e
}

// remember keeps the key of a request; a nil result says that it arrived. The
// caller holds the lock.
func (s *Server) remember(q *Request, r *result, ready time.Time) {
	if q.Key != "" && s.cfg.keys.Class != llmidem.Ignore {
		s.keys[slot(q)] = &keyEntry{digest(q), q.Time, ready, r}
	}
}

// conflict is the answer to a repeated key where it is no replay, else nil.
func (e *keyEntry) conflict(q *Request, class llmidem.KeyClass) *apiError {
	reject := invalidRequest("A request with this idempotency key was already received.")
	reject.status, reject.code = http.StatusUnprocessableEntity, "duplicate_key"
	if class == llmidem.Reject {
		return reject
	}
	if e.digest != digest(q) {
		reject.code, reject.message = "idempotency_key_reused", "This idempotency key was used with another request."
		return reject
	}
	if wait := e.ready.Sub(q.Time); wait > 0 {
		seconds := strconv.FormatFloat(math.Ceil(wait.Seconds()), 'f', -1, 64)
		return &apiError{status: http.StatusConflict, kind: "invalid_request_error", code: "idempotency_key_in_use",
			message: "A request with this idempotency key is in progress.", header: http.Header{"Retry-After": {seconds}}}
	}
	return nil
}
