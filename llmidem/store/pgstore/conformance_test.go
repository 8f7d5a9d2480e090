package pgstore_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/llmidem/llmidem-go/llmidem/store"
	"github.com/llmidem/llmidem-go/llmidem/store/pgstore"
	"github.com/llmidem/llmidem-go/llmidem/store/storetest"
)

// limit is the longest answer of the stores that are tested for it.
const limit = 2 << 20

// TestConformance runs the suite in each way that statements can be sent, and
// under the isolation that makes them fail most often. Waiting for the disk makes no
// difference there, so it does not.
func TestConformance(t *testing.T) {
	for name, params := range map[string][]string{
		"default":         nil,
		"cache_describe":  {"default_query_exec_mode", "cache_describe", "synchronous_commit", "off"},
		"exec":            {"default_query_exec_mode", "exec", "synchronous_commit", "off"},
		"simple_protocol": {"default_query_exec_mode", "simple_protocol", "synchronous_commit", "off"},
		"serializable":    {"default_transaction_isolation", "serializable", "synchronous_commit", "off"},
		"one connection":  {"pool_max_conns", "1"},
	} {
		t.Run(name, func(t *testing.T) {
			schema := newSchema(t)
			storetest.Run(t, func(t *testing.T) store.Store {
				return open(t, with(t, serverURL(t), params...), schema, pgstore.WithMaxEntry(limit))
			}, storetest.Limit(limit))
		})
	}
}

func TestTraits(t *testing.T) {
	s, schema := newStore(t)
	require.Equal(t, store.Traits{Durable: true, Shared: true}, store.TraitsOf(s))

	s = open(t, with(t, serverURL(t), "synchronous_commit", "off"), schema)
	require.Equal(t, store.Traits{Shared: true}, s.Traits(), "what is settled is not on disk")

	do(t, admin(t), "ALTER TABLE "+table(schema)+" SET UNLOGGED")
	s = open(t, serverURL(t), schema)
	require.Equal(t, store.Traits{Shared: true}, s.Traits(), "what is settled goes with the server")
}
