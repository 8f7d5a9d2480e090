package main

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestKeyFlags(t *testing.T) {
	secret := strings.Repeat("\x01\x23\x45\x67\x89\xab\xcd\xef", 4)
	t.Setenv("LLMIDEM_TEST_SECRET", secret)
	for _, c := range []struct {
		vector, scheme string
		args           []string
	}{
		{"chat/seed", "sha256", nil},
		{"chat/volatile fields leave", "sha256", []string{"--provider", "openai", "--scheme", "sha256"}},
		{"chat/user of the option is the same user", "sha256", []string{"--user", "u-1"}},
		{"chat/scope", "sha256", []string{"--scope", "run-42"}},
		{"chat/occurrence", "sha256", []string{"--scope", "run-42", "--occurrence", "2"}},
		{"chat/excluded by path", "sha256", []string{"--exclude", "metadata.span"}},
		{"chat/no exclusion at all", "sha256", []string{"--no-exclude"}},
		{"chat/no exclusion at all", "sha256", []string{"--exclude", ""}},
		{"chat/header lines are one list", "sha256", []string{"--header", "OpenAI-Beta: b , a", "--header", "openai-beta:c"}},
		{"chat/model of the deployment", "sha256", []string{"--route", "/openai/deployments/prod-4o/chat/completions"}},
		{"chat/prefix, namespace and secret", "sha256", []string{"--prefix", "acme_"}},
		{"chat/prefix, namespace and secret", "uuid5", []string{"--scheme", "uuid5", "--namespace", "6ba7b810-9dad-11d1-80b4-00c04fd430c8"}},
		{"chat/prefix, namespace and secret", "hmac", []string{"--scheme", "hmac", "--prefix", "acme_", "--secret-file", file(t, "secret", secret+"\n")}},
		{"chat/prefix, namespace and secret", "hmac", []string{"--scheme", "hmac", "--prefix", "acme_", "--secret-file", file(t, "secret", secret+"\r\n")}},
		{"chat/prefix, namespace and secret", "hmac", []string{"--scheme", "hmac", "--prefix", "acme_", "--secret-env", "LLMIDEM_TEST_SECRET"}},
		{"chat/seed", "uuid5", []string{"--scheme", "uuid5"}},
		{"embeddings/text", "sha256", []string{"--route", "/v1/embeddings"}},
		{"anthropic/user by option is the same user", "sha256", []string{"--provider", "anthropic", "--user", "u-1"}},
		{"anthropic/user by body", "sha256", []string{"--provider", "anthropic"}},
		{"gemini/stream", "sha256", []string{"--provider", "gemini", "--route", "/v1beta/models/gemini-2.5-flash:streamGenerateContent?alt=sse"}},
		{"ollama", "sha256", []string{"--provider", "ollama"}},
	} {
		t.Run(c.vector, func(t *testing.T) {
			v := vectorNamed(t, c.vector)
			a := v.want(t)
			want := map[string]string{"sha256": a.SHA256, "uuid5": a.UUID5, "hmac": a.HMAC}[c.scheme]
			args := append([]string{"key"}, c.args...)
			require.Equal(t, result{0, want + "\n", ""}, llmidem(v.body(t), args...))
			require.Equal(t, result{0, want + "\n", ""}, llmidem(v.body(t), append(args, "-")...))
			require.Equal(t, result{0, want + "\n", ""}, llmidem("", append(args, file(t, "body.json", v.body(t)))...))
		})
	}
}

func TestKeyOfAForm(t *testing.T) {
	form := "--xyz\r\nContent-Disposition: form-data; name=\"model\"\r\n\r\nwhisper-1\r\n" +
		"--xyz\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.WAV\"\r\nContent-Type: audio/wav\r\n\r\nRIFF\r\n--xyz--\r\n"
	call := `{"profile":"openai","route":"/v1/audio/transcriptions","body":[{"name":"model","text":"whisper-1"},` +
		`{"name":"file","filename":"a.WAV","type":"audio/wav","base64":"UklGRg=="}]}`
	r := llmidem(form, "key", "--route", "/v1/audio/transcriptions", "--header", "Content-Type: multipart/form-data; boundary=xyz")
	require.Equal(t, 0, r.status, r.err)
	require.Contains(t, llmidem(call, "key", "--calls").out, strings.TrimSpace(r.out))
}
