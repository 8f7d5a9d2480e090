package identity_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"strings"
	"testing"

	"github.com/llmidem/llmidem-go/llmidem/identity"
)

// seeds adds the bodies of the vectors, and a few that are hard.
func seeds(f *testing.F) {
	for _, v := range loadVectors(f) {
		f.Add(v.request(f).Body)
	}
	f.Add([]byte(message(`[1,2,3,4,5,6,7,8,9,10, 11,012]`)))
	f.Add([]byte(message(`"` + strings.Repeat(`a\n\"#\\]é`, 30) + `"`)))
	f.Add([]byte(message(`{"b":{"d":[{"z":1,"a":"\u00e9"}],"c":"data:a/b;base64,\u004dQ=="},"a":1}`)))
	f.Add(chat1K())
}

// FuzzAgainstPlain compares the scanner with the plain way over a tree.
func FuzzAgainstPlain(f *testing.F) {
	seeds(f)
	rules := identity.OpenAI()
	f.Fuzz(func(t *testing.T, body []byte) {
		d, err := rules.Identify(identity.Request{Path: "/chat/completions", Body: body}, identity.Call{})
		want, refused := plainChat(body)
		if (err != nil) != (refused != nil) || string(d.Canonical()) != want {
			t.Fatalf("%q\ngives %s, %v\nwants %s", body, d.Canonical(), err, want)
		}
		k, err := rules.Key(identity.Request{Path: "/chat/completions", Body: body}, identity.Call{}, identity.Scheme{})
		if want, _ := (identity.Scheme{}).Key(d); err == nil && k != want {
			t.Fatalf("%q: %v and %v", body, k, want)
		}
		v, refused := plainRead(body)
		bare, err := identity.Payload(body, []string{}...)
		if (err != nil) != (refused != nil) {
			t.Fatalf("%q: %v", body, err)
		}
		if err == nil {
			var b strings.Builder
			plainWrite(&b, v)
			if b.String() != string(bare.Canonical()) {
				t.Fatalf("%q\ngives %s\nwants %s", body, bare.Canonical(), b.String())
			}
			again, err := identity.Payload(bare.Canonical(), []string{}...)
			if err != nil || !bytes.Equal(again.Canonical(), bare.Canonical()) {
				t.Fatalf("%s is not canonical: %s, %v", bare.Canonical(), again.Canonical(), err)
			}
		}
	})
}

// FuzzRewritten shuffles members, adds white space and escapes characters: none of
// it may change the key.
func FuzzRewritten(f *testing.F) {
	for _, v := range loadVectors(f) {
		f.Add(v.request(f).Body, uint64(1))
	}
	f.Fuzz(func(t *testing.T, body []byte, seed uint64) {
		v, err := plainRead(body)
		if err != nil {
			return
		}
		r := rand.New(rand.NewPCG(seed, 1))
		var b strings.Builder
		rewrite(&b, v, r)
		want, got := keyOf(t, string(body)), keyOf(t, b.String())
		if want != got {
			t.Fatalf("%s\n%s\n%s, %s", body, b.String(), want, got)
		}
	})
}

// rewrite writes v in one of the many ways JSON has.
func rewrite(b *strings.Builder, v any, r *rand.Rand) {
	blank := func() { b.WriteString([]string{"", "", " ", "\n\t", "\r\n"}[r.IntN(5)]) }
	blank()
	switch v := v.(type) {
	case []any:
		b.WriteByte('[')
		for i, x := range v {
			if i > 0 {
				b.WriteByte(',')
			}
			rewrite(b, x, r)
		}
		b.WriteByte(']')
	case map[string]any:
		b.WriteByte('{')
		names := plainNames(v)
		r.Shuffle(len(names), func(i, j int) { names[i], names[j] = names[j], names[i] })
		for i, name := range names {
			if i > 0 {
				b.WriteByte(',')
			}
			rewrite(b, name, r)
			b.WriteByte(':')
			rewrite(b, v[name], r)
		}
		b.WriteByte('}')
	case string:
		b.WriteByte('"')
		often := r.IntN(6)
		for _, c := range v {
			switch {
			case c < 0x20 || c == '"' || c == '\\' || c < 0x10000 && r.IntN(8) < often:
				fmt.Fprintf(b, []string{`\u%04x`, `\u%04X`}[r.IntN(2)], c)
			case c == '/':
				b.WriteString(`\/`)
			default:
				b.WriteRune(c)
			}
		}
		b.WriteByte('"')
	case json.Number:
		s := string(v)
		if strings.ContainsAny(s, ".eE") && !strings.ContainsAny(s, "eE") {
			s += []string{"", "0", "e0", "E+00", "00e-0"}[r.IntN(5)]
		}
		b.WriteString(s)
	default:
		j, _ := json.Marshal(v)
		b.Write(j)
	}
	blank()
}

// FuzzInjective changes one value at a time: every change must change the document.
func FuzzInjective(f *testing.F) {
	f.Add([]byte(`{"model":"m","messages":[{"a":"data:a/b;base64,MQ==","n":1}]}`), []byte(`{"model":"m","messages":[{"a":"","n":1}]}`))
	f.Add([]byte(message(`["a","b"]`)), []byte(message(`["ab"]`)))
	f.Fuzz(func(t *testing.T, a, b []byte) {
		x, errA := identity.Payload(a, []string{}...)
		y, errB := identity.Payload(b, []string{}...)
		if errA != nil || errB != nil {
			return
		}
		c, errC := identity.Function("f", a, identity.Call{Detail: true})
		d, errD := identity.Function("f", b, identity.Call{Detail: true})
		if errC != nil || errD != nil {
			t.Fatal(errC, errD)
		}
		v, _ := plainRead(a)
		w, _ := plainRead(b)
		var p, q strings.Builder
		plainWrite(&p, v)
		plainWrite(&q, w)
		same := p.String() == q.String()
		if same != bytes.Equal(x.Canonical(), y.Canonical()) || same != bytes.Equal(c.Canonical(), d.Canonical()) {
			t.Fatalf("%s and %s", a, b)
		}
		if same != (len(identity.Diff(x, y)) == 0) || same != (len(identity.Diff(c, d)) == 0) {
			t.Fatalf("%s and %s: %v, %v", a, b, identity.Diff(x, y), identity.Diff(c, d))
		}
		x.Explain()
		c.Explain()
		s, errS := plainChat(a)
		u, errU := plainChat(b)
		if errS != nil || errU != nil {
			return
		}
		if k, l := keyOf(t, string(a)), keyOf(t, string(b)); (k == l) != (s == u) {
			t.Fatalf("%s and %s: %s, %s", a, b, k, l)
		}
	})
}

func FuzzParseKey(f *testing.F) {
	f.Add("idem_" + digest)
	f.Add("idem_b7a969c9-5b8f-5d54-b361-6813b42580b6")
	f.Add("b7a969c9-5b8f-5d54-b361-6813b42580b6")
	f.Fuzz(func(t *testing.T, s string) {
		k, err := identity.ParseKey(s)
		if err != nil {
			if _, ok := err.(*identity.KeyError); !ok || !k.IsZero() {
				t.Fatal(err, k)
			}
		} else if k.String() != s && k.LogString() != s {
			t.Fatalf("%q became %q", s, k)
		}
		for _, read := range []func(string) (identity.Key, error){identity.ParseKey, identity.Foreign} {
			k, err := read(s)
			if err != nil {
				continue
			}
			again, err := read(k.String())
			b, errB := json.Marshal(k)
			var c identity.Key
			if err != nil || again != k || errB != nil || json.Unmarshal(b, &c) != nil || c != k {
				t.Fatalf("%q: %v, %v, %s", s, again, err, b)
			}
		}
	})
}

// FuzzForm must neither panic nor give a key to a body that is no form.
func FuzzForm(f *testing.F) {
	for _, v := range loadVectors(f) {
		if req := v.request(f); req.Header.Get("Content-Type") != "" {
			f.Add(req.Header.Get("Content-Type"), req.Body)
		}
	}
	f.Add(`multipart/form-data; boundary=x`, []byte("--x\r\nContent-Disposition: form-data; name=model\r\n\r\nm\r\n--x--"))
	f.Add(`multipart/form-data; boundary=x`, []byte("\r\n--xx\r\n--x \r\nContent-Disposition: form-data; name=\"a\"; filename=\"\"\r\n\r\n--x--"))
	rules := identity.OpenAI()
	f.Fuzz(func(t *testing.T, kind string, body []byte) {
		req := identity.Request{Path: "/images/variations", Header: http.Header{"Content-Type": {kind}}, Body: body}
		d, err := rules.Identify(req, identity.Call{Detail: true})
		k, errK := rules.Key(req, identity.Call{}, identity.Scheme{})
		if (err != nil) != (errK != nil) {
			t.Fatal(err, errK)
		}
		if err == nil {
			if want, _ := (identity.Scheme{}).Key(d); k != want || !json.Valid(d.Canonical()) {
				t.Fatalf("%s", d.Canonical())
			}
			d.Explain()
		}
	})
}
