package llmidem

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/llmidem/llmidem-go/llmidem/identity"
	"github.com/llmidem/llmidem-go/llmidem/store"
)

// A record that another version of this module made, of another document or in
// another form, is no mismatch: the one lies elsewhere, the other is in doubt.
func TestK14_AnotherVersionIsNoMismatch(t *testing.T) {
	c, sends := foreignClient(t)
	doc, err := identity.OpenAI().Identify(identity.Request{Path: "/v1/chat/completions", Body: []byte(`{"model":"m","messages":[]}`)}, identity.Call{})
	require.NoError(t, err)
	next := bytes.Replace(doc.Canonical(), []byte(`"v":1`), []byte(`"v":2`), 1)
	require.NotEqual(t, doc.Canonical(), next)
	sum := sha256.Sum256(next)
	elsewhere := address(c.homeOf(nil, "").namespace, "https://api.invalid/v1", "idem_"+hex.EncodeToString(sum[:]))
	plant(t, c, elsewhere, store.Fingerprint{2}, []byte("of version 2"))

	here, rec := recordOf(t, c)
	require.NotEqual(t, elsewhere, here)
	require.Equal(t, 1, *sends)
	other, err := c.store.Get(t.Context(), elsewhere)
	require.NoError(t, err)
	require.Equal(t, "of version 2", string(other.Body))

	payload := bytes.Clone(rec.Body[boundSize:])
	payload[0] = 9 // a form that is not known
	cl := &call{core: c.core, address: here, finger: rec.Fingerprint}
	digest := cl.binding(payload)
	plant(t, c, here, rec.Fingerprint, append(append([]byte{recordBound}, digest[:]...), payload...))
	_, text, err := chatOnce(t, c)
	require.NoError(t, err)
	require.Equal(t, wholeAnswer, text)
	require.Equal(t, 2, *sends)
}
