//go:build !amd64 || purego

package identity

// block is blockPlain where there is no faster way.
func block(src []byte, i int) (int, uint32) { return blockPlain(src, i) }
