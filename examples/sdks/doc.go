// Package sdks holds one program a folder, each of which puts llmidem under an SDK:
// one llmidem client is the Transport of the http.Client that the SDK is given, and
// the SDK's own retries are off. Each runs offline, and its output.txt is what it
// prints. The tests of this package run them all and compare, and show that answers,
// streams and errors come out of the SDKs as without llmidem.
//
//   - openai: github.com/openai/openai-go
//   - anthropic: github.com/anthropics/anthropic-sdk-go
//   - gemini: google.golang.org/genai
//   - langchain: github.com/tmc/langchaingo
//   - eino: github.com/cloudwego/eino with the OpenAI model of eino-ext
//
// It is a module of its own, so that llmidem needs none of them.
package sdks
