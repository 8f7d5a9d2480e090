package batch_test

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"

	"github.com/llmidem/llmidem-go/llmidem"
	"github.com/llmidem/llmidem-go/llmidem/batch"
	"github.com/llmidem/llmidem-go/llmidem/llmtest"
	"github.com/llmidem/llmidem-go/llmidem/store/boltstore"
)

// A batch is started twice: the second start finds everything done.
func ExampleRun() {
	dir, err := os.MkdirTemp("", "example")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(dir)
	srv := llmtest.Start()
	defer srv.Close()
	for range 2 {
		state, err := boltstore.Open(filepath.Join(dir, "state.db"))
		if err != nil {
			panic(err)
		}
		client, err := llmidem.New(srv.Provider(), llmidem.ForBatch(state))
		if err != nil {
			panic(err)
		}
		sum, err := batch.Run(context.Background(), client,
			batch.FromItems([]batch.Item{
				{CustomID: "a", URL: "/v1/chat/completions", Body: []byte(`{"model":"gpt-4o-mini","messages":[{"role":"user","content":"One?"}]}`)},
				{CustomID: "b", URL: "/v1/chat/completions", Body: []byte(`{"model":"gpt-4o-mini","messages":[{"role":"user","content":"Two?"}]}`)},
			}),
			batch.ToFile(filepath.Join(dir, "results.jsonl")),
			batch.To(srv.URL(), http.Header{"Authorization": {"Bearer …"}}))
		fmt.Println(sum.Done, "done,", sum.Sent, "sent,", err)
		_ = client.Close(context.Background())
		_ = state.Close()
	}
	// Output:
	// 0 done, 2 sent, <nil>
	// 2 done, 0 sent, <nil>
}

// Bad input is found before anything is sent.
func ExampleInputError() {
	srv := llmtest.Start()
	defer srv.Close()
	client, err := llmidem.New(srv.Provider())
	if err != nil {
		panic(err)
	}
	input := `{"custom_id":"a","method":"POST","url":"/v1/embeddings","body":{"model":"m","input":"x"}}
{"custom_id":"a","method":"POST","url":"/v1/embeddings","body":{"model":"m","input":"y"}}
{"custom_id":"b","method":"POST","url":"/v1/embeddings?key=x","body":{"model":"m","input":"y"}}
not JSON
`
	_, err = batch.Plan(context.Background(), client, batch.FromReader("requests.jsonl", strings.NewReader(input)), batch.To(srv.URL(), nil))
	fmt.Println(err)
	// Output:
	// requests.jsonl: 3 faults found; nothing was sent
	//   line 2: custom_id is that of line 1; each is used once
	//   line 3: url is not /v1 and a known route, as in /v1/chat/completions, without host, query or dots
	//   line 4: it is not JSON (byte 2)
}
