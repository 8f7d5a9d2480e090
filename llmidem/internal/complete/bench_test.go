package complete

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
)

// chatAnswer is an ordinary answer with a text of about that many bytes.
func chatAnswer(size int) []byte {
	words := strings.Repeat(`The quick brown fox jumps over the lazy dog.\nIt said \"so\". `, size/62+1)
	return fmt.Appendf(nil, `{"id":"chatcmpl-B9MBs8CjcvOU2jLn4n570S5qMJKcT","object":"chat.completion","created":1741569952,`+
		`"model":"gpt-4.1-2025-04-14","choices":[{"index":0,"message":{"role":"assistant","content":"%s","refusal":null,"annotations":[]},`+
		`"logprobs":null,"finish_reason":"stop"}],"usage":{"prompt_tokens":19,"completion_tokens":10,"total_tokens":29,`+
		`"prompt_tokens_details":{"cached_tokens":0,"audio_tokens":0},"completion_tokens_details":{"reasoning_tokens":0}},`+
		`"service_tier":"default","system_fingerprint":"fp_0123456789"}`, words[:size-size%62])
}

// embeddingAnswer has n embeddings of 1,536 numbers.
func embeddingAnswer(n int) []byte {
	numbers := strings.TrimSuffix(strings.Repeat("-0.0069292834,\n        0.012345678,", 768), ",")
	items := make([]string, n)
	for i := range items {
		items[i] = fmt.Sprintf(`{"object":"embedding","index":%d,"embedding":[%s]}`, i, numbers)
	}
	return fmt.Appendf(nil, `{"object":"list","data":[%s],"model":"text-embedding-3-small","usage":{"prompt_tokens":8,"total_tokens":8}}`,
		strings.Join(items, ","))
}

func TestScan_AllocatesNothing(t *testing.T) {
	data := chatAnswer(4096)
	deep := nested("mixed", 1000)
	for name, fn := range map[string]func(){
		"Valid":    func() { _ = Valid(data) },
		"Depth":    func() { _ = Valid(deep) },
		"Get":      func() { _ = Get(data, "usage", "total_tokens") },
		"Elements": func() { _ = Elements(Get(data, "choices"), func(int, []byte) bool { return true }) },
		"Int":      func() { _, _ = Int(Get(data, "created")) },
	} {
		if n := testing.AllocsPerRun(100, fn); n != 0 {
			t.Errorf("%s: %v allocations, want none", name, n)
		}
	}
}

func BenchmarkValid(b *testing.B) {
	for name, data := range map[string][]byte{
		"chat-1KB": chatAnswer(1024), "chat-64KB": chatAnswer(64 << 10), "embeddings-32": embeddingAnswer(32),
	} {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(data)))
			b.ReportAllocs()
			for b.Loop() {
				if !Valid(data) {
					b.Fatal("not valid")
				}
			}
		})
		b.Run(name+"/encoding-json", func(b *testing.B) {
			b.SetBytes(int64(len(data)))
			for b.Loop() {
				_ = json.Valid(data)
			}
		})
	}
}

func BenchmarkCheck(b *testing.B) {
	for _, size := range []int{1 << 10, 64 << 10} {
		q := Query{Dialect: "openai", Operation: "chat", Body: chatAnswer(size)}
		b.Run(fmt.Sprintf("chat-%dKB", size>>10), func(b *testing.B) {
			b.SetBytes(int64(len(q.Body)))
			b.ReportAllocs()
			for b.Loop() {
				if !Check(q).Keep {
					b.Fatal("not kept")
				}
			}
		})
	}
}
