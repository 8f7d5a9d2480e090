// Package examples holds one program a folder. Each runs offline, on real input
// that lies beside it, and its output.txt is what it prints: the test of this
// package runs them all and compares.
//
//   - readme: the program of the README
//   - key: what a key is made of
//   - quickstart: eight questions to a server that fails, and the bill
//   - agent: six steps of an agent that is killed again and again, each paid for once
//   - documents: ten questions about a file of 50 MB, beside bare go-openai
//   - observe: the log lines, spans and metrics of a call
//
// In sdks, a module of its own, are those for other SDKs: openai-go, anthropic-sdk-go,
// genai, langchaingo and eino.
package examples
