package redisstore_test

import (
	"bytes"
	"context"
	"log/slog"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/llmidem/llmidem-go/llmidem/store/redisstore"
)

// tryOpen opens a store and returns what it logged.
func tryOpen(t *testing.T, url string) (logged string, err error) {
	t.Helper()
	var log bytes.Buffer
	s, err := redisstore.Open(context.Background(), url, redisstore.WithLogger(slog.New(slog.NewTextHandler(&log, nil))))
	if err == nil {
		require.NoError(t, s.Close())
	}
	return log.String(), err
}

func TestPolicies(t *testing.T) {
	server := start(t)
	c := raw(t, server.url())
	for policy, want := range map[string]struct{ err, log string }{
		"noeviction":      {},
		"volatile-lru":    {log: "volatile-lru"},
		"volatile-lfu":    {log: "volatile-lfu"},
		"volatile-ttl":    {log: "volatile-ttl"},
		"volatile-random": {log: "volatile-random"},
		"allkeys-lru":     {err: "allkeys-lru"},
		"allkeys-lfu":     {err: "allkeys-lfu"},
		"allkeys-random":  {err: "allkeys-random"},
	} {
		command(t, c, "CONFIG", "", "SET", "maxmemory-policy", policy)
		logged, err := tryOpen(t, server.url())
		if want.err != "" {
			require.ErrorContains(t, err, want.err)
			require.ErrorContains(t, err, "set it to noeviction", "what to do about it")
			_, err = redisstore.New(context.Background(), c)
			require.ErrorContains(t, err, want.err)
			continue
		}
		require.NoError(t, err, policy)
		if want.log == "" {
			require.Empty(t, logged)
		} else {
			require.Contains(t, logged, want.log)
			require.Contains(t, logged, "level=WARN")
		}
	}
}

// TestPolicies_Forbidden: managed servers do not answer everything.
func TestPolicies_Forbidden(t *testing.T) {
	server := start(t)
	c := raw(t, server.url())
	command(t, c, "CONFIG", "", "SET", "maxmemory-policy", "allkeys-lru")
	user := func(name string, forbidden ...string) string {
		command(t, c, "ACL", "", append([]string{"SETUSER", name, "on", ">secret", "~*", "&*", "+@all"}, forbidden...)...)
		return strings.Replace(server.url(), "//", "//"+name+":secret@", 1)
	}
	_, err := tryOpen(t, user("no-config", "-config"))
	require.ErrorContains(t, err, "allkeys-lru")
	_, err = tryOpen(t, user("no-info", "-info"))
	require.ErrorContains(t, err, "allkeys-lru")
	logged, err := tryOpen(t, user("neither", "-info", "-config"))
	require.NoError(t, err)
	require.Contains(t, logged, "does not say what it evicts")
	require.Contains(t, logged, "level=WARN")
}

// TestACL: the user of the package's documentation may do all that is needed.
func TestACL(t *testing.T) {
	server := start(t)
	command(t, raw(t, server.url()), "ACL", "", strings.Fields("SETUSER llmidem on >password ~llmidem:* &llmidem:* +@connection +@scripting +@string +@pubsub +del +time +info +cluster")...)
	url := strings.Replace(server.url(), "//", "//llmidem:password@", 1)
	logged, err := tryOpen(t, url)
	require.NoError(t, err)
	require.Empty(t, logged)
	s := open(t, url)
	id, c := hold(t, s)
	notice, _ := watchID(t, s, id)
	require.NoError(t, s.Renew(context.Background(), id, c.Owner, long))
	require.NoError(t, s.Settle(context.Background(), id, c.Owner, released))
	noticed(t, notice)
}
