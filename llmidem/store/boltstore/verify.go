package boltstore

import (
	"bytes"
	"fmt"
	"hash/fnv"
	"io"
)

// verify reads a whole file, before bbolt does: bbolt takes what it finds there
// for true, and goes astray or crashes over what is not. It returns why the file
// cannot be used, or an empty string.
func verify(f io.ReaderAt, size int64) (fault string) {
	v := &verifier{f: f, size: size}
	defer func() {
		if p := recover(); p != nil {
			found, ok := p.(finding)
			if !ok {
				panic(p)
			}
			fault = string(found)
		}
	}()
	v.metas()
	buckets := v.buckets()
	v.free()
	h, fault := decodeHeader(buckets.header)
	switch {
	case fault != "":
	case h.records != buckets.records:
		fault = fmt.Sprintf("it has %d records and should have %d, or they have other ids", buckets.records.count, h.records.count)
	case h.flight != buckets.flight:
		fault = fmt.Sprintf("it has %d claims and should have %d, or they have other ids", buckets.flight.count, h.flight.count)
	}
	return fault
}

// finding ends a verification from wherever it is.
type finding string

func find(format string, args ...any) { panic(finding(fmt.Sprintf(format, args...))) }

// verifier holds what is known of a file so far.
type verifier struct {
	f        io.ReaderAt
	size     int64
	pageSize int64
	meta     meta
	taken    []uint64 // a bit for each page that something is in, or that is free
}

// meta is what one of the two meta pages says; the one with the higher number
// holds.
type meta struct {
	pageSize                    uint32
	root, freelist, end, number uint64
}

// The layout of bbolt's files, which is in the byte order of the machine.
const (
	metaAt       = 16 // after the page's header
	metaMagic    = 0xED0CDAED
	metaVersion  = 2
	metaSum      = 56
	metaSize     = 64
	pageHeader   = 16
	elementSize  = 16
	branchPage   = 0x01
	leafPage     = 0x02
	freelistPage = 0x10
	bucketValue  = 0x01
	bucketHeader = 16
	manyFree     = 0xFFFF
	noFreelist   = ^uint64(0)
	leastPage    = 1024
	mostPage     = 1 << 16
	mostDepth    = 64
)

// metas reads both: one that fails its checksum may be the later one, without
// which the last commit is lost.
func (v *verifier) metas() {
	first := v.metaPage(0)
	v.pageSize = int64(first.pageSize)
	if first.pageSize < leastPage || first.pageSize > mostPage || first.pageSize&(first.pageSize-1) != 0 {
		find("its pages have %d bytes", first.pageSize)
	}
	second := v.metaPage(v.pageSize)
	v.meta = first
	if second.number > first.number {
		v.meta = second
	}
	switch {
	case first.pageSize != second.pageSize || first.number+1 != second.number && second.number+1 != first.number:
		find("its two meta pages do not belong together")
	case v.meta.freelist == noFreelist:
		find("it has no list of free pages; it was written by another program")
	case v.meta.end > uint64(v.size/v.pageSize):
		find("it has %d bytes and should have %d: it was cut short", v.size, v.meta.end*uint64(v.pageSize))
	}
	v.taken = make([]uint64, v.meta.end/64+1)
	v.take(0, 2)
}

func (v *verifier) metaPage(at int64) meta {
	b := v.read(at+metaAt, metaSize)
	h := fnv.New64a()
	_, _ = h.Write(b[:metaSum]) // never fails
	if native.Uint32(b) != metaMagic || native.Uint32(b[4:]) != metaVersion || native.Uint64(b[metaSum:]) != h.Sum64() {
		find("the meta page at byte %d is not one, or fails its checksum; "+
			"if power was lost as it was written, `bbolt surgery revert-meta-page` goes back to the commit before", at)
	}
	return meta{native.Uint32(b[8:]), native.Uint64(b[16:]), native.Uint64(b[32:]), native.Uint64(b[40:]), native.Uint64(b[48:])}
}

func (v *verifier) read(at, n int64) []byte {
	if at < 0 || n < 0 || at+n > v.size {
		find("it has %d bytes, and something is at byte %d: it was cut short", v.size, at+n)
	}
	b := make([]byte, n)
	if _, err := v.f.ReadAt(b, at); err != nil {
		find("%v", err)
	}
	return b
}

// take marks pages that nothing else may be in.
func (v *verifier) take(first, count uint64) {
	if first > v.meta.end || count > v.meta.end-first {
		find("page %d is beyond the end, %d", first, v.meta.end)
	}
	for p := first; p < first+count; p++ {
		if v.taken[p/64]&(1<<(p%64)) != 0 {
			find("page %d has two uses", p)
		}
		v.taken[p/64] |= 1 << (p % 64)
	}
}

// page reads a page of the tree with those that continue it.
func (v *verifier) page(number uint64) []byte {
	if number >= v.meta.end {
		find("page %d is beyond the end, %d", number, v.meta.end)
	}
	at := int64(number) * v.pageSize
	p := v.read(at, v.pageSize)
	if native.Uint64(p) != number {
		find("page %d calls itself %d", number, native.Uint64(p))
	}
	more := native.Uint32(p[12:])
	v.take(number, uint64(more)+1)
	if more == 0 {
		return p
	}
	return v.read(at, (int64(more)+1)*v.pageSize)
}

// free reads the list of free pages: one that is in use as well would be written
// over.
func (v *verifier) free() {
	p := v.page(v.meta.freelist)
	if native.Uint16(p[8:]) != freelistPage {
		find("page %d is no list of free pages", v.meta.freelist)
	}
	ids, count := p[pageHeader:], uint64(native.Uint16(p[10:]))
	if count == manyFree {
		count, ids = native.Uint64(ids), ids[8:]
	}
	if count > uint64(len(ids)/8) {
		find("the list of free pages is longer than its pages")
	}
	for i := range count {
		v.take(native.Uint64(ids[8*i:]), 1)
	}
}

// contents are what the buckets of a file have in them.
type contents struct {
	header          []byte
	records, flight tally
}

func (c *contents) head(e element) {
	if !bytes.Equal(e.key, headerKey) {
		find("its header is called %.40q", e.key)
	}
	c.header = e.value
}

func (v *verifier) buckets() contents {
	var c contents
	found := 0
	v.tree(v.meta.root, span{}, 0, func(e element) {
		var visit func(element)
		switch {
		case e.flags != bucketValue || len(e.value) < bucketHeader:
			find("it was not made by this package: it has a value %.40q", e.key)
		case bytes.Equal(e.key, headBucket):
			visit = c.head
		case bytes.Equal(e.key, recordsBucket):
			visit = func(e element) { c.records.add(e.key) }
		case bytes.Equal(e.key, flightBucket):
			visit = func(e element) { c.flight.add(e.key) }
		case bytes.Equal(e.key, bodiesBucket):
			visit = func(element) {}
		default:
			find("it was not made by this package: it has a bucket %.40q", e.key)
		}
		found++
		v.bucket(e, visit)
	})
	if found != 4 {
		find("it was not made by this package, or has lost some of its four buckets: it has %d", found)
	}
	return c
}

func (v *verifier) bucket(e element, visit func(element)) {
	plain := func(e element) {
		if e.flags != 0 {
			find("the value of %x is a bucket", e.key)
		}
		visit(e)
	}
	if root := native.Uint64(e.value); root != 0 {
		v.tree(root, span{}, 0, plain)
		return
	}
	p := e.value[bucketHeader:] // a small one is in its value
	if len(p) < pageHeader || native.Uint16(p[8:]) != leafPage {
		find("the bucket %q is no page", e.key)
	}
	leaf(p, span{}, plain)
}
