//go:build !unix && !windows

package llmidem

import (
	"errors"
	"os"
)

// newSpoolFile fails where no file is sure to go with its process.
func newSpoolFile() (*os.File, error) { return nil, errors.ErrUnsupported }
