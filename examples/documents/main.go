// Documents asks ten questions about a scan of 50 MB that lies on disk. By handle
// it is hashed once, and streamed into each request while that is sent. The same
// conversation through bare go-openai holds it in memory, encodes it, and marshals it
// twice a question. VERBOSE=1 prints the figures; what they come to is printed anyway.
package main

import (
	"context"
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"fmt"
	"io"
	"log"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/llmidem/llmidem-go/llmidem"
	"github.com/llmidem/llmidem-go/llmidem/identity"
	"github.com/llmidem/llmidem-go/llmidem/providers"
	"github.com/llmidem/llmidem-go/llmidem/providers/goopenai"
	"github.com/sashabaranov/go-openai"
)

//go:embed questions.txt
var questions string

const (
	size    = 50 << 20
	inlined = 3 // questions to bare go-openai, which are enough to tell
)

func main() {
	path := filepath.Join(must(os.MkdirTemp("", "documents")), "scan.png")
	defer os.RemoveAll(filepath.Dir(path))
	scan := io.LimitReader(rand.NewChaCha8([32]byte{1}), size)
	file := must(os.Create(path))
	must(io.Copy(file, io.MultiReader(strings.NewReader("\x89PNG\r\n\x1a\n"), scan)))
	check(file.Close())

	provider := &provider{}
	server := httptest.NewServer(provider)
	defer server.Close()
	cfg := openai.DefaultConfig("sk-example")
	cfg.BaseURL = server.URL + "/v1"
	client := must(llmidem.New(providers.OpenAI(), llmidem.WithLogger(slog.New(slog.DiscardHandler))))
	defer client.Close(context.Background())
	asked := strings.Split(strings.TrimSpace(questions), "\n")

	var ctx context.Context
	var scanned *identity.Attachment
	api := goopenai.New(cfg, client)
	handle := measure(len(asked), func() {
		scanned = must(identity.File(path))
		ctx = llmidem.WithAttachments(context.Background(), scanned)
		converse(ctx, api.Client, scanned.DataURI(), asked)
	})
	sent := slices.Clone(provider.sums)
	fmt.Printf("by handle: %d questions, %d requests, %d MB on the wire\n", len(asked), len(sent), provider.bytes>>20)

	bare := measure(inlined, func() {
		content := must(os.ReadFile(path))
		uri := "data:image/png;base64," + base64.StdEncoding.EncodeToString(content)
		converse(context.Background(), openai.NewClientWithConfig(cfg), uri, asked[:inlined])
	})
	fmt.Println("bare go-openai sends the same bytes:", slices.Equal(provider.sums[len(sent):], sent[:inlined]))
	fmt.Println("a question takes less than half its time:", 2*handle.time < bare.time)
	fmt.Println("and allocates less than a fiftieth:", 50*handle.allocated < bare.allocated)
	fmt.Println("peak memory is less than a tenth:", 10*handle.peak < bare.peak)

	before := len(provider.sums)
	converse(ctx, api.Client, scanned.DataURI(), asked)
	fmt.Printf("asked once more: %d requests\n", len(provider.sums)-before)
	if os.Getenv("VERBOSE") != "" {
		fmt.Fprintf(os.Stderr, "by handle: %+v\nbare: %+v\n", handle, bare)
	}
}

// converse asks one question after the other, each with all that was said before.
func converse(ctx context.Context, api *openai.Client, uri string, asked []string) {
	messages := []openai.ChatCompletionMessage{{Role: openai.ChatMessageRoleUser, MultiContent: []openai.ChatMessagePart{
		{Type: openai.ChatMessagePartTypeImageURL, ImageURL: &openai.ChatMessageImageURL{URL: uri}},
	}}}
	for _, question := range asked {
		messages = append(messages, openai.ChatCompletionMessage{Role: openai.ChatMessageRoleUser, Content: question})
		resp := must(api.CreateChatCompletion(ctx, openai.ChatCompletionRequest{Model: "gpt-4o", Messages: messages}))
		messages = append(messages, resp.Choices[0].Message)
	}
}

// cost is what a question cost, and the memory that the process took meanwhile.
type cost struct {
	time            time.Duration
	allocated, peak uint64
}

func measure(questions int, ask func()) cost {
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	start := time.Now()
	ask()
	elapsed := time.Since(start)
	runtime.ReadMemStats(&after) // whose Sys never falls: it is a peak
	n := uint64(questions)
	return cost{elapsed / time.Duration(questions), (after.TotalAlloc - before.TotalAlloc) / n, after.Sys - before.Sys}
}

// provider answers without having read much, and keeps a digest of each request.
type provider struct {
	sums  [][32]byte
	bytes int64
}

func (p *provider) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	sum := sha256.New()
	p.bytes += must(io.Copy(sum, r.Body))
	p.sums = append(p.sums, [32]byte(sum.Sum(nil)))
	w.Header().Set("Content-Type", "application/json")
	fmt.Fprintf(w, `{"id":"c","model":"gpt-4o","choices":[{"index":0,"finish_reason":"stop","message":{"role":"assistant",
		"content":"The pages up to %d say nothing of that."}}]}`, r.ContentLength%97)
}

func must[T any](v T, err error) T {
	check(err)
	return v
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
