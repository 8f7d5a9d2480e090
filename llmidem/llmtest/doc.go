// Package llmtest is an OpenAI-compatible inference server for tests. It runs in
// the process of the test, answers in a way that can be predicted, fails the way
// real services and the networks before them fail, and keeps a ledger of what it
// was asked and what it would have billed.
//
//	srv := llmtest.New(t)
//	srv.Next(llmtest.Status(429).RetryAfter(2*time.Second), llmtest.DropAfter())
//	// … calls to srv.URL(), or to any URL over srv.Transport() …
//	if n := srv.Ledger().Executions(); n != 1 { … }
//
// # Ways to reach it
//
// [Server.URL] starts a listener on the loopback interface: HTTP/1.1, with
// [WithTLS] HTTPS, with [HTTP2] HTTP/2 over TLS. [Server.Transport] needs no
// network: it is an http.RoundTripper in memory whose waits are waits for
// channels, conditions and timers alone, so that it works inside a bubble of
// testing/synctest, where time is fake. Both run the same handler.
//
// # Answers
//
// The routes are those of the OpenAI API, under any prefix: chat completions,
// completions and Responses (JSON and server-sent events), embeddings and
// moderations (JSON), GET models, and the paths of Azure OpenAI deployments. Other
// routes are answered with 404 and an error body of that API.
//
// A text answer is "Answer to: " and the prompt (its first 64 words, for a longer
// one followed by a short digest), where the prompt of a chat is the text of its
// last message. Equal requests have equal answers; with [Sampled] every execution
// has its own, so that a test can tell a replayed answer from a new one. A token
// is a word: what white space separates, see [Tokens]. Streams have one event a
// word. Ids count executions: chatcmpl-llmtest-1, chatcmpl-llmtest-2.
//
// # Work and faults
//
// What the server would bill is called the work. It happens once for each request
// that is executed, and is in the ledger from the moment it begins: a client that
// goes away does not stop it. A [Fault] says whether the work happens, what the
// answer looks like and how it is delivered. Faults wait in a queue
// ([Server.Next]) that each arriving request takes one from, or are chosen by a
// function ([Server.Handle]).
//
// # Idempotency keys
//
// Like every large inference service the server ignores keys, and keeps them in
// its ledger. [WithKeys] makes it replay or reject repeated ones.
package llmtest
