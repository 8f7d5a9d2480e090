package identity_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/llmidem/llmidem-go/llmidem/identity"
)

const words = "the quick brown fox jumps over the lazy dog while a model answers what was asked of it "

func chat1K() []byte {
	return []byte(`{"model":"gpt-4o-mini","messages":[{"role":"system","content":"` + strings.Repeat(words, 2) +
		`"},{"role":"user","content":"` + strings.Repeat(words, 8)[:680] + `"}],"temperature":0.7,"stream":true}`)
}

// chat100K has 100 messages with the escapes of usual text: line ends, quotes, and
// now and then a letter that some encoders escape, which has to be rewritten.
func chat100K() []byte {
	var b bytes.Buffer
	b.WriteString(`{"model":"gpt-4o-mini","messages":[`)
	line := words + `\n` + words[:60] + `\"so\" ` + words[:50] + `\n` + words + words[:30]
	for i := range 100 {
		if i > 0 {
			b.WriteByte(',')
		}
		fmt.Fprintf(&b, `{"role":"%s","content":"%s"}`, []string{"user", "assistant"}[i%2], strings.Repeat(line, 3)+`d\u00e9j\u00e0 vu`)
	}
	b.WriteString(`],"temperature":0.7}`)
	return b.Bytes()
}

// escapes100K has an escape every 30 bytes, a third of which must be rewritten.
func escapes100K() []byte {
	line := words[:60] + `\n` + words[:40] + `\"so\" it said,\t` + words[:30] + `\u00e9t\u00e9 `
	return []byte(`{"model":"m","messages":[{"role":"user","content":"` + strings.Repeat(line, 600) + `"}]}`)
}

func random(n int) []byte {
	b := make([]byte, n)
	r := rand.NewChaCha8([32]byte{1})
	r.Read(b)
	return b
}

// images has n data URIs of size bytes of base64 each.
func images(n, size int) []byte {
	var b bytes.Buffer
	b.WriteString(`{"model":"gpt-4o","messages":[{"role":"user","content":[{"type":"text","text":"What is it?"}`)
	for range n {
		b.WriteString(`,{"type":"image_url","image_url":{"url":"data:image/png;base64,`)
		b.WriteString(base64.StdEncoding.EncodeToString(random(size / 4 * 3)))
		b.WriteString(`"}}`)
	}
	b.WriteString(`]}]}`)
	return b.Bytes()
}

func integers() []byte {
	var b bytes.Buffer
	b.WriteString(`{"model":"text-embedding-3-small","input":[[`)
	r := rand.New(rand.NewPCG(1, 2))
	for b.Len() < 35<<10 {
		fmt.Fprintf(&b, "%d,", r.IntN(100000))
	}
	b.WriteString("7]]}")
	return b.Bytes()
}

func cjk(n int) []byte {
	const t = "今日は良い天気ですね。模型回答了问题,한국어 문장도 있다。"
	return []byte(`{"model":"m","messages":[{"role":"user","content":"` + strings.Repeat(t, n/len(t)) + `"}]}`)
}

func nested() []byte {
	var b bytes.Buffer
	b.WriteString(`{"model":"m","messages":[`)
	for range 256 {
		b.WriteString(`{"z":1,"a":`)
	}
	b.WriteString(`"` + strings.Repeat(words, 10<<20/len(words)) + `"`)
	b.WriteString(strings.Repeat("}", 256) + `]}`)
	return b.Bytes()
}

func unsorted(n int) []byte {
	var b bytes.Buffer
	b.WriteString(`{"model":"m","messages":[{"z":0`)
	r := rand.New(rand.NewPCG(1, 2))
	for _, i := range r.Perm(n) {
		fmt.Fprintf(&b, `,"%x":1`, i)
	}
	b.WriteString(`}]}`)
	return b.Bytes()
}

func badLastQuad() []byte {
	b := images(1, 10<<20)
	i := bytes.LastIndexByte(b[:len(b)-5], '"')
	b[i-1] = '!'
	return b
}

// longPrefix has members whose names differ in their last bytes alone.
func longPrefix(n int) []byte {
	return bytes.ReplaceAll(unsorted(n), []byte(`,"`), []byte(`,"the same long name `))
}

type load struct {
	name, path string
	body       func() []byte
	refused    bool
}

func loads() []load {
	const chat, embed = "/v1/chat/completions", "/v1/embeddings"
	return []load{
		{"chat1KB", chat, chat1K, false},
		{"chat100KB", chat, chat100K, false},
		{"escapes100KB", chat, escapes100K, false},
		{"image10MB", chat, func() []byte { return images(1, 10<<20) }, false},
		{"images100MB", chat, func() []byte { return images(10, 10<<20) }, false},
		{"integers35KB", embed, integers, false},
		{"cjk100KB", chat, func() []byte { return cjk(100 << 10) }, false},
		{"nested10MB", chat, nested, false},
		{"unsorted500k", chat, func() []byte { return unsorted(500_000) }, false},
		{"prefix100k", chat, func() []byte { return longPrefix(100_000) }, false},
		{"badquad10MB", chat, badLastQuad, false},
		{"brackets5MB", chat, brackets, true},
		{"deep600KB", chat, func() []byte { return []byte(strings.Repeat(`{"a":`, 120_000)) }, true},
	}
}

func brackets() []byte {
	return []byte(`{"model":"m","messages":` + strings.Repeat("[", 5<<20))
}

// BenchmarkKey gives, beside the usual, the time as a multiple of SHA-256 over the
// same bytes in the same run: "best" compares the best slice of about a
// millisecond of each, since what else runs on the machine only ever adds;
// "median" the medians.
func BenchmarkKey(b *testing.B) {
	rules := identity.OpenAI()
	var scheme identity.Scheme
	for _, l := range loads() {
		b.Run(l.name, func(b *testing.B) {
			body := l.body()
			req := identity.Request{Path: l.path, Body: body}
			key := func() {
				if _, err := rules.Key(req, identity.Call{}, scheme); (err != nil) != l.refused {
					b.Fatal(err)
				}
			}
			key()
			b.SetBytes(int64(len(body)))
			b.ReportAllocs()
			var mine, hash []time.Duration
			for b.Loop() {
				key()
			}
			b.StopTimer()
			for range 60 {
				mine = append(mine, slice(key))
				hash = append(hash, slice(func() { sha256.Sum256(body) }))
				if len(body) > 50<<20 && len(mine) == 5 || len(body) > 1<<20 && len(mine) == 15 {
					break
				}
			}
			slices.Sort(mine)
			slices.Sort(hash)
			b.ReportMetric(float64(mine[0])/float64(hash[0]), "best×sha256")
			b.ReportMetric(float64(mine[len(mine)/2])/float64(hash[len(hash)/2]), "median×sha256")
		})
	}
}

// slice returns the time of one f, from as many as take about a millisecond.
func slice(f func()) time.Duration {
	start := time.Now()
	f()
	once := time.Since(start)
	n := int(time.Millisecond / max(once, 1))
	if n < 2 {
		return once
	}
	start = time.Now()
	for range n {
		f()
	}
	return time.Since(start) / time.Duration(n)
}
