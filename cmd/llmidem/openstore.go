package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"

	"github.com/llmidem/llmidem-go/llmidem/store"
	"github.com/llmidem/llmidem-go/llmidem/store/boltstore"
	"github.com/llmidem/llmidem-go/llmidem/store/pgstore"
	"github.com/llmidem/llmidem-go/llmidem/store/redisstore"
)

// opened is a store and how it is closed.
type opened struct {
	store.Store
	close func(context.Context) error
	// damaged is how many records were read that are damaged; nil where that is the
	// server's matter.
	damaged func() uint64
}

// maxEntry is the largest answer that is kept.
const maxEntry = 64 << 20

// openStore opens the store that a flag names: the path of a file, or a URL. It is
// the one place that knows which stores there are.
func openStore(ctx context.Context, name string) (*opened, error) {
	scheme, path, url := strings.Cut(name, "://")
	switch {
	case name == "":
		return nil, errors.New("--state is missing: a file, postgres://… or redis://…")
	case !url:
		return openFile(name)
	case scheme == "bolt":
		return openFile(path)
	case scheme == "postgres" || scheme == "postgresql":
		s, err := pgstore.Open(ctx, name, pgstore.WithMaxEntry(maxEntry), pgstore.WithLogger(slog.New(slog.DiscardHandler)))
		if err != nil {
			return nil, err
		}
		return &opened{Store: s, close: s.Close}, nil
	case scheme == "redis" || scheme == "rediss":
		s, err := redisstore.Open(ctx, name, redisstore.WithMaxEntry(maxEntry), redisstore.WithLogger(slog.New(slog.DiscardHandler)))
		if err != nil {
			return nil, err
		}
		return &opened{Store: s, close: func(context.Context) error { return s.Close() }}, nil
	}
	return nil, fmt.Errorf("--state: no store is called %s; it is a file, postgres://… or redis://…", printable(scheme))
}

func openFile(path string) (*opened, error) {
	s, err := boltstore.Open(path, boltstore.WithMaxEntry(maxEntry))
	if err != nil {
		return nil, err
	}
	return &opened{Store: s, close: func(context.Context) error { return s.Close() },
		damaged: func() uint64 { return s.Stats().Damaged }}, nil
}

// isServer reports whether a state is one that others may share.
func isServer(state string) bool {
	scheme, _, ok := strings.Cut(state, "://")
	return ok && scheme != "bolt"
}
