// Package peers tests llmidem against servers that others wrote, started on loopback
// and ended with the test:
//
//   - aimock (the npm package @copilotkit/aimock), which answers what it is told to,
//     fails in ways of its own, and keeps a journal of what came
//   - a small server around node-llama-cpp, which draws its answers from a language
//     model, so that no two are alike, and counts real tokens
//
// Both are in the folder node and need node 20.15 or newer:
//
//	(cd peers/node && npm ci && npm ci --prefix llama)
//	cd peers && LLMIDEM_TEST_MODEL=/path/to/stories260K.gguf go test ./...
//
// LLMIDEM_TEST_MODEL names a model of llama.cpp's format, which is not part of the
// repository; any that tells stories will do. Without it only aimock is tested.
package peers
