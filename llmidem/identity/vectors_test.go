package identity_test

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"mime/multipart"
	"net/http"
	"net/textproto"
	"os"
	"testing"

	"github.com/llmidem/llmidem-go/llmidem/identity"
	"github.com/stretchr/testify/require"
)

// vector is one call of testdata/vectors.json with what it must give.
type vector struct {
	Name, Profile, Route string
	Body                 json.RawMessage
	BodyBase64           *string `json:"body_base64"`
	Headers              map[string]json.RawMessage
	Options              options
	Want                 struct{ Canonical, SHA256, UUID5, HMAC, Refused string }
}

type options struct {
	User, Scope               string
	Occurrence                uint64
	Exclude                   []string
	Prefix, Namespace, Secret *string
}

// part is a part of a form.
type part struct {
	Name, Text   string
	Filename     *string
	Type, Base64 string
}

func loadVectors(t testing.TB) (v []vector) {
	b, err := os.ReadFile("testdata/vectors.json")
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(b, &v))
	require.Len(t, v, 133)
	return v
}

// request turns a vector into a request.
func (v *vector) request(t testing.TB) identity.Request {
	r := identity.Request{Path: v.Route, Header: http.Header{}}
	for name, value := range v.Headers {
		var lines []string
		if json.Unmarshal(value, &lines) != nil {
			lines = []string{""}
			require.NoError(t, json.Unmarshal(value, &lines[0]))
		}
		r.Header[http.CanonicalHeaderKey(name)] = lines
	}
	var parts []part
	switch {
	case v.BodyBase64 != nil:
		b, err := base64.StdEncoding.DecodeString(*v.BodyBase64)
		require.NoError(t, err)
		r.Body = b
	case json.Unmarshal(v.Body, &parts) == nil:
		var kind string
		kind, r.Body = form(t, parts)
		r.Header.Set("Content-Type", kind)
	default:
		var text string
		require.NoError(t, json.Unmarshal(v.Body, &text))
		r.Body = []byte(text)
	}
	return r
}

// form writes a form as a client would.
func form(t testing.TB, parts []part) (contentType string, body []byte) {
	var b bytes.Buffer
	w := multipart.NewWriter(&b)
	for _, p := range parts {
		h := textproto.MIMEHeader{}
		content := []byte(p.Text)
		if p.Filename == nil {
			h.Set("Content-Disposition", fmt.Sprintf("form-data; name=%q", p.Name))
		} else {
			h.Set("Content-Disposition", fmt.Sprintf("form-data; name=%q; filename=%q", p.Name, *p.Filename))
			if p.Type != "" {
				h.Set("Content-Type", p.Type)
			}
			var err error
			content, err = base64.StdEncoding.DecodeString(p.Base64)
			require.NoError(t, err)
		}
		x, err := w.CreatePart(h)
		require.NoError(t, err)
		x.Write(content)
	}
	require.NoError(t, w.Close())
	return w.FormDataContentType(), b.Bytes()
}

func (v *vector) schemes(t testing.TB) (sha, uuid5, mac identity.Scheme) {
	or := func(p *string, s string) string {
		if p != nil {
			return *p
		}
		return s
	}
	unhex := func(s string) []byte {
		b, err := hex.DecodeString(s)
		require.NoError(t, err)
		return b
	}
	ns := or(v.Options.Namespace, "6ba7b811-9dad-11d1-80b4-00c04fd430c8")
	prefix := or(v.Options.Prefix, "idem_")
	space := [16]byte(unhex(ns[:8] + ns[9:13] + ns[14:18] + ns[19:23] + ns[24:]))
	secret := unhex(or(v.Options.Secret, "0000000000000000000000000000000000000000000000000000000000000000"))
	return identity.SHA256(prefix), identity.UUID5(space), identity.HMAC(prefix, secret)
}

var profiles = map[string]func() *identity.Rules{
	"openai": identity.OpenAI, "anthropic": identity.Anthropic, "gemini": identity.Gemini, "ollama": identity.Ollama,
}

// run returns the document that a vector's call gives.
func (v *vector) run(t testing.TB) (identity.Document, error) {
	req := v.request(t)
	call := identity.Call{User: v.Options.User, Scope: v.Options.Scope, Occurrence: v.Options.Occurrence, Exclude: v.Options.Exclude}
	switch v.Profile {
	case "payload":
		return identity.Payload(req.Body, v.Options.Exclude...)
	case "do":
		return identity.Function(v.Route, req.Body, call)
	}
	return profiles[v.Profile]().Identify(req, call)
}

func TestVectors(t *testing.T) {
	for _, v := range loadVectors(t) {
		t.Run(v.Name, func(t *testing.T) {
			d, err := v.run(t)
			if v.Want.Refused != "" {
				var r *identity.Refusal
				require.True(t, errors.As(err, &r), "%v", err)
				require.Equal(t, v.Want.Refused, string(r.Code))
				require.Empty(t, d.Canonical())
				return
			}
			require.NoError(t, err)
			require.Equal(t, v.Want.Canonical, string(d.Canonical()))
			sha, uuid5, mac := v.schemes(t)
			for s, want := range map[*identity.Scheme]string{&sha: v.Want.SHA256, &uuid5: v.Want.UUID5, &mac: v.Want.HMAC} {
				require.NoError(t, s.Err())
				k, err := s.Key(d)
				require.NoError(t, err)
				require.Equal(t, want, k.String(), s.Name())
				if rules := profiles[v.Profile]; rules != nil {
					call := identity.Call{User: v.Options.User, Scope: v.Options.Scope, Occurrence: v.Options.Occurrence, Exclude: v.Options.Exclude}
					direct, err := rules().Key(v.request(t), call, *s)
					require.NoError(t, err)
					require.Equal(t, k, direct)
				}
			}
		})
	}
}
