package identity

import (
	"encoding/hex"
	"errors"
	"syscall"

	"github.com/segmentio/asm/base64"
)

// kind is the form in which content stands in a request.
type kind string

const (
	kindURI    kind = "uri"
	kindBase64 kind = "b64"
	kindRaw    kind = "raw"
)

// A placeholder is the prefix, a kind, the digest and the token. No character of it
// is ever escaped in JSON by an encoder that leaves letters alone, it is no base64,
// and to a provider it is a URL of an unknown scheme that names no host.
const (
	holderPrefix = "llmidem-attachment:"
	holderLen    = len(holderPrefix) + 3 + 1 + 64 + 1 + 32
	codedLen     = holderLen / 3 * 4 // in base64; it needs no padding
)

// holder is a placeholder that was read.
type holder struct {
	kind  kind
	sum   [32]byte
	token []byte
}

// readHolder reads text that is a placeholder and nothing else.
func readHolder(text []byte) (h holder, ok bool) {
	if len(text) != holderLen || string(text[:len(holderPrefix)]) != holderPrefix {
		return h, false
	}
	rest := text[len(holderPrefix):]
	if rest[3] != ':' || rest[68] != ':' || !isLowerHex(rest[4:68]) || !isLowerHex(rest[69:]) {
		return h, false
	}
	switch string(rest[:3]) {
	case string(kindURI):
		h.kind = kindURI
	case string(kindBase64):
		h.kind = kindBase64
	case string(kindRaw):
		h.kind = kindRaw
	default:
		return h, false
	}
	hex.Decode(h.sum[:], rest[4:68]) //nolint:errcheck // checked above
	h.token = rest[69:]
	return h, true
}

func isLowerHex(b []byte) bool {
	for _, c := range b {
		if hexValue[c] < 0 || 'A' <= c && c <= 'F' {
			return false
		}
	}
	return true
}

// held reads the string at i if it is the placeholder of an attachment that may
// stand there. If not, nothing has changed, and the string is still to be read.
func (s *scanner) held(i int) (end int, ok bool) {
	text, end, ok := s.short(i+1, s.room[:0])
	if !ok {
		return 0, false
	}
	h, ok := readHolder(text)
	if !ok && len(text) == codedLen {
		h, ok = readCoded(text)
	}
	if !ok || h.kind == kindRaw || h.kind == kindBase64 && !s.atPlace() {
		return 0, false
	}
	a, c := s.handle(i, h)
	if a == nil {
		return -1, true
	}
	s.hold(i, end, a, c, h.kind)
	return end, true
}

// readCoded reads the base64 of a placeholder of base64: what a field gives that is
// bytes to an SDK.
func readCoded(text []byte) (h holder, ok bool) {
	var buf [holderLen + 8]byte
	n, err := base64.StdEncoding.Decode(buf[:], text)
	if err != nil || n != holderLen {
		return h, false
	}
	h, ok = readHolder(buf[:n])
	return h, ok && h.kind == kindBase64
}

// short returns what the string from i on stands for if that is not longer than b
// has room for, and the offset after its quote.
func (s *scanner) short(i int, b []byte) (text []byte, end int, ok bool) {
	for i < len(s.src) && len(b)+4 <= cap(b) {
		switch c := s.src[i]; {
		case c == '"':
			return b, i + 1, true
		case c < 0x20 || c >= 0x80:
			return nil, 0, false
		case c != '\\':
			b = append(b, c)
			i++
		default:
			next := s.probe(i)
			if next < 0 {
				return nil, 0, false
			}
			r, _ := decodeEscape(s.src[i:next])
			if r >= 0x80 {
				return nil, 0, false
			}
			b = append(b, byte(r))
			i = next
		}
	}
	return nil, 0, false
}

// mayHold reports whether a string whose first three bytes are w may be a placeholder:
// its letters, those of its base64, or an escape.
func mayHold(w []byte) bool {
	return string(w) == holderPrefix[:3] || string(w) == "bGx" || w[0] == '\\' || w[1] == '\\' || w[2] == '\\'
}

// handle returns the attachment of this call that a placeholder at i stands for and
// what it holds, or nil, with the refusal noted.
func (s *scanner) handle(i int, h holder) (*Attachment, *content) {
	for _, a := range s.handles {
		if a == nil || a.token != string(h.token) {
			continue
		}
		c, err := a.from.current(s.ctx, true)
		if err == nil && c.sum != h.sum {
			err = &AttachmentError{ErrChanged}
		}
		if err != nil {
			s.cause = err
			s.fail(CodeBadAttachment, i, "the content of an attachment cannot be sent under this placeholder"+brief(err)+
				"; take the placeholder anew when the request is made")
			return nil, nil
		}
		return a, c
	}
	s.fail(CodeBadAttachment, i, "a placeholder of an attachment that was not given to this call; use llmidem.WithAttachments")
	return nil, nil
}

// brief is what may be said of why content cannot be sent: our own words and the
// system's, not those of a caller's context.
func brief(err error) string {
	var system syscall.Errno
	switch {
	case errors.Is(err, ErrChanged), errors.Is(err, errNotRegular):
		return ": " + errors.Unwrap(err).Error()
	case errors.As(err, &system):
		return ": " + system.Error()
	}
	return ""
}

// hold takes the placeholder input[i:end] out of the prompt, as the attachment that
// it stands for.
func (s *scanner) hold(i, end int, a *Attachment, c *content, k kind) {
	sp := splice{from: s.offsetOf(i + 1), kind: k, origin: a.from, is: c}
	sp.to = sp.from + int64(end-i-2)
	if k == kindURI {
		sp.media = a.mediaOf(c)
	}
	s.splices = append(s.splices, sp)
	if k == kindBase64 {
		if c.size == 0 { // is no attachment (SPEC.md, section 3)
			s.literal(i, end, `""`)
			return
		}
		s.lifted(i, end, attachment{sum: c.sum, size: c.size, encoding: encodingBase64})
		return
	}
	s.cut(i)
	at := len(s.arena)
	s.arena = appendText(s.arena, sp.media)
	s.lifted(i, end, attachment{sum: c.sum, size: c.size, encoding: encodingURI, media: span{at, len(s.arena)}})
}

// mediaOf is MediaType for what the origin was found to hold.
func (a *Attachment) mediaOf(c *content) string {
	if a.given {
		return a.media
	}
	return c.media
}

// textAt is where the text of a form's part lies.
type textAt struct{ form, body int }

// offsetOf is the offset in the body of what lies at src[i].
func (s *scanner) offsetOf(i int) int64 {
	for _, t := range s.texts {
		if t.form == i {
			return int64(t.body)
		}
	}
	return int64(i)
}
