package providers_test

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/llmidem/llmidem-go/llmidem"
	"github.com/llmidem/llmidem-go/llmidem/identity"
	"github.com/llmidem/llmidem-go/llmidem/providers"
)

// A gateway that is known to replay by key, and takes keys of at most 36 characters
// as quoted strings for a day.
func ExampleGateway() {
	gateway := providers.Gateway("acme", llmidem.Keys{
		Class: llmidem.Replay, Quoted: true, MaxLen: 36, Window: 24 * time.Hour,
	})
	_, err := llmidem.New(gateway)
	fmt.Println(err)

	namespace := uuid.MustParse("6f1f6c7e-6d0c-4b6b-9d5e-0b6a3f0c8f11") // your own, kept for good
	client, err := llmidem.New(gateway, llmidem.WithScheme(identity.UUID5(namespace)))
	if err != nil {
		panic(err)
	}
	defer client.Close(context.Background())
	fmt.Println(client.Provider().Name, client.Provider().Keys.Class)
	// Output:
	// llmidem: the provider does not take keys of scheme sha256: the key has 69 bytes and the service takes 36; use WithScheme(identity.UUID5(namespace)), whose keys have 36
	// acme replay
}

// The provider of a base URL that comes from a configuration.
func ExampleDetect() {
	for _, base := range []string{
		"https://api.openai.com/v1",
		"https://acme.openai.azure.com",
		"http://localhost:11434",
		"http://localhost:11434/v1",
		"https://api.openai.com.example.org/v1",
	} {
		provider, ok := providers.Detect(base)
		if !ok {
			provider = providers.Gateway("internal", llmidem.Keys{})
		}
		fmt.Println(ok, provider.Name, provider.Dialect)
	}
	// Output:
	// true openai openai
	// true azure.ai.openai openai
	// true ollama ollama
	// true ollama openai
	// false internal openai
}

// A batch job is started once, whatever becomes of the connection and the process:
// its token is made of its content, before the AWS SDK signs the request.
func ExampleBedrockToken() {
	namespace := uuid.MustParse("6f1f6c7e-6d0c-4b6b-9d5e-0b6a3f0c8f11")
	client, err := llmidem.New(providers.Bedrock(), llmidem.WithScheme(identity.UUID5(namespace)))
	if err != nil {
		panic(err)
	}
	defer client.Close(context.Background())

	input := job{JobName: "nightly", ModelID: "amazon.nova-lite-v1:0"} // bedrock.CreateModelInvocationJobInput
	res, err := llmidem.Do(context.Background(), client, "bedrock.create_model_invocation_job", input,
		func(_ context.Context, key identity.Key) (string, error) {
			token, err := providers.BedrockToken(key)
			if err != nil {
				return "", llmidem.NotExecuted(err)
			}
			input.ClientRequestToken = &token
			// out, err := api.CreateModelInvocationJob(ctx, &input)
			return "job with token " + token, nil
		})
	fmt.Println(res.Value, err)
	// Output:
	// job with token 78d01a9b-7837-5ebc-8f9d-305a18ee5a2f <nil>
}
