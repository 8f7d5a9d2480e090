// Package identity says when two inference calls are the same logical call.
//
// From the bytes of a request it makes an identity document, a small JSON object
// with the operation, the model, a digest of the prompt, the parameters, the user
// and a few more members, and from the document a [Key]. Two requests that differ
// in member order, white space, escapes or the form of a number have one document
// and one key; two that differ in anything that can change the answer have two.
// SPEC.md beside this file is the rule; this package follows it to the byte.
//
// [Rules] describe one provider as data: [OpenAI], [Anthropic], [Gemini] and
// [Ollama] return the built-in ones. [Rules.Identify] returns the [Document],
// [Rules.Key] goes straight to the key and allocates nothing once warm.
// [Function] is for calls that are no inference requests and [Payload] for keys
// agreed with services that know nothing of the document.
//
// An [Attachment] is a handle of content, such as a file: hashed once, it stands in
// any number of requests as a short placeholder that counts as the content would, and
// [Splices] put the content in its place while the request is sent.
//
// What has no canonical form is refused with a [*Refusal], never guessed at.
//
// Everything here is safe for concurrent use, provided that a Rules value is not
// changed while in use. No function keeps the request's memory after it returns; an
// Attachment keeps the content that it was given.
package identity
