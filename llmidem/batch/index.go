package batch

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"slices"
)

// index is what is known of every item: 20 bytes to find it by its custom id, four
// for its occurrence, if any are equal, and a few bits.
type index struct {
	n      int
	ids    []entry  // by digest, once they are sorted
	occurs []uint32 // by number; nil when all are 0
	equal  int      // items that are equal to an earlier one

	done   bits // its line is in the results
	failed bits // and says that it is a dead letter
}

// entry is a digest of an item and the item's number, from 0.
type entry struct {
	sum [16]byte // of SHA-256
	n   uint32
}

// maxItems is what the numbers of entries can count.
const maxItems = 1<<32 - 1

func short(text string) (sum [16]byte) {
	whole := sha256.Sum256([]byte(text))
	copy(sum[:], whole[:])
	return sum
}

func sortEntries(list []entry) {
	slices.SortFunc(list, func(a, b entry) int {
		if c := bytes.Compare(a.sum[:], b.sum[:]); c != 0 {
			return c
		}
		return cmp.Compare(a.n, b.n)
	})
}

// repeats calls found for each entry of a sorted list that is equal to an earlier
// one: with the first of them, how many there were before it, and its own number.
func repeats(list []entry, found func(first, before, n uint32)) {
	first := 0
	for i := 1; i < len(list); i++ {
		if list[i].sum != list[first].sum {
			first = i
			continue
		}
		found(list[first].n, uint32(i-first), list[i].n)
	}
}

// occurrence is which of several equal items number n is.
func (x *index) occurrence(n int) uint64 {
	if x.occurs == nil {
		return 0
	}
	return uint64(x.occurs[n])
}

// count finds the occurrences by the addresses of the items, which are not kept.
// Without apply, equal items are only counted.
func (x *index) count(addresses []entry, apply bool) {
	sortEntries(addresses)
	repeats(addresses, func(_, before, n uint32) {
		x.equal++
		if !apply {
			return
		}
		if x.occurs == nil {
			x.occurs = make([]uint32, x.n)
		}
		x.occurs[n] = before
	})
}

// find returns the number of an item by its custom id.
func (x *index) find(customID string) (n int, ok bool) {
	sum := short(customID)
	i, ok := slices.BinarySearchFunc(x.ids, sum, func(e entry, sum [16]byte) int { return bytes.Compare(e.sum[:], sum[:]) })
	if !ok {
		return 0, false
	}
	return int(x.ids[i].n), true
}

// bits is a set of numbers below a fixed one.
type bits []uint64

func newBits(n int) bits { return make(bits, (n+63)/64) }

func (b bits) has(n int) bool { return b[n/64]&(1<<(n%64)) != 0 }
func (b bits) set(n int)      { b[n/64] |= 1 << (n % 64) }
func (b bits) clear(n int)    { b[n/64] &^= 1 << (n % 64) }
