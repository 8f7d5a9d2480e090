//go:build !linux && !darwin

package identity

import (
	"context"
	"os"
)

func hashMapped(context.Context, *os.File, int64) (*content, error) { return nil, errNotMapped }
