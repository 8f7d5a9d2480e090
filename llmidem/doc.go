// Package llmidem makes one logical inference call be paid for once, answered
// once, and found by its key: whatever the network, the provider, the retry loop
// and the process do.
//
// It is a layer under the clients people already use. A [Client] is an
// [net/http.RoundTripper]:
//
//	client, err := llmidem.New(providers.OpenAI())
//	api := goopenai.New(openai.DefaultConfig(token), client) // embeds *openai.Client
//	res, err := llmidem.Call(ctx, api.CreateChatCompletion, req, llmidem.User("u-42"))
//	fmt.Println(res.Receipt.Key, res.Receipt.Source, res.Value.Choices[0].Message.Content)
//
// For every inference call it builds an identity document out of the request
// (package identity), makes a key of that, and sends the key on every attempt.
// Equal calls within the time to live have one answer; equal calls at the same
// time share one request; a call that fails is made again when that is safe; a
// caller that gives up finds the answer when it asks again.
//
// Streams are calls like others ([CallStream]): recorded once every choice is
// finished, given again byte for byte, and shared live by who asks for them at the
// same time. One that breaks off is [CodeInterrupted], never a shorter answer.
//
// The steps of a program are a run ([WithRun]): killed and started again with the
// same id, it finds its answers in order and goes on where it stopped.
//
// It promises no "exactly once": no client can. It promises that no recorded
// answer is paid for twice, that no wrong or partial answer is ever given out,
// and that whatever is in doubt is said to be ([CodeAmbiguous]).
//
// Everything here is safe for concurrent use unless it says otherwise. Nothing
// is global: what is shared is shared through a Client.
package llmidem

// ScopeName is the instrumentation scope of all spans and metrics of this module.
const ScopeName = "github.com/llmidem/llmidem-go/llmidem"

// Version is the version of this module in the instrumentation scope.
const Version = "0.1.0"
