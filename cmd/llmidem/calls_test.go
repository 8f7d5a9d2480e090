package main

import (
	"bufio"
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// answers splits the output of key --calls.
func answers(t testing.TB, r result) (list []answer) {
	for line := range strings.Lines(r.out) {
		var a answer
		d := json.NewDecoder(strings.NewReader(line))
		d.DisallowUnknownFields()
		require.NoError(t, d.Decode(&a))
		list = append(list, a)
	}
	return list
}

func TestCallsGiveTheVectors(t *testing.T) {
	var in strings.Builder
	list := loadVectors(t)
	for _, v := range list {
		in.WriteString(v.line + "\n")
	}
	r := llmidem(in.String(), "key", "--calls")
	require.Equal(t, 0, r.status, r.err)
	require.Empty(t, r.err)
	got := answers(t, r)
	require.Len(t, got, len(list))
	for i, v := range list {
		require.Equal(t, v.want(t), got[i], v.Name)
	}
	path := file(t, "calls.jsonl", strings.TrimSuffix(in.String(), "\n")) // the last line without its end
	require.Equal(t, r, llmidem("", "key", "--calls", path))
}

func TestCallsAnswerLineByLine(t *testing.T) {
	in, feed := io.Pipe()
	drain, out := io.Pipe()
	done := make(chan int)
	go func() {
		var errs bytes.Buffer
		status := run([]string{"key", "--calls"}, in, out, &errs)
		out.Close()
		done <- status
	}()
	lines := bufio.NewReader(drain)
	for i := range 3 {
		// The next call is written only after the answer to this one was read.
		_, err := fmt.Fprintf(feed, `{"profile":"payload","body":"%d"}`+"\n", i)
		require.NoError(t, err)
		line, err := lines.ReadString('\n')
		require.NoError(t, err)
		require.Contains(t, line, fmt.Sprintf(`{"canonical":"%d"`, i))
	}
	require.NoError(t, feed.Close())
	require.Equal(t, 0, <-done)
}

func TestCallsTakeLongLines(t *testing.T) {
	long := strings.Repeat("x", 9<<20)
	r := llmidem(`{"profile":"payload","body":"[\"`+long+`\"]"}`+"\n", "key", "--calls")
	require.Equal(t, 0, r.status, r.err)
	require.Equal(t, `["`+long+`"]`, answers(t, r)[0].Canonical)
}

// TestRefusedCalls has lone surrogates wherever a call has text.
func TestRefusedCalls(t *testing.T) {
	const chat = `"profile":"openai","route":"/v1/chat/completions"`
	for line, want := range map[string]string{
		`{"profile":"payload","body":"\"\ud800\""}`:                                                                  "lone_surrogate",
		`{"profile":"payload","body":"\"\\ud800\""}`:                                                                 "lone_surrogate",
		`{"profile":"payload","body":"\"\\ud83d\ude00\""}`:                                                           "lone_surrogate",
		`{"profile":"payload","body":"\"\ud83d\\ude00\""}`:                                                           "lone_surrogate",
		`{"profile":"payload","body":"{\"\udfff\":1}"}`:                                                              "lone_surrogate",
		`{"profile":"payload","body":"\ud800"}`:                                                                      "invalid_json",
		`{"profile":"payload","body":"\"\\\ud800\""}`:                                                                "invalid_json",
		`{"profile":"payload","body":"\"\\\\\ud800\""}`:                                                              "lone_surrogate",
		`{"profile":"payload","body":"1","options":{"prefix":"\ud800_"}}`:                                            "invalid_utf8",
		`{"profile":"payload","body_base64":"Iv8i"}`:                                                                 "invalid_utf8",
		`{"profile":"do","route":"\ud800","body":"1"}`:                                                               "invalid_utf8",
		`{"profile":"do","route":"f","body":"1","options":{"user":"\udc00"}}`:                                        "invalid_utf8",
		`{` + chat + `,"body":"{\"model\":\"m\"}","options":{"scope":"a\ud800b"}}`:                                   "invalid_utf8",
		`{` + chat + `,"body":"{\"model\":\"m\"}","headers":{"openai-beta":["a","\ud800"]}}`:                         "invalid_utf8",
		`{` + chat + `,"body":[{"name":"model","text":"m"},{"name":"\ud800","text":""}]}`:                            "invalid_utf8",
		`{` + chat + `,"body":[{"name":"model","text":"\ud800"}]}`:                                                   "invalid_utf8",
		`{` + chat + `,"body":[{"name":"model","text":"m"},{"name":"f","filename":"","base64":"","type":"\ud800"}]}`: "invalid_utf8",
	} {
		require.Equal(t, result{0, `{"refused":"` + want + `"}` + "\n", ""}, llmidem(line, "key", "--calls"), line)
	}
}

func TestCallsThatDoNotCountAreNotRefused(t *testing.T) {
	for line, want := range map[string]string{
		// a surrogate where the specification has nothing to read
		`{"profile":"do","route":"f","body":"1","headers":{"openai-beta":"\ud800"},"x":"\ud800"}`:                                                         `"operation":"do:f"`,
		`{"profile":"openai","route":"/v1/chat/completions","body":"{\"model\":\"m\"}","headers":{"accept":"\ud800"}}`:                                    `"headers":{}`,
		`{"profile":"openai","route":"/v1/chat/completions","body":[{"name":"model","text":"m"},{"name":"f","filename":"\ud800.PNG","base64":""}]}`:       `"f@0":"png"`,
		`{"profile":"payload","body":"1","options":{"exclude":["\ud800"]}}`:                                                                               `1`,
		`{"profile":"payload","body":"\"\ud83d\ude00\""}`:                                                                                                 `"😀"`,
		`{"profile":"payload","body":"\"\ufffd\""}`:                                                                                                       "\"\ufffd\"",
		`{"profile":"openai","route":"/v1/chat/completions","body":"{\"model\":\"m\"}","headers":{"Openai-Beta":"x"}}`:                                    `"headers":{}`, // names are in lower case
		`{"profile":"openai","route":"/v1/chat/completions","body":"{\"model\":\"m\"}","headers":{"content-type":"multipart/form-data; boundary=\"x\""}}`: `"model":"m"`,  // the body is what it is
		`{"profile":"do","route":"f","body":"1","headers":null,"options":null}`:                                                                           `"occurrence":0`,
		`{"profile":"do","route":"f","body":"1","options":{"occurrence":-0,"exclude":null}}`:                                                              `"occurrence":0`,
		`{"profile":"do","route":"f","body":"1","options":{"occurrence":9223372036854775807}}`:                                                            `"occurrence":9223372036854775807`,
	} {
		r := llmidem(line, "key", "--calls")
		require.Equal(t, 0, r.status, "%s: %s", line, r.err)
		require.Contains(t, answers(t, r)[0].Canonical, want, line)
	}
}

func TestLinesThatAreNoCalls(t *testing.T) {
	const ok = `{"profile":"payload","body":"1"}` + "\n"
	for line, want := range map[string]string{
		`nonsense`:                                    "byte 34: line 2 is no call: it is not JSON",
		`{"profile":"payload","body":1`:               "it is not JSON",
		`[1]`:                                         "it is no JSON object",
		`{}`:                                          "there is no profile",
		`null`:                                        "there is no profile",
		"{\"profile\":\"\xff\"}":                      "the line is not UTF-8",
		`{"profile":1}`:                               "profile is no text",
		`{"profile":"acme","body":"1"}`:               "profile is none of payload, do, openai, anthropic, gemini, ollama",
		`{"profile":"do","body":"1"}`:                 "there is no route",
		`{"profile":"openai"}`:                        "there is no route",
		`{"profile":"payload"}`:                       "there is no body",
		`{"profile":"payload","body":1}`:              "body is no text",
		`{"profile":"payload","body_base64":1}`:       "body_base64 is no text",
		`{"profile":"payload","body_base64":"@"}`:     "body_base64 is not base64",
		`{"profile":"payload","body":[]}`:             "body is a form, which a payload call has not",
		`{"profile":"do","route":"f","body":[]}`:      "body is a form, which a do call has not",
		`{"profile":"ollama","route":"","body":[1]}`:  "body is a list that is not of parts",
		`{"profile":"ollama","route":"","body":[{}]}`: "part 1 of the form: there is no name",
		`{"profile":"ollama","route":"","body":[{"name":"a"}]}`:                                                  "part 1 of the form: there is no text",
		`{"profile":"ollama","route":"","body":[{"name":"a","filename":1}]}`:                                     "part 1 of the form: filename is no text",
		`{"profile":"ollama","route":"","body":[{"name":"a","filename":""}]}`:                                    "part 1 of the form: there is no base64",
		`{"profile":"ollama","route":"","body":[{"name":"a","filename":"","base64":"@"}]}`:                       "part 1 of the form: base64 is not base64",
		`{"profile":"ollama","route":"","body":[{"name":"a","filename":"","base64":"","type":1}]}`:               "part 1 of the form: type is no text",
		`{"profile":"ollama","route":"","body":[{"name":"a","filename":"","base64":"","type":"a/b\r\nX-Y: z"}]}`: "part 1 of the form: no header line has this type",
		`{"profile":"payload","body":"1","headers":[]}`:                                                          "headers is no object",
		`{"profile":"payload","body":"1","headers":{"a":1}}`:                                                     `headers: the value at "a" is neither a line nor a list of lines`,
		`{"profile":"payload","body":"1","headers":{"a":[1]}}`:                                                   `headers: the value at "a" is neither a line nor a list of lines`,
		`{"profile":"payload","body":"1","headers":{"a":null}}`:                                                  `headers: the value at "a" is neither a line nor a list of lines`,
		`{"profile":"payload","body":"1","options":[]}`:                                                          "options is no object",
		`{"profile":"payload","body":"1","options":{"user":1}}`:                                                  "user is no text",
		`{"profile":"payload","body":"1","options":{"occurrence":-1}}`:                                           "occurrence is no integer from 0 to 2^63-1",
		`{"profile":"payload","body":"1","options":{"occurrence":1.0}}`:                                          "occurrence is no integer from 0 to 2^63-1",
		`{"profile":"payload","body":"1","options":{"occurrence":9223372036854775808}}`:                          "occurrence is no integer from 0 to 2^63-1",
		`{"profile":"payload","body":"1","options":{"exclude":"a"}}`:                                             "exclude is no list of texts",
		`{"profile":"payload","body":"1","options":{"exclude":[1]}}`:                                             "exclude is no list of texts",
		`{"profile":"payload","body":"1","options":{"namespace":"x"}}`:                                           "namespace is not a UUID",
		`{"profile":"payload","body":"1","options":{"secret":"x"}}`:                                              "secret is not hexadecimal",
		"": "the line is empty",
	} {
		r := llmidem(ok+line+"\n"+ok, "key", "--calls")
		require.Equal(t, 2, r.status, line)
		require.Len(t, answers(t, r), 1, "the call before it has its answer")
		require.True(t, strings.HasPrefix(r.err, "llmidem: standard input: byte "), r.err)
		require.Contains(t, r.err, "line 2 is no call: ")
		require.True(t, strings.HasSuffix(r.err, want+"\n"), "%s: %s", line, r.err)
	}
	r := llmidem(ok+"\n\r\n", "key", "--calls") // empty lines at the end are nobody's
	require.Equal(t, 0, r.status, r.err)
	require.Len(t, answers(t, r), 1)
}

// TestCallsHaveTheReferencesKeys has options that the library's schemes do not take.
func TestCallsHaveTheReferencesKeys(t *testing.T) {
	r := llmidem(`{"profile":"payload","body":"1","options":{"prefix":"É-","secret":"00ff","namespace":"00000000-0000-0000-0000-000000000000"}}`, "key", "--calls")
	sum := sha256.Sum256([]byte("1"))
	m := hmac.New(sha256.New, []byte{0, 0xff})
	m.Write([]byte("1"))
	require.Equal(t, []answer{{
		Canonical: "1", SHA256: "É-" + hex.EncodeToString(sum[:]), HMAC: "É-" + hex.EncodeToString(m.Sum(nil)),
		UUID5: "11116e73-1c03-5de6-9130-5f9925ae8ab4",
	}}, answers(t, r))
}
