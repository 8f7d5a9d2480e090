package redisstore_test

import (
	"testing"

	"github.com/redis/rueidis"
	"github.com/stretchr/testify/require"

	"github.com/llmidem/llmidem-go/llmidem/store"
	"github.com/llmidem/llmidem-go/llmidem/store/redisstore"
	"github.com/llmidem/llmidem-go/llmidem/store/storetest"
)

// conform runs the suite; the stores of one run share their records.
func conform(t *testing.T, url string, opts ...redisstore.Option) {
	opts = append(opts, redisstore.WithPrefix(freshPrefix()), redisstore.WithMaxEntry(2<<20))
	storetest.Run(t, func(t *testing.T) store.Store { return open(t, url, opts...) }, storetest.Limit(2<<20))
}

func TestConformance_Single(t *testing.T) { conform(t, "redis://"+single(t)) }

func TestConformance_Cluster(t *testing.T) { conform(t, cluster(t)) }

func TestConformance_RESP2(t *testing.T) { conform(t, "redis://"+single(t)+"?protocol=2") }

// TestConformance_UsersClient: over a client that retries, caches, and has what else
// a client has by default.
func TestConformance_UsersClient(t *testing.T) {
	client, err := rueidis.NewClient(rueidis.ClientOption{InitAddress: []string{single(t)}})
	require.NoError(t, err)
	t.Cleanup(client.Close)
	opts := []redisstore.Option{redisstore.WithPrefix(freshPrefix()), redisstore.WithMaxEntry(2 << 20), redisstore.WithCompression(-1)}
	storetest.Run(t, func(t *testing.T) store.Store {
		s, err := redisstore.New(t.Context(), client, opts...)
		require.NoError(t, err)
		t.Cleanup(func() { require.NoError(t, s.Close()) })
		return s
	}, storetest.Limit(2<<20))
}
