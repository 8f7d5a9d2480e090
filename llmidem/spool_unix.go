//go:build unix

package llmidem

import "os"

// newSpoolFile is a file that only this process has: it loses its name at once,
// and goes with its last descriptor, whatever ends the process.
func newSpoolFile() (*os.File, error) {
	file, err := os.CreateTemp("", "llmidem-*") // mode 0600
	if err != nil {
		return nil, err
	}
	if err := os.Remove(file.Name()); err != nil {
		_ = file.Close() // the first error says more
		return nil, err
	}
	return file, nil
}
