package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"strings"

	"github.com/spf13/cobra"

	idem "github.com/llmidem/llmidem-go/llmidem"
	"github.com/llmidem/llmidem-go/llmidem/batch"
	"github.com/llmidem/llmidem-go/llmidem/providers"
)

// batchFlags say what a batch is and how it is run.
type batchFlags struct {
	batchClient
	in, out     string
	name        string
	concurrency int
	rpm, tpm    int
	stopAfter   int
	ordered     bool
	collapse    bool
	share       bool
	retryFailed bool
	dryRun      bool
}

func newBatch() *cobra.Command {
	var f batchFlags
	cmd := &cobra.Command{
		Use:   "batch",
		Short: "Run a file of requests, and go on with it after a crash",
		Long: `batch sends the items of a file in OpenAI's batch format (a JSON object a line:
custom_id, method, url, body) to any service that speaks the API, and writes the
results in OpenAI's format. Whatever stops it, started again with the same flags it
sends only what has no answer. The API key is that of the variable OPENAI_API_KEY.

The first interrupt (Ctrl-C) lets what is in flight finish, the second stops at once;
both leave a state to go on from. With a state that is a PostgreSQL database several
machines may run the same file; without --out they leave the results to collect.

Exit status: 0 when all items are answered, 3 when some are dead letters (see
--retry-failed), 2 for bad input, bad flags or the state of another batch, and 1 when it
stopped before the end.`,
		Example: `  llmidem batch --in requests.jsonl --out results.jsonl --state state.db
  llmidem batch --base-url http://localhost:8000/v1 --in requests.jsonl --out results.jsonl --state state.db -c 64
  llmidem batch --in requests.jsonl --out results.jsonl --state state.db --rpm 500 --tpm 200000 --ordered
  llmidem batch --in requests.jsonl --dry-run
  llmidem batch --in requests.jsonl --state postgres://user@host/db --tenant acme
  llmidem batch collect --in requests.jsonl --out results.jsonl --state postgres://user@host/db --tenant acme`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if f.dryRun {
				return f.plan(cmd)
			}
			return f.run(cmd, batch.Run)
		},
	}
	f.add(cmd)
	fs := cmd.Flags()
	fs.IntVar(&f.rpm, "rpm", 0, "requests a minute, retries included (default: what the service's headers allow)")
	fs.IntVar(&f.tpm, "tpm", 0, "tokens a minute (default: what the service's headers allow)")
	fs.IntVar(&f.stopAfter, "stop-after", 0, "stop when that many items in a row have failed (default: never)")
	fs.BoolVar(&f.retryFailed, "retry-failed", false, "send dead letters of earlier starts again")
	fs.BoolVar(&f.dryRun, "dry-run", false, "say what the input is, and send nothing")
	cmd.AddCommand(newCollect())
	return cmd
}

// add declares the flags that batch and collect have in common.
func (f *batchFlags) add(cmd *cobra.Command) {
	f.batchClient.add(cmd)
	fs := cmd.Flags()
	fs.StringVar(&f.in, "in", "", "file of the items, - for standard input")
	fs.StringVar(&f.out, "out", "", "file of the results, which is gone on with if it is there; - for standard output")
	fs.StringVar(&f.name, "name", "", "what tells this batch from others in the same state")
	fs.IntVarP(&f.concurrency, "concurrency", "c", 32, "items in flight at a time")
	fs.BoolVar(&f.ordered, "ordered", false, "write the results in the order of the items")
	fs.BoolVar(&f.collapse, "collapse", false, "send equal items once")
	fs.BoolVar(&f.share, "share", false, "let equal items of different inputs be one call")
}

func newCollect() *cobra.Command {
	var f batchFlags
	cmd := &cobra.Command{
		Use:   "collect",
		Short: "Write the results of a batch from its state",
		Long: `collect writes the results that are in the state of a batch, whichever machines
have made them, and sends nothing. Items without an answer yet are left out; run again
with the same --out it adds what was answered since. The flags that say which batch it
is are those it is run with, and so is OPENAI_API_KEY, unless it has a --tenant.

Exit status: 0 when all items are answered, 3 when some are dead letters, 2 for bad
input or the state of another batch, and 1 when items are left.`,
		Example: `  llmidem batch collect --in requests.jsonl --out results.jsonl --state postgres://user@host/db --tenant acme`,
		Args:    cobra.NoArgs,
		RunE:    func(cmd *cobra.Command, _ []string) error { return f.run(cmd, batch.Collect) },
	}
	f.add(cmd)
	return cmd
}

// source is the input, which must be named.
func (f *batchFlags) source(cmd *cobra.Command) (batch.Source, error) {
	switch f.in {
	case "":
		return batch.Source{}, errors.New("--in is missing: the file of the items, or - for standard input")
	case "-":
		return batch.FromReader("standard input", cmd.InOrStdin()), nil
	}
	return batch.FromFile(f.in), nil
}

// sink is where the results go.
func (f *batchFlags) sink(cmd *cobra.Command, collects bool) (batch.Sink, error) {
	switch {
	case f.out == "-":
		return batch.ToWriter(cmd.OutOrStdout()), nil
	case f.out != "" && f.out == f.in:
		return batch.Sink{}, errors.New("--out is the file of --in")
	case f.out != "":
		return batch.ToFile(f.out), nil
	case collects || !isServer(f.state):
		return batch.Sink{}, errors.New("--out is missing: the file of the results, or - for standard output")
	}
	return batch.ToNowhere(), nil
}

func (f *batchFlags) options() []batch.Option {
	opts := []batch.Option{batch.Concurrency(f.concurrency), batch.Name(f.name),
		batch.RequestsPerMinute(f.rpm), batch.TokensPerMinute(f.tpm), batch.StopAfter(f.stopAfter)}
	for _, o := range []struct {
		on     bool
		option func() batch.Option
	}{{f.ordered, batch.Ordered}, {f.collapse, batch.Collapse}, {f.share, batch.Share}, {f.retryFailed, batch.RetryFailed}} {
		if o.on {
			opts = append(opts, o.option())
		}
	}
	return opts
}

// plan says what a batch would be.
func (f *batchFlags) plan(cmd *cobra.Command) error {
	source, err := f.source(cmd)
	if err != nil {
		return err
	}
	client, err := f.client(nil)
	if err != nil {
		return err
	}
	target, err := f.target()
	if err != nil {
		return err
	}
	report, err := batch.Plan(cmd.Context(), client, source, target, f.options()...)
	if err != nil {
		return err
	}
	if f.share {
		report.Input += " (of the input: with --share there is no scope)"
	}
	_, err = fmt.Fprintln(cmd.OutOrStdout(), printableLines(report.String()))
	return written(errors.Join(err, client.Close(cmd.Context())))
}

// header is that of each request: the flags', and the API key.
func (f *batchClient) header() (http.Header, error) {
	h, err := parseHeaders(f.headers)
	if err != nil {
		return nil, err
	}
	for _, name := range []string{"Authorization", "Api-Key", "X-Api-Key", "X-Goog-Api-Key", "Proxy-Authorization", "Cookie"} {
		if h.Get(name) != "" {
			return nil, fmt.Errorf("--header %s: credentials come from the variable OPENAI_API_KEY alone, so that no list of processes shows them", name)
		}
	}
	if key := os.Getenv("OPENAI_API_KEY"); key != "" {
		if strings.ContainsAny(key, "\r\n") {
			return nil, errors.New("OPENAI_API_KEY has line ends in it")
		}
		name, value := keyHeader(f.baseURL, key)
		h.Set(name, value)
	}
	return h, nil
}

// keyHeader is how the service at a URL wants its API key.
func keyHeader(baseURL, key string) (name, value string) {
	p, _ := providers.Detect(baseURL)
	switch p.Name {
	case providers.AzureOpenAI().Name:
		return "Api-Key", key
	case providers.Anthropic().Name:
		return "X-Api-Key", key
	}
	return "Authorization", "Bearer " + key
}

// printableLines is printable for a text of several lines.
func printableLines(text string) string {
	list := strings.Split(text, "\n")
	for i, l := range list {
		list[i] = printable(l)
	}
	return strings.Join(list, "\n")
}

// runner is [batch.Run] or [batch.Collect].
type runner func(context.Context, *idem.Client, batch.Source, batch.Sink, batch.Target, ...batch.Option) (batch.Summary, error)
