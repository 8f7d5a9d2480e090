package batch

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"unicode/utf8"

	"github.com/llmidem/llmidem-go/llmidem/identity"
)

// envelope is a line of the input. Its texts are pointers, so that what is missing
// is told from what is empty.
type envelope struct {
	CustomID *string         `json:"custom_id"`
	Method   *string         `json:"method"`
	URL      *string         `json:"url"`
	Body     json.RawMessage `json:"body"`
}

// apiPrefix is what the url of an item begins with. The base URL has its own.
const apiPrefix = "/v1"

// parse reads an item; wrong says, in one sentence without its text, what is wrong
// with it. The item may have parts then.
func parse(text []byte, rules *identity.Rules) (it Item, wrong string) {
	var e envelope
	if !utf8.Valid(text) {
		return it, "it is not UTF-8"
	}
	if err := json.Unmarshal(text, &e); err != nil {
		return it, notJSON(err)
	}
	if e.CustomID == nil || *e.CustomID == "" {
		return it, "custom_id is missing; give each item one of its own"
	}
	it = Item{CustomID: *e.CustomID, Method: http.MethodPost, Body: e.Body}
	switch {
	case e.Method == nil:
		return it, `method is missing; it is "POST"`
	case *e.Method != http.MethodPost:
		return it, `method is not "POST"`
	case e.URL == nil:
		return it, "url is missing; it is one like /v1/chat/completions"
	}
	it.URL = *e.URL
	if m, ok := rules.Match(it.URL); !ok || m.Prefix != apiPrefix {
		return it, "url is not /v1 and a known route, as in /v1/chat/completions, without host, query or dots"
	}
	switch {
	case len(it.Body) == 0:
		return it, "body is missing"
	case it.Body[0] != '{':
		return it, "body is not an object"
	case streams(it.Body):
		return it, "body asks for a stream; the results of a batch are whole answers, so leave stream out"
	}
	return it, ""
}

// notJSON says where a line stops to be JSON. The decoder's own words may hold a
// character of it.
func notJSON(err error) string {
	var syntax *json.SyntaxError
	var kind *json.UnmarshalTypeError
	switch {
	case errors.As(err, &syntax):
		return fmt.Sprintf("it is not JSON (byte %d)", syntax.Offset)
	case errors.As(err, &kind) && kind.Field != "":
		return kind.Field + " is not a string"
	case errors.As(err, &kind):
		return "it is not a JSON object"
	}
	return "it is not JSON"
}

// streams reports whether a body asks for its answer in pieces.
func streams(body []byte) bool {
	if !bytes.Contains(body, []byte(`"stream"`)) {
		return false
	}
	var b struct {
		Stream json.RawMessage `json:"stream"`
	}
	return json.Unmarshal(body, &b) == nil && len(b.Stream) > 0 && string(b.Stream) != "false" && string(b.Stream) != "null"
}

// quickID is what looks like the custom id of a line, if the line begins with it, as
// most do. Where it holds for all lines, they need not be read again in full.
func quickID(text []byte) (id string, ok bool) {
	const name = `"custom_id"`
	rest, ok := bytes.CutPrefix(bytes.TrimLeft(text, " \t"), []byte{'{'})
	rest, named := bytes.CutPrefix(bytes.TrimLeft(rest, " \t"), []byte(name))
	rest, colon := bytes.CutPrefix(bytes.TrimLeft(rest, " \t"), []byte{':'})
	rest, quote := bytes.CutPrefix(bytes.TrimLeft(rest, " \t"), []byte{'"'})
	end := bytes.IndexAny(rest, "\"\\")
	if !ok || !named || !colon || !quote || end <= 0 || rest[end] != '"' || !utf8.Valid(rest[:end]) || bytes.Contains(rest[end:], []byte(name)) {
		return "", false
	}
	return string(rest[:end]), true
}
