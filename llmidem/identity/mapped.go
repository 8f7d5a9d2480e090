package identity

import "errors"

// window is how much of a large file is looked at at once: enough that mapping it
// costs nothing beside the hash, which copying it through a buffer does (a tenth).
const window = 4 << 20

// errNotMapped says that a file has to be read.
var errNotMapped = errors.New("this file cannot be mapped")
