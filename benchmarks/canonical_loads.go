package benchmarks

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"math/rand/v2"
	"strings"
)

// A Load is one request body to make a key of.
type Load struct {
	Name    string
	Path    string
	Body    func() []byte     // makes the body anew, always the same one
	Refused bool              // a body without a key, which is to be refused soon
	Budget  float64           // highest allowed multiple of SHA-256 over the body, by best slices
	Lacks   map[string]string // contestants that cannot take the body, and why
}

const (
	chatPath  = "/v1/chat/completions"
	embedPath = "/v1/embeddings"
)

// Loads returns what users send, from small to large.
func Loads() []Load {
	return []Load{
		{Name: "chat, 1 KB", Path: chatPath, Body: smallChat, Budget: 2.6},
		{Name: "chat, 100 KB in 100 messages", Path: chatPath, Body: longChat, Budget: 1.5},
		{Name: "image, 10 MB", Path: chatPath, Body: func() []byte { return images(1) }, Budget: 1.1},
		{Name: "ten images, 100 MB", Path: chatPath, Body: func() []byte { return images(10) }, Budget: 1.1},
		{Name: "integers, 35 KB", Path: embedPath, Body: integers, Budget: 3},
		{Name: "CJK text, 100 KB", Path: chatPath, Body: cjk, Budget: 2},
	}
}

// HostileLoads returns what somebody sends who wants the key to cost more than the
// bytes.
func HostileLoads() []Load {
	return []Load{
		{Name: "10 MB under 256 unsorted objects", Path: chatPath, Body: nested, Budget: 5},
		{Name: "500,000 unsorted members", Path: chatPath, Body: unsorted, Budget: 60, Lacks: map[string]string{Cyberphone: "not done after a minute"}},
		{Name: "5 MB of [", Path: chatPath, Body: brackets, Refused: true, Budget: 0.05, Lacks: map[string]string{Cyberphone: "ends the process: stack overflow"}},
		{Name: "600 KB of {\"a\":", Path: chatPath, Body: openObjects, Refused: true, Budget: 0.5, Lacks: map[string]string{Cyberphone: "takes 20 s to refuse"}},
		{Name: "10 MB with a bad last base64 quad", Path: chatPath, Body: badLastQuad, Budget: 3},
	}
}

const words = "the quick brown fox jumps over the lazy dog while a model answers what was asked of it "

func smallChat() []byte {
	return []byte(`{"model":"gpt-4o-mini","messages":[{"role":"system","content":"` + strings.Repeat(words, 2) +
		`"},{"role":"user","content":"` + strings.Repeat(words, 8)[:680] + `"}],"temperature":0.7,"stream":true}`)
}

// longChat has the escapes of usual text: line ends, quotes, and in each message two
// letters that some encoders escape, which the canonical form does not.
func longChat() []byte {
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

// images has n data URIs of 10 MB of base64 each.
func images(n int) []byte {
	raw := make([]byte, 10<<20/4*3)
	random := rand.NewChaCha8([32]byte{1})
	var b bytes.Buffer
	b.WriteString(`{"model":"gpt-4o","messages":[{"role":"user","content":[{"type":"text","text":"What is it?"}`)
	for range n {
		random.Read(raw) // never fails
		b.WriteString(`,{"type":"image_url","image_url":{"url":"data:image/png;base64,`)
		b.WriteString(base64.StdEncoding.EncodeToString(raw))
		b.WriteString(`"}}`)
	}
	b.WriteString(`]}]}`)
	return b.Bytes()
}

func integers() []byte {
	var b bytes.Buffer
	b.WriteString(`{"model":"text-embedding-3-small","input":[[`)
	random := rand.New(rand.NewPCG(1, 2))
	for b.Len() < 35<<10 {
		fmt.Fprintf(&b, "%d,", random.IntN(100000))
	}
	b.WriteString("7]]}")
	return b.Bytes()
}

func cjk() []byte {
	const t = "今日は良い天気ですね。模型回答了问题,한국어 문장도 있다。"
	return []byte(`{"model":"m","messages":[{"role":"user","content":"` + strings.Repeat(t, 100<<10/len(t)) + `"}]}`)
}
