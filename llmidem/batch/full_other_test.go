//go:build !(linux || darwin)

package batch_test

import "errors"

func (o *order) fillUp() error { return errors.New("not here") }
