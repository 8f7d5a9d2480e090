package identity

import (
	"errors"
	"testing"

	"github.com/stretchr/testify/require"
)

// Bytes that are no text are told as that, also where no string is.
func TestK6_NotUTF8OutsideOfStrings(t *testing.T) {
	for text, want := range map[string]struct {
		code   Code
		offset int64
	}{
		"\xff":                   {CodeInvalidUTF8, 0},
		"{\"a\":1,\xc3\x28}":     {CodeInvalidUTF8, 7},
		"{\"a\":1} \xed\xa0\x80": {CodeInvalidUTF8, 8},
		"{\"ä\":1,}":             {CodeInvalidJSON, 8},
		"{\"\xff\":1}":           {CodeInvalidUTF8, 2},
	} {
		_, err := Payload([]byte(text))
		var refusal *Refusal
		require.True(t, errors.As(err, &refusal), "%q", text)
		require.Equal(t, want.code, refusal.Code, "%q", text)
		require.Equal(t, want.offset, refusal.Offset, "%q", text)
	}
}

func TestExtension(t *testing.T) {
	for name, want := range map[string]string{
		"a.MP3": "mp3", "a.mp3\n": "mp3", "a.mp3\n\n": "", "a.mp3\r\n": "", "a.": "", "a": "", ".png": "png",
		"a.tar.gz": "gz", "a.p ng": "", "a.äb": "", "": "",
	} {
		require.Equal(t, want, extension(name), "%q", name)
	}
}
