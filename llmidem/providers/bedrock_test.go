package providers_test

import (
	"context"
	"errors"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/llmidem/llmidem-go/llmidem"
	"github.com/llmidem/llmidem-go/llmidem/identity"
	"github.com/llmidem/llmidem-go/llmidem/providers"
)

// job is the part of CreateModelInvocationJob's input that these tests need, with
// the field as the AWS SDK has it.
type job struct {
	JobName            string
	ModelID            string
	ClientRequestToken *string
}

// aws starts a job for each token that it has not seen.
type aws struct{ jobs map[string]string }

func (a *aws) create(in job) string {
	token := "random" // what the SDK draws
	if in.ClientRequestToken != nil {
		token = *in.ClientRequestToken
	}
	if a.jobs[token] == "" {
		a.jobs[token] = "arn:" + in.JobName
	}
	return a.jobs[token]
}

// The batch form works as it is documented: one token per job, also after a
// failure that left the outcome open and in a program that was started again.
func TestK11_BedrockToken(t *testing.T) {
	service := &aws{jobs: map[string]string{}}
	fail := errors.New("connection reset")
	start := func(client *llmidem.Client, name string, err error) (llmidem.Result[string], error) {
		in := job{JobName: name, ModelID: "amazon.nova-lite-v1:0"}
		return llmidem.Do(context.Background(), client, "bedrock.create_model_invocation_job", in, func(_ context.Context, key identity.Key) (string, error) {
			token, bad := providers.BedrockToken(key)
			if bad != nil {
				return "", llmidem.NotExecuted(bad)
			}
			in.ClientRequestToken = &token
			arn := service.create(in)
			return arn, err
		})
	}
	first := newClient(t, providers.Bedrock(), always(reply{}))
	_, err := start(first, "nightly", fail)
	require.ErrorIs(t, err, fail)
	require.Equal(t, llmidem.CodeAmbiguous, llmidem.CodeOf(err))
	for range 2 {
		res, err := start(first, "nightly", nil)
		require.NoError(t, err)
		require.Equal(t, "arn:nightly", res.Value)
	}
	restarted := newClient(t, providers.Bedrock(), always(reply{}))
	_, err = start(restarted, "nightly", nil)
	require.NoError(t, err)
	require.Len(t, service.jobs, 1)
	_, err = start(restarted, "weekly", nil)
	require.NoError(t, err)
	require.Len(t, service.jobs, 2)
	for token := range service.jobs {
		require.Regexp(t, `^[a-zA-Z0-9]{1,256}(-*[a-zA-Z0-9]){0,256}$`, token)
	}
}

func TestK11_KeysThatBedrockDoesNotTake(t *testing.T) {
	sample, err := identity.Function("x", []byte("1"), identity.Call{})
	require.NoError(t, err)
	digest, err := identity.SHA256("idem_").Key(sample)
	require.NoError(t, err)
	own, err := identity.Foreign("order_1")
	require.NoError(t, err)
	trailing, err := identity.Foreign("order-")
	require.NoError(t, err)
	for _, key := range []identity.Key{digest, own, trailing, {}} {
		_, err := providers.BedrockToken(key)
		require.ErrorContains(t, err, "identity.UUID5", "%q", key.String())
	}
	fine, err := identity.Foreign("order-1")
	require.NoError(t, err)
	token, err := providers.BedrockToken(fine)
	require.NoError(t, err)
	require.Equal(t, "order-1", token)
}
