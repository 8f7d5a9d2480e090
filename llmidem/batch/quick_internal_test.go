package batch

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestQuickID(t *testing.T) {
	id, ok := quickID([]byte(`{"custom_id": "request-1", "method": "POST"}`))
	require.True(t, ok)
	require.Equal(t, "request-1", id)
	for _, text := range []string{``, `{}`, `{"custom_id":""}`, `{"custom_id":7}`, `{"custom_id":"a`, `{"custom_id":"a\n"}`,
		`{"method":"POST","custom_id":"a"}`, `{"custom_id":"a","custom_id":"b"}`, "{\"custom_id\":\"\xff\"}"} {
		_, ok := quickID([]byte(text))
		require.False(t, ok, text)
	}
}
