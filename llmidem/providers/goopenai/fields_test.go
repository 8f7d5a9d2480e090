package goopenai_test

import (
	"encoding/json"
	"io"
	"net/url"
	"reflect"
	"slices"
	"strings"
	"testing"

	openai "github.com/sashabaranov/go-openai"
	"github.com/stretchr/testify/require"

	"github.com/llmidem/llmidem-go/llmidem/identity"
)

// fieldSamples are values for fields that a sample of their type does not fit.
func fieldSamples() map[string]any {
	return map[string]any{
		"ChatCompletionRequest.Messages": []openai.ChatCompletionMessage{{Role: "user", Content: "sample"}},
		"AudioRequest.FilePath":          "sample.wav",
		"AudioRequest.Temperature":       float32(0.5),
		"ModerationRequest.Model":        openai.ModerationTextStable,
		"ImageEditRequest.Image":         openai.WrapReader(strings.NewReader("sample"), "a.png", "image/png"),
		"ImageEditRequest.Mask":          openai.WrapReader(strings.NewReader("sample"), "a.png", "image/png"),
		"ImageVariRequest.Image":         openai.WrapReader(strings.NewReader("sample"), "a.png", "image/png"),
	}
}

// document sends a request and returns the members of its identity document, nil
// where go-openai itself refuses it.
func document(t *testing.T, method string, request any) map[string]json.RawMessage {
	t.Helper()
	p := newPair(t)
	if r := call(t, p.ours, method, request); r.Err != nil && r.Err != io.EOF {
		require.Empty(t, p.service.take(), "%s: %v", method, r.Err)
		return nil
	}
	sent := p.service.take()
	require.Len(t, sent, 1)
	u, err := url.Parse(sent[0].URL)
	require.NoError(t, err)
	doc, err := identity.OpenAI().Identify(identity.Request{Path: u.EscapedPath(), Header: sent[0].Header, Body: []byte(sent[0].Body)}, identity.Call{})
	require.NoError(t, err)
	key, err := identity.SHA256("idem_").Key(doc)
	require.NoError(t, err)
	require.Equal(t, key.String(), sent[0].Header.Get("Idempotency-Key"), "the key that went out")
	var members map[string]json.RawMessage
	require.NoError(t, json.Unmarshal(doc.Canonical(), &members))
	return members
}

// Every field of a request counts for its identity, and where, or is known not to
// be sent. Two requests that differ in one field are the same call only then.
func TestSurface_Fields(t *testing.T) {
	found := map[string]string{}
	parts := map[reflect.Type]bool{}
	for method := range requests() {
		of := reflect.TypeOf(requests()[method])
		if strings.HasSuffix(method, "Stream") || method == "CreateTranslation" {
			continue // another method has this type of request
		}
		base := document(t, method, requests()[method])
		for _, field := range reflect.VisibleFields(of) {
			if !field.IsExported() || field.Anonymous {
				continue
			}
			name := of.Name() + "." + field.Name
			changed := reflect.New(of).Elem()
			changed.Set(reflect.ValueOf(requests()[method]))
			value := sample(t, field.Type, 0)
			if own, ok := fieldSamples()[name]; ok {
				value.Set(reflect.ValueOf(own))
			}
			changed.FieldByIndex(field.Index).Set(value)
			found["field "+name] = difference(base, document(t, method, changed.Interface()))
			collect(field.Type, parts)
		}
	}
	compare(t, "field", found)
	compareParts(t, parts)
}

// difference names the members of an identity document that differ.
func difference(a, b map[string]json.RawMessage) string {
	if b == nil {
		return "refused"
	}
	var names []string
	for name := range a {
		if string(a[name]) != string(b[name]) {
			names = append(names, name)
		}
	}
	if len(names) == 0 {
		return "unsent"
	}
	slices.Sort(names)
	return strings.Join(names, "+")
}

// collect adds the types of go-openai that a type is made of.
func collect(of reflect.Type, into map[reflect.Type]bool) {
	switch of.Kind() {
	case reflect.Pointer, reflect.Slice, reflect.Map:
		collect(of.Elem(), into)
	case reflect.Struct:
		if into[of] || !strings.Contains(of.PkgPath(), "go-openai") {
			return
		}
		into[of] = true
		for i := range of.NumField() {
			collect(of.Field(i).Type, into)
		}
	}
}

// compareParts looks whether the fields of what requests are made of are sent. All
// that is sent inside a field counts as the field does.
func compareParts(t *testing.T, parts map[reflect.Type]bool) {
	found := map[string]string{}
	for of := range parts {
		empty := asJSON(t, reflect.New(of).Interface())
		for _, field := range reflect.VisibleFields(of) {
			if !field.IsExported() || field.Anonymous {
				continue
			}
			v := reflect.New(of)
			v.Elem().FieldByIndex(field.Index).Set(sample(t, field.Type, 1))
			found["part "+of.Name()+"."+field.Name] = "counts"
			if asJSON(t, v.Interface()) == empty {
				found["part "+of.Name()+"."+field.Name] = "unsent"
			}
		}
	}
	compare(t, "part", found)
}

// Embeddings are asked for by three types with the same fields, which make one call.
func TestSurface_EmbeddingConverters(t *testing.T) {
	fields := func(of reflect.Type) (names []string) {
		for _, f := range reflect.VisibleFields(of) {
			names = append(names, f.Name)
		}
		slices.Sort(names)
		return names
	}
	want := fields(reflect.TypeFor[openai.EmbeddingRequest]())
	require.Equal(t, want, fields(reflect.TypeFor[openai.EmbeddingRequestStrings]()))
	require.Equal(t, want, fields(reflect.TypeFor[openai.EmbeddingRequestTokens]()))
	for _, same := range [][2]any{
		{openai.EmbeddingRequest{Model: "m", User: "u", Input: []string{"a"}}, openai.EmbeddingRequestStrings{Model: "m", User: "u", Input: []string{"a"}}},
		{openai.EmbeddingRequest{Model: "m", User: "u", Input: [][]int{{1}}}, openai.EmbeddingRequestTokens{Model: "m", User: "u", Input: [][]int{{1}}}},
	} {
		p := newPair(t)
		call(t, p.ours, "CreateEmbeddings", same[0])
		require.Equal(t, "cache", call(t, p.ours, "CreateEmbeddings", same[1]).Header.Get("Llmidem-Source"))
		require.Len(t, p.service.take(), 1)
	}
}
