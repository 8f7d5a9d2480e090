package llmidem_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	openai "github.com/sashabaranov/go-openai"
	"github.com/stretchr/testify/require"

	"github.com/llmidem/llmidem-go/llmidem"
	"github.com/llmidem/llmidem-go/llmidem/providers"
	"github.com/llmidem/llmidem-go/llmidem/providers/goopenai"
	"github.com/llmidem/llmidem-go/llmidem/store"
	"github.com/llmidem/llmidem-go/llmidem/store/storetest"
)

// benchServer answers every request at once with 1 KB.
func benchServer(b *testing.B) string {
	b.Helper()
	answer := fmt.Sprintf(`{"id":"chatcmpl-1","object":"chat.completion","created":1,"model":"gpt-4o-mini","choices":[{"index":0,`+
		`"message":{"role":"assistant","content":%q},"finish_reason":"stop"}],"usage":{"prompt_tokens":200,"completion_tokens":160,"total_tokens":360}}`,
		strings.Repeat("answer ", 110))
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, answer)
	}))
	b.Cleanup(srv.Close)
	return srv.URL + "/v1"
}

// benchRequest is a request of 1 KB that no other is equal to.
var benchCount atomic.Int64

func benchRequest() openai.ChatCompletionRequest {
	return chat(fmt.Sprintf("%d %s", benchCount.Add(1), strings.Repeat("question ", 105)))
}

func tunedTransport(b *testing.B) *http.Transport {
	b.Helper()
	rt := http.DefaultTransport.(*http.Transport).Clone()
	rt.MaxIdleConnsPerHost = 256
	b.Cleanup(rt.CloseIdleConnections)
	return rt
}

// bareAPI is go-openai as it is; hc nil means the http.Client of DefaultConfig.
func bareAPI(url string, hc *http.Client) *openai.Client {
	cfg := openai.DefaultConfig("sk-bench")
	cfg.BaseURL = url
	if hc != nil {
		cfg.HTTPClient = hc
	}
	return openai.NewClientWithConfig(cfg)
}

func ourAPI(b *testing.B, url string, opts ...llmidem.Option) (*goopenai.Client, *llmidem.Client) {
	b.Helper()
	client, err := llmidem.New(providers.OpenAI(), append(opts, quiet)...)
	require.NoError(b, err)
	b.Cleanup(func() { _ = client.Close(context.Background()) })
	cfg := openai.DefaultConfig("sk-bench")
	cfg.BaseURL = url
	return goopenai.New(cfg, client), client
}

func mustChat(b *testing.B, api interface {
	CreateChatCompletion(context.Context, openai.ChatCompletionRequest) (openai.ChatCompletionResponse, error)
}) {
	if _, err := api.CreateChatCompletion(context.Background(), benchRequest()); err != nil {
		b.Fatal(err)
	}
}

// BenchmarkCall is one call of 1 KB after another over one kept-alive connection
// to a server in the same process, by bare go-openai and through llmidem.
func BenchmarkCall(b *testing.B) {
	url := benchServer(b)
	b.Run("bare", func(b *testing.B) {
		api := bareAPI(url, &http.Client{Transport: tunedTransport(b)})
		b.ReportAllocs()
		for b.Loop() {
			mustChat(b, api)
		}
	})
	b.Run("llmidem", func(b *testing.B) {
		api, _ := ourAPI(b, url, llmidem.WithTransport(tunedTransport(b)))
		b.ReportAllocs()
		for b.Loop() {
			mustChat(b, api)
		}
	})
}

// BenchmarkCallRatio makes the two take turns and reports the medians and their
// ratio, which noise does not reach.
func BenchmarkCallRatio(b *testing.B) {
	url := benchServer(b)
	bare := bareAPI(url, &http.Client{Transport: tunedTransport(b)})
	ours, _ := ourAPI(b, url, llmidem.WithTransport(tunedTransport(b)))
	var bareTimes, ourTimes []time.Duration
	for b.Loop() {
		start := time.Now()
		mustChat(b, bare)
		middle := time.Now()
		mustChat(b, ours)
		bareTimes, ourTimes = append(bareTimes, middle.Sub(start)), append(ourTimes, time.Since(middle))
	}
	b.ReportMetric(float64(median(bareTimes).Nanoseconds()), "bare-p50-ns")
	b.ReportMetric(float64(median(ourTimes).Nanoseconds()), "llmidem-p50-ns")
	b.ReportMetric(float64(median(ourTimes))/float64(median(bareTimes)), "ratio")
}

func median(times []time.Duration) time.Duration {
	slices.Sort(times)
	return times[len(times)/2]
}

// BenchmarkConcurrent is 64 goroutines that call as fast as they can, in rounds
// in which the clients take turns; it reports requests per second and ratios.
func BenchmarkConcurrent(b *testing.B) {
	const callers, round = 64, 512
	url := benchServer(b)
	ours, _ := ourAPI(b, url)
	tuned := bareAPI(url, &http.Client{Transport: tunedTransport(b)})
	plain := bareAPI(url, nil)
	clients := []func(){
		func() { mustChat(b, plain) },
		func() { mustChat(b, tuned) },
		func() { mustChat(b, ours) },
	}
	rates := make([][]time.Duration, len(clients))
	for b.Loop() {
		for i, call := range clients {
			start := time.Now()
			var wg sync.WaitGroup
			for range callers {
				wg.Go(func() {
					for range round / callers {
						call()
					}
				})
			}
			wg.Wait()
			rates[i] = append(rates[i], time.Since(start))
		}
	}
	perSecond := func(i int) float64 { return round / median(rates[i]).Seconds() }
	b.ReportMetric(perSecond(2), "llmidem-req/s")
	b.ReportMetric(perSecond(2)/perSecond(0), "x-default-client")
	b.ReportMetric(perSecond(2)/perSecond(1), "x-tuned-client")
	http.DefaultClient.CloseIdleConnections()
}

// BenchmarkRecall is a call of 1 KB that is answered from memory, with and
// without go-openai above.
func BenchmarkRecall(b *testing.B) {
	url := benchServer(b)
	api, client := ourAPI(b, url)
	req := benchRequest()
	_, err := api.CreateChatCompletion(context.Background(), req)
	require.NoError(b, err)
	b.Run("through go-openai", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := api.CreateChatCompletion(context.Background(), req); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("Do", func(b *testing.B) { benchRecallDo(b, client, url) })
	b.Run("Do, near a shared store", func(b *testing.B) {
		memory, err := store.NewMemory(store.MemoryConfig{})
		require.NoError(b, err)
		way := storetest.NewFaulty(sharedMemory{memory})
		_, near := ourAPI(b, url, llmidem.WithStore(way))
		benchRecallDo(b, near, url)
		require.Equal(b, 1, way.Calls(storetest.OpClaim), "the store is asked once")
	})
}

// benchRecallDo asks the same thing by Client.Do.
func benchRecallDo(b *testing.B, client *llmidem.Client, url string) {
	b.Helper()
	text := chatBody(strings.Repeat("question ", 110))
	do := func() {
		r, err := http.NewRequest(http.MethodPost, url+"/chat/completions", strings.NewReader(text))
		if err != nil {
			b.Fatal(err)
		}
		r.Header.Set("Authorization", "Bearer sk-bench")
		resp, err := client.Do(r)
		if err != nil {
			b.Fatal(err)
		}
		_, _ = io.Copy(io.Discard, resp.Body)
		resp.Body.Close()
	}
	do()
	b.ReportAllocs()
	for b.Loop() {
		do()
	}
}

// BenchmarkOverhead is what a call of 1 KB costs beside the wire: the transport
// answers at once. "bare" is an http.Client over the same transport.
func BenchmarkOverhead(b *testing.B) {
	answer := `{"id":"c","model":"gpt-4o-mini","choices":[{"index":0,"message":{"role":"assistant","content":"` +
		strings.Repeat("answer ", 110) + `"},"finish_reason":"stop"}],"usage":{"prompt_tokens":200,"completion_tokens":160}}`
	wire := roundTrip(func(r *http.Request) (*http.Response, error) {
		_, _ = io.Copy(io.Discard, r.Body)
		return &http.Response{StatusCode: 200, ProtoMajor: 1, Header: http.Header{"Content-Type": {"application/json"}},
			ContentLength: int64(len(answer)), Body: io.NopCloser(strings.NewReader(answer))}, nil
	})
	_, client := ourAPI(b, "https://api.invalid/v1", llmidem.WithTransport(wire))
	for name, doer := range map[string]openai.HTTPDoer{"bare": &http.Client{Transport: wire}, "llmidem": client} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				text := chatBody(benchRequest().Messages[0].Content)
				r, err := http.NewRequest(http.MethodPost, "https://api.invalid/v1/chat/completions", strings.NewReader(text))
				if err != nil {
					b.Fatal(err)
				}
				resp, err := doer.Do(r)
				if err != nil {
					b.Fatal(err)
				}
				_, _ = io.Copy(io.Discard, resp.Body)
				resp.Body.Close()
			}
		})
	}
}
