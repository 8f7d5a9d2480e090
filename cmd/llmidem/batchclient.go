package main

import (
	"fmt"
	"io"
	"log/slog"

	"github.com/spf13/cobra"

	idem "github.com/llmidem/llmidem-go/llmidem"
	"github.com/llmidem/llmidem-go/llmidem/batch"
	"github.com/llmidem/llmidem-go/llmidem/providers"
	"github.com/llmidem/llmidem-go/llmidem/store"
)

// batchClient says whom a batch is sent to, and where its answers are kept.
type batchClient struct {
	baseURL, state string
	tenant, keys   string
	headers        []string
	attempts       int
	verbose        bool
	log            io.Writer // of verbose
}

func (f *batchClient) add(cmd *cobra.Command) {
	fs := cmd.Flags()
	fs.StringVar(&f.baseURL, "base-url", "https://api.openai.com/v1", "base URL of the service, with its version")
	fs.StringVar(&f.state, "state", "", "where the answers are kept: a file, or the URL of a PostgreSQL database that\nseveral machines share")
	fs.StringVar(&f.tenant, "tenant", "", "whose answers these are, in place of the API key: for keys that change, or\nthat the machines do not have in common")
	fs.StringVar(&f.keys, "keys", "ignore", "what the service does with a repeated Idempotency-Key: ignore, replay or reject")
	fs.StringArrayVar(&f.headers, "header", nil, "request header, as 'Name: value', without credentials; repeatable")
	fs.IntVar(&f.attempts, "attempts", 5, "requests for an item at most, before it is a dead letter")
	fs.BoolVarP(&f.verbose, "verbose", "v", false, "log each call on standard error")
}

// target is where the items go.
func (f *batchClient) target() (batch.Target, error) {
	h, err := f.header()
	return batch.To(f.baseURL, h), err
}

// provider is what is known of the service at the base URL.
func (f *batchClient) provider() (idem.Provider, error) {
	p, ok := providers.Detect(f.baseURL)
	if !ok {
		p = providers.Gateway("openai-compatible", idem.Keys{})
	}
	switch f.keys {
	case "ignore":
	case "replay":
		p.Keys.Class = idem.Replay
	case "reject":
		p.Keys.Class = idem.Reject
	default:
		return p, fmt.Errorf("--keys %q: it is one of ignore, replay, reject", f.keys)
	}
	return p, nil
}

// client makes the client over a state; nil is for a plan, which needs none.
func (f *batchClient) client(state store.Store) (*idem.Client, error) {
	p, err := f.provider()
	if err != nil {
		return nil, err
	}
	logger := slog.New(slog.DiscardHandler)
	if f.verbose && f.log != nil {
		logger = slog.New(slog.NewTextHandler(f.log, nil))
	}
	if f.attempts < 1 {
		return nil, fmt.Errorf("--attempts %d: it is at least 1", f.attempts)
	}
	opts := []idem.Option{idem.WithLogger(logger), idem.WithRetry(idem.RetryPolicy{MaxAttempts: f.attempts})}
	if state != nil {
		opts = append([]idem.Option{idem.ForBatch(state)}, opts...)
	}
	if f.tenant != "" {
		opts = append(opts, idem.WithTenant(f.tenant))
	}
	return idem.New(p, opts...)
}
