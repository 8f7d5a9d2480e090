//go:build linux || darwin

package batch_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/llmidem/llmidem-go/llmidem"
	"github.com/llmidem/llmidem-go/llmidem/batch"
	"github.com/llmidem/llmidem-go/llmidem/identity"
	"github.com/llmidem/llmidem-go/llmidem/store"
)

// fillUp runs a batch whose results may not grow beyond a limit, and then goes on
// with it without one. The state is in memory, so that the limit is not its too.
func (o *order) fillUp() error {
	signal.Ignore(syscall.SIGXFSZ) // the write fails instead
	var was syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_FSIZE, &was); err != nil {
		return err
	}
	m, err := store.NewMemory(store.MemoryConfig{Entries: 1 << 20, Bytes: 1 << 30, MaxEntry: 64 << 20})
	if err != nil {
		return err
	}
	client, err := llmidem.New(llmidem.Provider{Name: "llmtest", Rules: identity.OpenAI()}, llmidem.ForBatch(lasting{m}),
		llmidem.WithLogger(slog.New(slog.DiscardHandler)))
	if err != nil {
		return err
	}
	run := func() (batch.Summary, error) {
		return batch.Run(context.Background(), client, batch.FromFile(o.In), batch.ToFile(o.Out), batch.To(o.URL, header()))
	}
	limit := was
	limit.Cur = 10_001 // in the middle of a line
	if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &limit); err != nil {
		return err
	}
	if _, err := run(); !errors.Is(err, syscall.EFBIG) {
		return fmt.Errorf("the error is not that the disk is full: %w", err)
	} else {
		fmt.Fprintln(os.Stderr, "as expected:", err)
	}
	text, err := os.ReadFile(o.Out)
	if err != nil || len(text) == 0 || text[len(text)-1] != '\n' {
		return fmt.Errorf("the results end in the middle of a line (%d bytes, %w)", len(text), err)
	}
	if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &was); err != nil {
		return err
	}
	sum, err := run()
	if err != nil {
		return err
	}
	return json.NewEncoder(os.Stdout).Encode(sum)
}

// TestDiskFull: what cannot be written to the results is in the state.
func TestDiskFull(t *testing.T) {
	srv := startServer(t)
	dir := t.TempDir()
	o := order{URL: srv.URL(), In: filepath.Join(dir, "in"), Out: filepath.Join(dir, "out"), Full: true}
	require.NoError(t, os.WriteFile(o.In, []byte(items(200)), 0o600))
	cmd, out := o.start(t)
	sum := wait(t, cmd, out)
	require.Positive(t, sum.Done)
	require.Positive(t, sum.Stored)
	require.Equal(t, 200, sum.Answered())
	checkAnswers(t, resultsIn(t, o.Out), 200)
	require.Equal(t, 200, srv.Ledger().Executions())
}
