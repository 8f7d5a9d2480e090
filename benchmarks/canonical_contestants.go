package benchmarks

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"

	cyberphone "github.com/cyberphone/json-canonicalization/go/src/webpki.org/jsoncanonicalizer"
	"github.com/go-json-experiment/json/jsontext"
	"github.com/gowebpki/jcs"
	"github.com/llmidem/llmidem-go/llmidem/identity"
)

// The names of the contestants.
const (
	Identity   = "identity"              // Rules.Key: document, attachments and key
	SHA256     = "SHA-256"               // of the bytes as they are: the floor
	JCS        = "gowebpki/jcs"          // Transform and SHA-256
	Cyberphone = "cyberphone"            // Transform and SHA-256
	Maps       = "encoding/json maps"    // Unmarshal to any, Marshal, SHA-256
	JSONText   = "jsontext.Canonicalize" // of a copy, since it works in place, and SHA-256
)

// A Contestant makes some key of a body. Run returns false when it found none.
type Contestant struct {
	Name string
	Run  func(l Load, body []byte) bool
}

// hash ends every contestant's run; that it was reached is the run's result.
func hash(b []byte) bool {
	return sha256.Sum256(b) != [sha256.Size]byte{}
}

// Contestants returns all of them; identity is the first, SHA-256 the second.
func Contestants() []Contestant {
	rules := identity.OpenAI()
	return []Contestant{
		{Identity, func(l Load, body []byte) bool {
			_, err := rules.Key(identity.Request{Path: l.Path, Body: body}, identity.Call{}, identity.Scheme{})
			return err == nil
		}},
		{SHA256, func(_ Load, body []byte) bool { return hash(body) }},
		{JCS, func(_ Load, body []byte) bool {
			b, err := jcs.Transform(body)
			return err == nil && hash(b)
		}},
		{Cyberphone, func(_ Load, body []byte) bool {
			b, err := cyberphone.Transform(body)
			return err == nil && hash(b)
		}},
		{Maps, func(_ Load, body []byte) bool {
			var v any
			if json.Unmarshal(body, &v) != nil {
				return false
			}
			b, err := json.Marshal(v)
			return err == nil && hash(b)
		}},
		{JSONText, func(_ Load, body []byte) bool {
			v := jsontext.Value(bytes.Clone(body))
			return v.Canonicalize() == nil && hash(v)
		}},
	}
}
