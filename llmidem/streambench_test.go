package llmidem_test

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	openai "github.com/sashabaranov/go-openai"

	"github.com/llmidem/llmidem-go/llmidem"
)

// streamWire answers every request at once with a stream of n events.
func streamWire(n int) http.RoundTripper {
	text := longStream(n)
	return roundTrip(func(r *http.Request) (*http.Response, error) {
		_, _ = io.Copy(io.Discard, r.Body)
		return &http.Response{StatusCode: 200, ProtoMajor: 1, Header: http.Header{"Content-Type": {"text/event-stream"}},
			ContentLength: -1, Body: io.NopCloser(strings.NewReader(text))}, nil
	})
}

type streamer interface {
	CreateChatCompletionStream(context.Context, openai.ChatCompletionRequest) (*openai.ChatCompletionStream, error)
}

// readBench reads one stream and returns how long its first event took.
func readBench(b *testing.B, api streamer) time.Duration {
	b.Helper()
	began := time.Now()
	s, err := api.CreateChatCompletionStream(context.Background(), benchRequest())
	if err != nil {
		b.Fatal(err)
	}
	defer s.Close()
	var first time.Duration
	for {
		if _, err := s.Recv(); err != nil {
			return first
		}
		if first == 0 {
			first = time.Since(began)
		}
	}
}

// BenchmarkStream reads streams of 1,000 events with go-openai, bare and through
// llmidem in turn, and reports what is added to an event and to the first.
func BenchmarkStream(b *testing.B) {
	const events = 1000
	wire := streamWire(events)
	bare := bareAPI("https://api.invalid/v1", &http.Client{Transport: wire})
	ours, _ := ourAPI(b, "https://api.invalid/v1", llmidem.WithTransport(wire))
	var bareAll, oursAll, bareFirst, oursFirst []time.Duration
	for b.Loop() {
		began := time.Now()
		bareFirst = append(bareFirst, readBench(b, bare))
		middle := time.Now()
		oursFirst = append(oursFirst, readBench(b, ours))
		bareAll, oursAll = append(bareAll, middle.Sub(began)), append(oursAll, time.Since(middle))
	}
	b.ReportMetric(float64(median(bareAll).Nanoseconds())/events, "bare-ns/event")
	b.ReportMetric(float64((median(oursAll)-median(bareAll)).Nanoseconds())/events, "added-ns/event")
	b.ReportMetric(float64((median(oursFirst) - median(bareFirst)).Nanoseconds()), "added-ns/first")
}

// BenchmarkStreamLoopback is the same over a connection to a server in this
// process, which flushes each event and waits a little before the next one.
func BenchmarkStreamLoopback(b *testing.B) {
	const events = 100
	parts := strings.SplitAfter(longStream(events), "\n\n")
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		w.Header().Set("Content-Type", "text/event-stream")
		for _, part := range parts {
			_, _ = io.WriteString(w, part)
			_ = http.NewResponseController(w).Flush()
			time.Sleep(100 * time.Microsecond)
		}
	}))
	b.Cleanup(srv.Close)
	bare := bareAPI(srv.URL+"/v1", &http.Client{Transport: tunedTransport(b)})
	ours, _ := ourAPI(b, srv.URL+"/v1", llmidem.WithTransport(tunedTransport(b)))
	var bareFirst, oursFirst []time.Duration
	for b.Loop() {
		bareFirst = append(bareFirst, readBench(b, bare))
		oursFirst = append(oursFirst, readBench(b, ours))
	}
	b.ReportMetric(float64(median(bareFirst).Nanoseconds()), "bare-ns/first")
	b.ReportMetric(float64((median(oursFirst) - median(bareFirst)).Nanoseconds()), "added-ns/first")
}

// BenchmarkStreamBytes reads one long stream without an SDK: what an event costs
// in time and allocations beside the wire.
func BenchmarkStreamBytes(b *testing.B) {
	events := max(b.N, 1)
	wire := streamWire(events)
	_, client := ourAPI(b, "https://api.invalid/v1", llmidem.WithTransport(wire), llmidem.Config{MaxEntry: 1 << 40, CacheBytes: 1 << 41})
	r, err := http.NewRequest(http.MethodPost, "https://api.invalid/v1/chat/completions",
		strings.NewReader(strings.TrimSuffix(chatBody("bytes"), "}")+`,"stream":true}`))
	if err != nil {
		b.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer sk-bench")
	buf := make([]byte, 4096)
	b.ReportAllocs()
	b.ResetTimer()
	resp, err := client.Do(r)
	if err != nil {
		b.Fatal(err)
	}
	for err == nil {
		_, err = resp.Body.Read(buf)
	}
	resp.Body.Close()
}
