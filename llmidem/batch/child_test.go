package batch_test

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/llmidem/llmidem-go/llmidem"
	"github.com/llmidem/llmidem-go/llmidem/batch"
	"github.com/llmidem/llmidem-go/llmidem/identity"
	"github.com/llmidem/llmidem-go/llmidem/store"
	"github.com/llmidem/llmidem-go/llmidem/store/boltstore"
	"github.com/llmidem/llmidem-go/llmidem/store/pgstore"
	"github.com/llmidem/llmidem-go/llmidem/store/redisstore"
)

// childVariable makes the test binary a program that runs a batch, and says which.
const childVariable = "LLMIDEM_BATCH_CHILD"

// order is what a child is told.
type order struct {
	URL, In, Out string
	State        string // a path, or the URL of a server
	Part         string // of a server: schema or prefix
	Keys         llmidem.KeyClass
	Concurrency  int
	Full         bool // see full_test.go
}

// child runs the batch and prints its summary.
func child(what string) int {
	var o order
	err := json.Unmarshal([]byte(what), &o)
	if err == nil && o.Full {
		err = o.fillUp()
	} else if err == nil {
		err = o.run()
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

func (o *order) open(ctx context.Context) (store.Store, func() error, error) {
	switch scheme, _, _ := strings.Cut(o.State, "://"); scheme {
	case "postgres":
		s, err := pgstore.Open(ctx, o.State, pgstore.WithSchema(o.Part))
		return s, func() error { return s.Close(ctx) }, err
	case "redis":
		s, err := redisstore.Open(ctx, o.State, redisstore.WithPrefix(o.Part))
		return s, func() error { return s.Close() }, err
	}
	s, err := boltstore.Open(o.State)
	return s, func() error { return s.Close() }, err
}

func (o *order) run() error {
	ctx := context.Background()
	state, closeState, err := o.open(ctx)
	if err != nil {
		return err
	}
	client, err := llmidem.New(llmidem.Provider{Name: "llmtest", Rules: identity.OpenAI(), Keys: llmidem.Keys{Class: o.Keys}},
		llmidem.ForBatch(state), llmidem.WithLogger(slog.New(slog.DiscardHandler)))
	if err != nil {
		return err
	}
	sum, err := batch.Run(ctx, client, batch.FromFile(o.In), batch.ToFile(o.Out), batch.To(o.URL, header()), batch.Concurrency(o.Concurrency))
	if err == nil {
		err = client.Close(ctx)
	}
	if err == nil {
		err = closeState()
	}
	if err != nil {
		return err
	}
	return json.NewEncoder(os.Stdout).Encode(sum)
}

// start starts a child.
func (o order) start(t testing.TB) (*exec.Cmd, *strings.Builder) {
	t.Helper()
	text, err := json.Marshal(o)
	require.NoError(t, err)
	var out strings.Builder
	cmd := exec.Command(os.Args[0], "-test.run=^$")
	cmd.Env = append(os.Environ(), childVariable+"="+string(text))
	cmd.Stdout, cmd.Stderr = &out, os.Stderr
	require.NoError(t, cmd.Start())
	return cmd, &out
}

// wait waits for a child that has to end well, and returns its summary.
func wait(t testing.TB, cmd *exec.Cmd, out *strings.Builder) (s batch.Summary) {
	t.Helper()
	require.NoError(t, cmd.Wait())
	require.NoError(t, json.Unmarshal([]byte(out.String()), &s), out.String())
	checkSum(t, s)
	return s
}
