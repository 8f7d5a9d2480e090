//go:build !race

// The race detector makes pools forget what they hold, so that nothing can be said
// of allocations under it.

package identity_test

import (
	"net/http"
	"runtime/debug"
	"testing"

	"github.com/llmidem/llmidem-go/llmidem/identity"
	"github.com/stretchr/testify/require"
)

// A key allocates nothing once the scratch memory has grown.
func TestKeyAllocatesNothing(t *testing.T) {
	defer debug.SetGCPercent(debug.SetGCPercent(-1)) // which empties pools
	rules := identity.OpenAI()
	header := http.Header{"Content-Type": {"application/json"}, "Openai-Beta": {"a, b"}, "Authorization": {"x"}}
	for name, s := range map[string]identity.Scheme{
		"sha256": {}, "uuid5": identity.UUID5([16]byte{1}), "hmac": identity.HMAC("idem_", make([]byte, 32)),
	} {
		for _, l := range loads() {
			switch l.name {
			case "chat1KB", "chat100KB", "integers35KB", "cjk100KB", "escapes100KB":
			default:
				continue
			}
			req := identity.Request{Path: l.path, Header: header, Body: l.body()}
			call := identity.Call{Scope: "run-1", Occurrence: 2}
			n := testing.AllocsPerRun(20, func() {
				if _, err := rules.Key(req, call, s); err != nil {
					t.Fatal(err)
				}
			})
			require.Zero(t, n, "%s, %s", name, l.name)
		}
	}
}

// A handle of content in memory costs a key nothing but the reading of its placeholder.
func TestKeyOfAHandleAllocatesNothing(t *testing.T) {
	defer debug.SetGCPercent(debug.SetGCPercent(-1))
	a := identity.Bytes(random(1 << 20))
	req := heldChat(`"`+a.DataURI()+`"`, a)
	rules := identity.OpenAI()
	require.Zero(t, testing.AllocsPerRun(20, func() {
		if _, err := rules.Key(req, identity.Call{}, identity.Scheme{}); err != nil {
			t.Fatal(err)
		}
	}))
}
