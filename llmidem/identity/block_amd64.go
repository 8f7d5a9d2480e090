//go:build !purego

package identity

import (
	"github.com/segmentio/asm/cpu"
	"github.com/segmentio/asm/cpu/x86"
)

var hasAVX2 = cpu.X86.Has(x86.AVX2)

// blockAVX2 looks at 32 bytes at a time of the n at p, as blockPlain does. Its bits
// are exact, and 0 only where less than 32 bytes are left.
//
//go:noescape
func blockAVX2(p *byte, n int) (at int, bits uint32)

// block finds the first 32 bytes from i on, in steps of 32, that hold a byte that
// plain stops at, and returns their offset and these bytes as bits. A bit above
// another may be set for nothing. Less than 33 bytes are left to strEnd, with no
// bits.
func block(src []byte, i int) (int, uint32) {
	if !hasAVX2 || i+33 > len(src) {
		return blockPlain(src, i)
	}
	at, bits := blockAVX2(&src[i], len(src)-1-i)
	return i + at, bits
}
