package identity_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/big"
	"slices"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// The plain way to an identity document: a tree, maps and a second marshal. It is
// slow, short, and what the scanner is checked against.

type plain struct {
	places []identityPlace
	found  []map[string]any
}

type identityPlace struct{ parent, member string }

var errRefused = errors.New("refused")

// plainRead returns the tree of one JSON text, with json.Number for numbers.
func plainRead(body []byte) (any, error) {
	if !utf8.Valid(body) || !json.Valid(body) || plainSurrogate(body) {
		return nil, errRefused
	}
	d := json.NewDecoder(bytes.NewReader(body))
	d.UseNumber()
	v, err := plainValue(d, 0)
	if err != nil {
		return nil, err
	}
	if _, err := d.Token(); err != io.EOF {
		return nil, errRefused
	}
	return v, nil
}

func plainValue(d *json.Decoder, depth int) (any, error) {
	t, err := d.Token()
	if err != nil {
		return nil, errRefused
	}
	switch t := t.(type) {
	case json.Delim:
		if depth == 512 {
			return nil, errRefused
		}
		if t == '[' {
			return plainArray(d, depth+1)
		}
		return plainObject(d, depth+1)
	case json.Number:
		if _, err := plainNumber(string(t)); err != nil {
			return nil, err
		}
	}
	return t, nil
}

func plainArray(d *json.Decoder, depth int) (any, error) {
	list := []any{}
	for d.More() {
		v, err := plainValue(d, depth)
		if err != nil {
			return nil, err
		}
		list = append(list, v)
	}
	_, err := d.Token()
	return list, err
}

func plainObject(d *json.Decoder, depth int) (any, error) {
	m := map[string]any{}
	for d.More() {
		name, err := d.Token()
		if err != nil {
			return nil, errRefused
		}
		if _, twice := m[name.(string)]; twice {
			return nil, errRefused
		}
		if m[name.(string)], err = plainValue(d, depth); err != nil {
			return nil, err
		}
	}
	_, err := d.Token()
	return m, err
}

// plainSurrogate looks for halves of pairs, which encoding/json replaces.
func plainSurrogate(body []byte) bool {
	for i := 0; i < len(body); i++ {
		if body[i] != '\\' {
			continue
		}
		i++
		if body[i] != 'u' {
			continue
		}
		u, _ := strconv.ParseUint(string(body[i+1:i+5]), 16, 16)
		i += 4
		if !utf16.IsSurrogate(rune(u)) {
			continue
		}
		if i+6 >= len(body) || body[i+1] != '\\' || body[i+2] != 'u' {
			return true
		}
		v, _ := strconv.ParseUint(string(body[i+3:i+7]), 16, 16)
		if utf16.DecodeRune(rune(u), rune(v)) == utf8.RuneError {
			return true
		}
		i += 6
	}
	return false
}

func plainNumber(lit string) (string, error) {
	if n, ok := new(big.Int).SetString(lit, 10); ok {
		return n.String(), nil
	}
	f, err := strconv.ParseFloat(lit, 64)
	if err != nil {
		return "", errRefused
	}
	b, _ := json.Marshal(f) // ECMAScript's format, but for negative zero
	s := string(b)
	if s == "-0" {
		s = "0"
	}
	return s, nil
}

// plainWrite is RFC 8785.
func plainWrite(b *strings.Builder, v any) {
	switch v := v.(type) {
	case json.Number:
		s, _ := plainNumber(string(v))
		b.WriteString(s)
	case string:
		plainString(b, v)
	case []any:
		b.WriteByte('[')
		for i, x := range v {
			if i > 0 {
				b.WriteByte(',')
			}
			plainWrite(b, x)
		}
		b.WriteByte(']')
	case map[string]any:
		b.WriteByte('{')
		for i, name := range plainNames(v) {
			if i > 0 {
				b.WriteByte(',')
			}
			plainString(b, name)
			b.WriteByte(':')
			plainWrite(b, v[name])
		}
		b.WriteByte('}')
	case nil:
		b.WriteString("null")
	default:
		fmt.Fprint(b, v)
	}
}

func plainNames(m map[string]any) (names []string) {
	for name := range m {
		names = append(names, name)
	}
	slices.SortFunc(names, func(a, b string) int {
		return slices.Compare(utf16.Encode([]rune(a)), utf16.Encode([]rune(b)))
	})
	return names
}

func plainString(b *strings.Builder, s string) {
	b.WriteByte('"')
	for _, r := range s {
		if i := strings.IndexRune("\b\t\n\f\r\"\\", r); i >= 0 {
			b.WriteByte('\\')
			b.WriteByte("btnfr\"\\"[i])
		} else if r < 0x20 {
			fmt.Fprintf(b, "\\u%04x", r)
		} else {
			b.WriteRune(r)
		}
	}
	b.WriteByte('"')
}

func plainBase64(s string) ([]byte, bool) {
	raw, err := base64.StdEncoding.DecodeString(s)
	return raw, err == nil && base64.StdEncoding.EncodeToString(raw) == s
}

func (p *plain) attach(raw []byte, encoding, media, pointer string) string {
	sum := sha256.Sum256(raw)
	p.found = append(p.found, map[string]any{
		"digest": "sha256:" + hex.EncodeToString(sum[:]), "encoding": encoding, "media_type": media,
		"pointer": pointer, "size": json.Number(strconv.Itoa(len(raw))),
	})
	return ""
}

// lift takes the attachments out of a prompt.
func (p *plain) lift(v any, pointer, parent, member string) any {
	switch v := v.(type) {
	case string:
		head, payload, _ := strings.Cut(v, ",")
		media, ok := strings.CutPrefix(head, "data:")
		media, is := strings.CutSuffix(media, ";base64")
		if raw, strict := plainBase64(payload); strict && ok && is && len(head) < len(v) && len(media) <= 255 {
			return p.attach(raw, "data-uri", media, pointer)
		}
		for _, at := range p.places {
			raw, strict := plainBase64(v)
			if at.member == member && (at.parent == "*" || at.parent == parent) && strict && len(raw) > 0 {
				return p.attach(raw, "base64", "", pointer)
			}
		}
	case []any:
		for i, x := range v {
			v[i] = p.lift(x, fmt.Sprintf("%s/%d", pointer, i), member, "[]")
		}
	case map[string]any:
		for _, name := range plainNames(v) {
			escaped := strings.NewReplacer("~", "~0", "/", "~1").Replace(name)
			v[name] = p.lift(v[name], pointer+"/"+escaped, member, name)
		}
	}
	return v
}

// plainChat is the document of a call of /chat/completions of the given body.
func plainChat(body []byte) (string, error) {
	v, err := plainRead(body)
	obj, ok := v.(map[string]any)
	if err != nil || !ok {
		return "", errRefused
	}
	for _, name := range []string{"timestamp", "trace_id", "request_id", "retry_count"} {
		delete(obj, name)
	}
	model, _ := obj["model"].(string)
	if model == "" {
		return "", errRefused
	}
	delete(obj, "model")
	user := ""
	for _, name := range []string{"user", "safety_identifier"} {
		if s, _ := obj[name].(string); s != "" && user == "" {
			user = s
			delete(obj, name)
		}
	}
	prompt := map[string]any{}
	if m, ok := obj["messages"]; ok {
		prompt["messages"] = m
		delete(obj, "messages")
	}
	p := plain{places: []identityPlace{{"input_audio", "data"}, {"*", "file_data"}}, found: []map[string]any{}}
	var text, doc strings.Builder
	plainWrite(&text, p.lift(prompt, "", "", ""))
	sum := sha256.Sum256([]byte(text.String()))
	list := []any{}
	for _, a := range p.found {
		list = append(list, a)
	}
	plainWrite(&doc, map[string]any{
		"attachments": list, "headers": map[string]any{}, "model": model, "occurrence": json.Number("0"),
		"operation": "chat", "params": obj, "prompt": "sha256:" + hex.EncodeToString(sum[:]),
		"scope": "", "user": user, "v": json.Number("1"),
	})
	return doc.String(), nil
}
