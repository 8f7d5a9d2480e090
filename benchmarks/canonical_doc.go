// Package benchmarks measures the identity package beside plain SHA-256 and beside
// other ways to make canonical JSON. It is a module of its own: what is measured
// here beside the library is linked by no user of it.
package benchmarks
