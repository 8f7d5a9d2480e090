package identity_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/llmidem/llmidem-go/llmidem/identity"
	"github.com/stretchr/testify/require"
)

// twin replaces the attachments of a prompt by placeholders of handles.
type twin struct {
	plain
	r       *rand.Rand
	handles []*identity.Attachment
}

// handle makes a handle of one of the kinds there are, file aside.
func (w *twin) handle(t testing.TB, raw []byte) *identity.Attachment {
	a := identity.Bytes(raw)
	if w.r.IntN(2) == 0 {
		var err error
		a, err = identity.Reader(bytes.NewReader(append(bytes.Clone(raw), "more"...)), int64(len(raw)))
		require.NoError(t, err)
	}
	w.handles = append(w.handles, a)
	return a
}

// swap walks a prompt as plain.lift does.
func (w *twin) swap(t testing.TB, v any, parent, member string) any {
	switch v := v.(type) {
	case string:
		one := plain{places: w.places}
		if one.lift(v, "", parent, member); len(one.found) == 0 {
			return v
		}
		if one.found[0]["encoding"] == "base64" {
			raw, _ := plainBase64(v)
			text := w.handle(t, raw).Base64()
			if w.r.IntN(2) == 0 { // as from a []byte
				text = base64.StdEncoding.EncodeToString([]byte(text))
			}
			return text
		}
		raw, _ := plainBase64(v[strings.Index(v, ",")+1:])
		a, err := w.handle(t, raw).As(one.found[0]["media_type"].(string))
		if err != nil {
			return v // a type that no handle takes stays inline
		}
		w.handles = append(w.handles, a)
		return a.DataURI()
	case []any:
		out := make([]any, len(v))
		for i, x := range v {
			out[i] = w.swap(t, x, member, "[]")
		}
		return out
	case map[string]any:
		out := map[string]any{}
		for name, x := range v {
			out[name] = w.swap(t, x, member, name)
		}
		return out
	}
	return v
}

// compareTwin checks that a request of handles is the request whose content is
// inline: document, keys, and bytes on the wire.
func compareTwin(t testing.TB, rules *identity.Rules, req identity.Request, prompt []string, seed uint64) (swapped int) {
	tree, err := plainRead(req.Body)
	obj, ok := tree.(map[string]any)
	if err != nil || !ok {
		return 0
	}
	w := &twin{r: rand.New(rand.NewPCG(seed, 2))}
	for _, p := range rules.Base64 {
		w.places = append(w.places, identityPlace{p.Parent, p.Member})
	}
	held := map[string]any{}
	for name, v := range obj {
		held[name] = v
		for _, p := range prompt {
			if name == p {
				held[name] = w.swap(t, v, "", name)
			}
		}
	}
	var inline, short, other strings.Builder
	plainWrite(&inline, tree)
	plainWrite(&short, held)
	rewrite(&other, held, w.r)

	req.Body = []byte(inline.String())
	want, err := rules.Identify(req, identity.Call{})
	req.Body, req.Attachments = []byte(short.String()), w.handles
	got, errHeld := rules.Identify(req, identity.Call{Detail: true})
	require.Equal(t, err == nil, errHeld == nil, "%v, %v", err, errHeld)
	if err != nil {
		return 0
	}
	require.Equal(t, string(want.Canonical()), string(got.Canonical()))
	require.Equal(t, inline.String(), string(wire(t, got, req.Body)))
	k, err := rules.Key(req, identity.Call{}, identity.Scheme{})
	require.NoError(t, err)
	wantKey, err := identity.Scheme{}.Key(want)
	require.NoError(t, err)
	require.Equal(t, wantKey, k)

	req.Body = []byte(other.String())
	loose, err := rules.Identify(req, identity.Call{})
	require.NoError(t, err)
	require.Equal(t, string(want.Canonical()), string(loose.Canonical()), "in another order, with escapes")
	req.Body, req.Attachments = wire(t, loose, req.Body), nil
	again, err := rules.Identify(req, identity.Call{})
	require.NoError(t, err)
	require.Equal(t, string(want.Canonical()), string(again.Canonical()))
	return len(w.handles)
}

// wire is what goes out, checked against its size and read in odd pieces too.
func wire(t testing.TB, d identity.Document, body []byte) []byte {
	s := d.Splices()
	if s == nil {
		return body
	}
	open := func() io.ReadCloser {
		r, err := s.Open(context.Background(), bytes.NewReader(body), int64(len(body)))
		require.NoError(t, err)
		return r
	}
	r := open()
	b, err := io.ReadAll(r)
	require.NoError(t, err)
	require.NoError(t, r.Close())
	require.Equal(t, s.Size(int64(len(body))), int64(len(b)))
	r = open()
	defer r.Close()
	if len(b) < 1<<16 {
		require.NoError(t, iotest.TestReader(r, b))
	}
	return b
}

func TestHandlesAreTheirContent(t *testing.T) {
	swapped := 0
	for _, v := range loadVectors(t) {
		rules := profiles[v.Profile]
		req := v.request(t)
		if rules == nil || req.Header.Get("Content-Type") != "" {
			continue
		}
		m, ok := rules().Match(strings.Split(req.Path, "?")[0])
		if !ok {
			continue
		}
		t.Run(v.Name, func(t *testing.T) {
			for seed := range uint64(4) {
				swapped += compareTwin(t, rules(), req, m.Route.Prompt, seed)
			}
		})
	}
	require.Greater(t, swapped, 80)
}

func FuzzHandles(f *testing.F) {
	for _, v := range loadVectors(f) {
		f.Add(v.request(f).Body, uint64(1))
	}
	f.Add([]byte(message(`{"file_data":"YWJj","input_audio":{"data":"AA=="},"x":["data:a/b;base64,QQ==","bGxtaWRlbQ==",""]}`)), uint64(7))
	f.Fuzz(func(t *testing.T, body []byte, seed uint64) {
		compareTwin(t, identity.OpenAI(), identity.Request{Path: "/chat/completions", Body: body}, []string{"messages"}, seed)
	})
}

func TestHandlesInForms(t *testing.T) {
	swapped := 0
	for _, v := range loadVectors(t) {
		var parts []part
		if json.Unmarshal(v.Body, &parts) != nil || v.Want.Refused != "" {
			continue
		}
		t.Run(v.Name, func(t *testing.T) {
			req := v.request(t)
			call := identity.Call{User: v.Options.User, Scope: v.Options.Scope, Occurrence: v.Options.Occurrence, Exclude: v.Options.Exclude}
			for _, p := range parts {
				if p.Filename == nil {
					continue
				}
				raw, err := base64.StdEncoding.DecodeString(p.Base64)
				require.NoError(t, err)
				a := identity.Bytes(raw)
				req.Attachments = append(req.Attachments, a)
				inline := req.Body
				req.Body = bytes.Replace(req.Body, append(append([]byte("\r\n\r\n"), raw...), "\r\n--"...), []byte("\r\n\r\n"+a.Raw()+"\r\n--"), 1)
				require.NotEqual(t, inline, req.Body)
				swapped++
			}
			d, err := profiles[v.Profile]().Identify(req, call)
			require.NoError(t, err)
			require.Equal(t, v.Want.Canonical, string(d.Canonical()))
			req.Body, req.Attachments = wire(t, d, req.Body), nil
			d, err = profiles[v.Profile]().Identify(req, call)
			require.NoError(t, err)
			require.Equal(t, v.Want.Canonical, string(d.Canonical()))
		})
	}
	require.GreaterOrEqual(t, swapped, 8)
}

// A text part of a form is a string of the prompt like one of a JSON body.
func TestHandlesInTextPartsOfForms(t *testing.T) {
	a, b, c := identity.Bytes([]byte("first")), identity.Bytes([]byte("second")), identity.Bytes([]byte("third"))
	build := func(x, y, z string) identity.Request {
		kind, body := form(t, []part{{Name: "prompt", Text: x}, {Name: "model", Text: "m"}, {Name: "prompt", Text: y},
			{Name: "image", Filename: new("x.png"), Base64: base64.StdEncoding.EncodeToString([]byte(z))}, {Name: "about", Text: x}})
		return identity.Request{Path: "/v1/images/edits", Body: body, Header: map[string][]string{"Content-Type": {kind}}}
	}
	uri := func(s string) string {
		return "data:text/plain;charset=utf-8;base64," + base64.StdEncoding.EncodeToString([]byte(s))
	}
	held := build(a.DataURI(), b.DataURI(), c.Raw())
	held.Attachments = []*identity.Attachment{a, b, c}
	got, err := identity.OpenAI().Identify(held, identity.Call{})
	require.NoError(t, err)
	inline := build(uri("first"), uri("second"), "third")
	inline.Body = bytes.Replace(inline.Body, []byte("\r\n\r\n"+uri("first")+"\r\n--"), []byte("\r\n\r\n"+a.DataURI()+"\r\n--"), 2)
	inline.Body = bytes.Replace(inline.Body, []byte(a.DataURI()), []byte(uri("first")), 1) // about is no prompt
	want, err := identity.OpenAI().Identify(inline, identity.Call{})
	require.NoError(t, err)
	require.Equal(t, string(want.Canonical()), string(got.Canonical()))
	boundary := func(r identity.Request) []byte {
		return []byte(r.Header["Content-Type"][0][len("multipart/form-data; boundary="):])
	}
	require.Equal(t, string(bytes.ReplaceAll(inline.Body, boundary(inline), nil)), string(bytes.ReplaceAll(wire(t, got, held.Body), boundary(held), nil)))
	require.Contains(t, string(got.Canonical()), `"about":"llmidem-attachment:uri:`)
}

// chatOf is a chat request with one user message of the given JSON.
func heldChat(content string, a ...*identity.Attachment) identity.Request {
	req := chatRequest(message(content))
	req.Attachments = a
	return req
}

func refusalOf(t *testing.T, req identity.Request) *identity.Refusal {
	t.Helper()
	_, err := identity.OpenAI().Identify(req, identity.Call{})
	var r *identity.Refusal
	require.ErrorAs(t, err, &r)
	return r
}

func TestPlaceholderWithoutItsHandleIsRefused(t *testing.T) {
	a, b := identity.Bytes([]byte("secret")), identity.Bytes([]byte("secret"))
	for name, req := range map[string]identity.Request{
		"none":              heldChat(`"` + a.DataURI() + `"`),
		"of equal content":  heldChat(`"`+a.DataURI()+`"`, b),
		"base64":            heldChat(`{"file_data":"`+a.Base64()+`"}`, b, nil),
		"bytes":             heldChat(`{"file_data":"`+base64.StdEncoding.EncodeToString([]byte(a.Base64()))+`"}`, b),
		"escaped":           heldChat(`"\u006C`+a.DataURI()[1:]+`"`, b),
		"another's token":   heldChat(`"`+a.DataURI()[:len(a.DataURI())-32]+strings.Repeat("0", 32)+`"`, a, b),
		"of another digest": heldChat(`"`+strings.Replace(a.DataURI(), strings.TrimPrefix(a.Digest(), "sha256:"), strings.Repeat("0", 64), 1)+`"`, a),
	} {
		r := refusalOf(t, req)
		require.Equal(t, identity.CodeBadAttachment, r.Code, name)
		require.Contains(t, r.Pointer, "/messages", name)
		require.NotContains(t, r.Error(), a.DataURI()[30:], name)
	}
	require.ErrorIs(t, refusalOf(t, heldChat(`"`+strings.Replace(a.DataURI(), strings.TrimPrefix(a.Digest(), "sha256:"), strings.Repeat("0", 64), 1)+`"`, a)), identity.ErrChanged)
	kind, body := form(t, []part{{Name: "model", Text: "m"}, {Name: "image", Filename: new("x"), Base64: base64.StdEncoding.EncodeToString([]byte(a.Raw()))}})
	require.Equal(t, identity.CodeBadAttachment, refusalOf(t, identity.Request{Path: "/v1/images/edits", Body: body,
		Header: map[string][]string{"Content-Type": {kind}}, Attachments: []*identity.Attachment{b}}).Code)
}

func TestPlaceholderElsewhereIsText(t *testing.T) {
	a := identity.Bytes([]byte("secret"))
	for _, content := range []string{
		"look at " + a.DataURI(), a.DataURI() + " ", " " + a.DataURI(), a.DataURI() + a.DataURI(), a.DataURI()[:len(a.DataURI())-1],
		a.Base64(), a.Raw(), strings.ToUpper(a.DataURI()), "llmidem-attachment:", "llmidem-attachment:uri:" + strings.Repeat("g", 64) + ":" + strings.Repeat("0", 32),
		"data:image/png;base64," + a.Base64(), base64.StdEncoding.EncodeToString([]byte(a.Base64())),
	} {
		body, err := json.Marshal(content)
		require.NoError(t, err)
		with, err := identity.OpenAI().Identify(heldChat(string(body), a), identity.Call{})
		require.NoError(t, err)
		without, err := identity.OpenAI().Identify(heldChat(string(body)), identity.Call{})
		require.NoError(t, err)
		require.Nil(t, with.Splices(), content)
		require.Equal(t, string(without.Canonical()), string(with.Canonical()))
		require.Empty(t, with.Explain().Attachments)
	}
	outside := chatRequest(`{"model":"m","messages":[],"metadata":{"file_data":"` + a.DataURI() + `"}}`)
	outside.Attachments = []*identity.Attachment{a}
	d, err := identity.OpenAI().Identify(outside, identity.Call{})
	require.NoError(t, err)
	require.Nil(t, d.Splices())
	name := chatRequest(`{"model":"m","messages":[{"` + a.DataURI() + `":1}]}`)
	name.Attachments = []*identity.Attachment{a}
	d, err = identity.OpenAI().Identify(name, identity.Call{})
	require.NoError(t, err)
	require.Nil(t, d.Splices())
}

func TestHandleSaysWhatItHolds(t *testing.T) {
	a := identity.Bytes([]byte("\x89PNG\r\n\x1a\nrest"))
	require.Equal(t, "image/png", a.MediaType())
	require.Equal(t, int64(12), a.Size())
	require.Regexp(t, `^sha256:[0-9a-f]{64}$`, a.Digest())
	require.Equal(t, "text/plain;charset=utf-8", identity.Bytes([]byte("hello")).MediaType(), "no blank in a URI")
	b, err := a.As("image/x-own")
	require.NoError(t, err)
	require.Equal(t, "image/x-own", b.MediaType())
	require.Equal(t, a.Digest(), b.Digest())
	require.NotEqual(t, a.DataURI(), b.DataURI())
	for _, bad := range []string{"a,b", `a"b`, "a\nb", `a\b`, "\xff", strings.Repeat("x", 256)} {
		_, err := a.As(bad)
		require.ErrorContains(t, err, "application/pdf", "%q", bad)
	}
	for _, text := range []string{a.DataURI(), a.Base64(), a.Raw()} {
		require.Len(t, text, 120)
		require.True(t, strings.HasPrefix(text, "llmidem-attachment:"))
		_, err := base64.StdEncoding.DecodeString(text)
		require.Error(t, err, "no provider takes it for content")
	}
	var zero identity.Attachment
	require.Equal(t, identity.Bytes(nil).Digest(), zero.Digest())
	require.Empty(t, zero.DataURI()+zero.MediaType())
	_, err = identity.OpenAI().Identify(heldChat(`"`+a.DataURI()+`"`, &zero), identity.Call{})
	require.Error(t, err)
	_, err = identity.Reader(nil, 0)
	require.Error(t, err)
	_, err = identity.Reader(bytes.NewReader(nil), -1)
	require.Error(t, err)
	_, err = identity.Reader(strings.NewReader("abc"), 4)
	require.ErrorIs(t, err, io.ErrUnexpectedEOF)
	var own *identity.AttachmentError
	require.ErrorAs(t, err, &own)
}

// What is not the content that was hashed is noticed before its last byte is out.
func TestMemoryThatChangesFailsTheSend(t *testing.T) {
	for _, n := range []int{1, 2, 3, 1000, 96 << 10, 96<<10 + 1, 500_000} {
		b := bytes.Repeat([]byte{'a'}, n)
		a := identity.Bytes(b)
		d, err := identity.OpenAI().Identify(heldChat(`"`+a.DataURI()+`"`, a), identity.Call{})
		require.NoError(t, err)
		body := []byte(message(`"` + a.DataURI() + `"`))
		b[n/2]++
		r, err := d.Splices().Open(context.Background(), bytes.NewReader(body), int64(len(body)))
		require.NoError(t, err)
		out, err := io.ReadAll(r)
		require.ErrorIs(t, err, identity.ErrChanged)
		require.Less(t, int64(len(out)), d.Splices().Size(int64(len(body)))-4)
		_, err = r.Read(make([]byte, 10))
		require.ErrorIs(t, err, identity.ErrChanged)
	}
}

func TestManyPlaceholdersInOneRequest(t *testing.T) {
	var texts, inline []string
	var all []*identity.Attachment
	for i := range 200 {
		raw := random(i * 997)
		a := identity.Bytes(raw)
		all = append(all, a)
		texts = append(texts, fmt.Sprintf(`{"image_url":{"url":"%s"}}`, a.DataURI()))
		inline = append(inline, fmt.Sprintf(`{"image_url":{"url":"data:%s;base64,%s"}}`, a.MediaType(), base64.StdEncoding.EncodeToString(raw)))
	}
	req := heldChat("["+strings.Join(texts, ",")+"]", all...)
	d, err := identity.OpenAI().Identify(req, identity.Call{})
	require.NoError(t, err)
	want := message("[" + strings.Join(inline, ",") + "]")
	require.Equal(t, keyOf(t, want), keyFor(t, identity.OpenAI(), req, identity.Call{}))
	require.True(t, want == string(wire(t, d, req.Body)))
}
