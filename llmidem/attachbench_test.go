package llmidem_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	openai "github.com/sashabaranov/go-openai"

	"github.com/llmidem/llmidem-go/llmidem"
	"github.com/llmidem/llmidem-go/llmidem/identity"
	"github.com/llmidem/llmidem-go/llmidem/providers"
	"github.com/llmidem/llmidem-go/llmidem/providers/goopenai"
)

// swallow is a provider without a wire: what a call costs the caller's own process.
var swallow = roundTrip(func(req *http.Request) (*http.Response, error) {
	_, err := io.CopyBuffer(struct{ io.Writer }{io.Discard}, struct{ io.Reader }{req.Body}, make([]byte, 32<<10))
	if err != nil {
		return nil, err
	}
	_ = req.Body.Close() // it was read
	return &http.Response{StatusCode: 200, ProtoMajor: 1, Header: http.Header{"Content-Type": {"application/json"}},
		ContentLength: int64(len(wireAnswer)), Body: io.NopCloser(strings.NewReader(wireAnswer))}, nil
})

// BenchmarkAttachment asks about an image, by bare go-openai with the image inline,
// its data URI made beforehand, and through llmidem by handle, in turns: over a wire
// to a server in the same process, and with a provider that only reads.
func BenchmarkAttachment(b *testing.B) {
	for _, mb := range []int{10, 100} {
		content := noise(mb << 20)
		_, a := document(b, content)
		uri := dataURI(a, content)
		for _, over := range []string{"wire", "nothing"} {
			b.Run(fmt.Sprintf("%dMB/%s", mb, over), func(b *testing.B) {
				url, rt := "https://api.example/v1", http.RoundTripper(swallow)
				if over == "wire" {
					url, rt = benchServer(b), tunedTransport(b)
				}
				client, err := llmidem.New(providers.OpenAI(), quiet, llmidem.WithTransport(rt))
				require.NoError(b, err)
				defer client.Close(context.Background())
				bare := bareAPI(url, &http.Client{Transport: rt})
				cfg := openai.DefaultConfig("sk-bench")
				cfg.BaseURL, cfg.HTTPClient = url, nil
				ours := goopenai.New(cfg, client)
				ctx := llmidem.WithAttachments(context.Background(), a)
				identified(b, a)
				compareCalls(b, func(n string) error { _, err := bare.CreateChatCompletion(ctx, picture(n, uri)); return err },
					func(n string) error { _, err := ours.CreateChatCompletion(ctx, picture(n, a.DataURI())); return err })
			})
		}
	}
}

// identified waits until the file's times show every change, as they do for files
// that were not made just now.
func identified(b *testing.B, a *identity.Attachment) {
	time.Sleep(2100 * time.Millisecond)
	_, err := identity.OpenAI().Identify(identity.Request{Path: "/chat/completions", Body: []byte(pictureBody("x", a.DataURI())),
		Attachments: []*identity.Attachment{a}}, identity.Call{})
	require.NoError(b, err)
}

// compareCalls reports the medians of both, their ratio, and what each allocates.
func compareCalls(b *testing.B, bare, ours func(prompt string) error) {
	var times [2][]time.Duration
	var bytes [2]uint64
	n := 0
	for b.Loop() {
		for i, call := range []func(string) error{bare, ours} {
			n++
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			start := time.Now()
			if err := call(fmt.Sprint(n)); err != nil {
				b.Fatal(err)
			}
			times[i] = append(times[i], time.Since(start))
			runtime.ReadMemStats(&after)
			bytes[i] += after.TotalAlloc - before.TotalAlloc
		}
	}
	calls := float64(len(times[0]))
	b.ReportMetric(float64(median(times[0]).Microseconds())/1000, "bare-ms")
	b.ReportMetric(float64(median(times[1]).Microseconds())/1000, "handle-ms")
	b.ReportMetric(float64(median(times[1]))/float64(median(times[0])), "ratio")
	b.ReportMetric(float64(times[1][0])/float64(times[0][0]), "best-ratio") // sorted by median
	b.ReportMetric(float64(bytes[0])/calls/(1<<20), "bare-MB")
	b.ReportMetric(float64(bytes[1])/calls/(1<<20), "handle-MB")
}
