package identity_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"

	"github.com/llmidem/llmidem-go/llmidem/identity"
)

func chatRequest(body string) identity.Request {
	return identity.Request{Path: "/v1/chat/completions", Header: http.Header{}, Body: []byte(body)}
}

func ExampleRules_Identify() {
	d, err := identity.OpenAI().Identify(chatRequest(
		`{"temperature":0.70, "messages":[{"role":"user","content":"\u0048ello"}], "model":"gpt-4o-mini"}`,
	), identity.Call{User: "u-42"})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(d.Operation(), d.Model(), d.User(), string(d.Param("temperature")))
	fmt.Println(string(d.Canonical()))
	// Output:
	// chat gpt-4o-mini u-42 0.7
	// {"attachments":[],"headers":{},"model":"gpt-4o-mini","occurrence":0,"operation":"chat","params":{"temperature":0.7},"prompt":"sha256:ebd51c78a443a93c27a9cad55a0276650fc6cc9c7190e9232f63e9905594d2da","scope":"","user":"u-42","v":1}
}

func ExampleRules_Key() {
	rules := identity.OpenAI()
	scheme := identity.SHA256("idem_")
	a, _ := rules.Key(chatRequest(`{"model":"gpt-4o-mini","messages":[{"role":"user","content":"Hello"}],"temperature":0.7}`), identity.Call{}, scheme)
	b, _ := rules.Key(chatRequest(`{"temperature":7e-1,"messages":[{"content":"Hello","role":"user"}],"model":"gpt-4o-mini"}`), identity.Call{}, scheme)
	fmt.Println(a)
	fmt.Println(a == b)

	_, err := rules.Key(chatRequest(`{"model":"gpt-4o-mini","messages":[{"role":"user","role":"user"}]}`), identity.Call{}, scheme)
	var refused *identity.Refusal
	fmt.Println(errors.As(err, &refused), err)
	// Output:
	// idem_eaa2236d14ca0114fdf6ec964c013691087f53739a99270d8a72976381d63a7c
	// true
	// true identity: duplicate_member: this value's member name was there before at byte 57 (in "/messages/0/role")
}

func ExampleFunction() {
	d, _ := identity.Function("getWeather", []byte(`{"city": "Paris"}`), identity.Call{Scope: "run-1", Occurrence: 3})
	k, _ := identity.SHA256("idem_").Key(d)
	fmt.Println(d.Operation(), d.Scope(), d.Occurrence())
	fmt.Println(k)
	// Output:
	// do:getWeather run-1 3
	// idem_10a6fcd54e4fcd5101e59e99c689367e1feba269372a0b9311ff5ab0ec9fa4aa
}

func ExamplePayload() {
	d, _ := identity.Payload([]byte(`{"b": 2.0, "a": 1, "request_id": "r-7"}`))
	all, _ := identity.Payload([]byte(`{"b": 2.0, "a": 1, "request_id": "r-7"}`), []string{}...)
	fmt.Println(string(d.Canonical()), d.Bare())
	fmt.Println(string(all.Canonical()))
	// Output:
	// {"a":1,"b":2} true
	// {"a":1,"b":2,"request_id":"r-7"}
}

func ExampleParseKey() {
	k, err := identity.ParseKey("509edaaa-8999-52d4-b3bf-11ab4b829408")
	fmt.Println(k, k.LogString(), err)
	same, _ := identity.ParseKey(k.LogString())
	fmt.Println(same == k)
	_, err = identity.ParseKey("Idem_43258cff")
	fmt.Println(err)
	// Output:
	// 509edaaa-8999-52d4-b3bf-11ab4b829408 idem_509edaaa-8999-52d4-b3bf-11ab4b829408 <nil>
	// true
	// identity: bad key (prefix): a prefix is lower-case letters and digits and one _ at its end at byte 0
}

func ExampleDocument_Explain() {
	d, _ := identity.OpenAI().Identify(chatRequest(`{"model":"gpt-4o","request_id":"r-7","seed":7,"messages":[
		{"role":"user","content":[{"type":"image_url","image_url":{"url":"data:image/png;base64,b25l"}}]}]}`),
		identity.Call{Detail: true})
	e := d.Explain()
	for _, m := range e.Members {
		fmt.Printf("%s %.15s %d bytes\n", m.Pointer, m.Digest, m.Size)
	}
	for _, a := range e.Attachments {
		fmt.Println(a.Pointer, a.Digest[:15], a.MediaType, a.Size)
	}
	fmt.Println("seed is", e.Members[0].Value)
	fmt.Println("excluded:", e.Excluded)
	// Output:
	// /params/seed sha256:7902699b 1 bytes
	// /prompt sha256:23a61815 86 bytes
	// /prompt/messages sha256:49a715af 73 bytes
	// /prompt/messages/0 sha256:d5940c9a 71 bytes
	// /messages/0/content/0/image_url/url sha256:7692c3ad image/png 3
	// seed is 7
	// excluded: [/request_id]
}

func ExampleDiff() {
	rules := identity.OpenAI()
	a, _ := rules.Identify(chatRequest(`{"model":"gpt-4o","seed":7,"messages":[{"role":"system","content":"Be brief."},{"role":"user","content":"Hello"}]}`),
		identity.Call{Detail: true})
	b, _ := rules.Identify(chatRequest(`{"model":"gpt-4o","seed":8,"messages":[{"role":"system","content":"Be brief."},{"role":"user","content":"Hello!"}]}`),
		identity.Call{Detail: true})
	for _, d := range identity.Diff(a, b) {
		fmt.Printf("%s: %.15s, %.15s\n", d.Pointer, d.A, d.B)
	}
	// Output:
	// /params/seed: 7, 8
	// /prompt/messages/1: sha256:44726a03, sha256:af564492
}

// A file stands in the request as a short placeholder. The key is that of the same
// request with the content inline.
func ExampleFile() {
	path := filepath.Join(os.TempDir(), "llmidem-example.pdf")
	if err := os.WriteFile(path, []byte("%PDF-1.7 ..."), 0o600); err != nil {
		panic(err)
	}
	defer os.Remove(path)
	a, err := identity.File(path)
	if err != nil {
		panic(err)
	}
	body := func(data string) []byte {
		return []byte(`{"model":"gpt-5","input":[{"role":"user","content":[{"type":"input_file","file_data":"` + data + `"}]}]}`)
	}
	rules := identity.OpenAI()
	held := identity.Request{Path: "/v1/responses", Body: body(a.DataURI()), Attachments: []*identity.Attachment{a}}
	d, err := rules.Identify(held, identity.Call{})
	if err != nil {
		panic(err)
	}
	inline := identity.Request{Path: "/v1/responses", Body: body("data:application/pdf;base64,JVBERi0xLjcgLi4u")}
	same, err := rules.Identify(inline, identity.Call{})
	if err != nil {
		panic(err)
	}
	fmt.Println(bytes.Equal(d.Canonical(), same.Canonical()))

	r, err := d.Splices().Open(context.Background(), bytes.NewReader(held.Body), int64(len(held.Body)))
	if err != nil {
		panic(err)
	}
	defer r.Close()
	wire, err := io.ReadAll(r)
	fmt.Println(bytes.Equal(wire, inline.Body), err)
	// Output:
	// true
	// true <nil>
}
