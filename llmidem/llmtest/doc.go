// Package llmtest is an inference server for tests that speaks the APIs of OpenAI,
// Anthropic, Gemini and Ollama. It runs in the process of the test, answers in a way
// that can be predicted, fails the way real services and the networks before them
// fail, and keeps a ledger of what it was asked and what it would have billed.
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
// The routes may stand under any prefix.
//
//   - OpenAI: chat completions, completions and Responses (JSON and server-sent
//     events), embeddings, moderations, images (generations, edits, variations),
//     audio (speech, transcriptions, translations), GET models, and the paths of
//     Azure OpenAI deployments.
//   - Anthropic: /messages, as JSON and as events from message_start to message_stop.
//   - Gemini: MODEL:generateContent and MODEL:streamGenerateContent, the latter as
//     events with alt=sse, else as an array in JSON.
//   - Ollama: /api/chat and /api/generate, in lines unless stream is false, and
//     /api/embed.
//
// Errors, request ids and content types are those of the service whose route it is.
// Other paths are answered with 404.
//
// A text answer is "Answer to: " and the prompt (its first 64 words, for a longer
// one followed by a short digest), where the prompt of a chat is the text of its
// last message. Equal requests have equal answers; with [Sampled] every execution
// has its own, so that a test can tell a replayed answer from a new one. A token
// is a word: what white space separates, see [Tokens]. Streams have one event a
// word. Ids count executions: chatcmpl-llmtest-1, chatcmpl-llmtest-2. What is said in
// an uploaded file is "file" and its digest; a picture is a dot, speech is noise, and
// both are made of the text that a chat would have had.
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
