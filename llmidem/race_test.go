//go:build race

package llmidem_test

const raceEnabled = true
