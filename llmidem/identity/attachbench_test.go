package identity_test

import (
	"crypto/sha256"
	"encoding/json"
	"io"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/llmidem/llmidem-go/llmidem/identity"
)

// ratio measures two functions in turns and returns best of one over best of other.
func ratio(f, g func(), turns int) float64 {
	a, b := time.Duration(1<<62), time.Duration(1<<62)
	for range turns {
		a, b = min(a, slice(f)), min(b, slice(g))
	}
	return float64(a) / float64(b)
}

// BenchmarkFileHash makes a handle of a file in the page cache, against SHA-256 of
// the same bytes in memory.
func BenchmarkFileHash(b *testing.B) {
	content := random(100 << 20)
	path := write(b, content)
	hash := func() {
		if _, err := identity.File(path); err != nil {
			b.Fatal(err)
		}
	}
	b.SetBytes(int64(len(content)))
	b.ReportAllocs()
	for b.Loop() {
		hash()
	}
	b.ReportMetric(ratio(func() { sha256.Sum256(content) }, hash, 15), "×sha256-speed")
}

// BenchmarkSecondTurn makes the key of a conversation with a file that was hashed
// before, against that of its text alone.
func BenchmarkSecondTurn(b *testing.B) {
	path := write(b, random(10<<20))
	past := time.Now().Add(-time.Hour)
	if err := os.Chtimes(path, past, past); err != nil {
		b.Fatal(err)
	}
	time.Sleep(2100 * time.Millisecond) // so that its times show every change
	a := fileOf(b, path)
	turns := strings.Repeat(`{"role":"user","content":"`+strings.Repeat(words, 20)+`"},`, 20)
	build := func(part string) []byte {
		return []byte(`{"model":"m","messages":[` + turns + `{"role":"user","content":[{"type":"text","text":"And this?"}` + part + `]}]}`)
	}
	rules := identity.OpenAI()
	key := func(req identity.Request) func() {
		return func() {
			if _, err := rules.Key(req, identity.Call{}, identity.Scheme{}); err != nil {
				b.Fatal(err)
			}
		}
	}
	held := key(identity.Request{Path: "/chat/completions", Attachments: []*identity.Attachment{a},
		Body: build(`,{"type":"image_url","image_url":{"url":"` + a.DataURI() + `"}}`)})
	text := key(identity.Request{Path: "/chat/completions", Body: build("")})
	b.ReportAllocs()
	for b.Loop() {
		held()
	}
	b.ReportMetric(ratio(held, text, 200), "×text-alone")
}

// BenchmarkSplice makes the body of a request with a file of 10 MiB, against what a
// client does with the content inline: base64 and one marshal.
func BenchmarkSplice(b *testing.B) {
	content := random(10 << 20)
	s := identified(b, fileOf(b, write(b, content)))
	send := func() {
		r, err := s.open()
		if err != nil {
			b.Fatal(err)
		}
		if _, err := io.Copy(io.Discard, struct{ io.Reader }{r}); err != nil {
			b.Fatal(err)
		}
		r.Close()
	}
	marshal := func() {
		if _, err := json.Marshal(content); err != nil {
			b.Fatal(err)
		}
	}
	b.SetBytes(int64(len(content)))
	b.ReportAllocs()
	for b.Loop() {
		send()
	}
	b.ReportMetric(ratio(send, marshal, 15), "×marshal")
}
