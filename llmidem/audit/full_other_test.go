//go:build !linux && !darwin

package audit_test

import "errors"

// fillUp needs a limit on the size of files.
func fillUp(string) error { return errors.New("there is no such limit here") }

func fullAtRotation(string) error { return errors.New("there is no such limit here") }
