package identity

import (
	"cmp"
	"context"
	"encoding/base64"
	"io"
	"slices"
)

// splice is a placeholder in a body, quotes excluded, and what goes out for it.
type splice struct {
	from, to int64
	kind     kind
	media    string // of a data URI
	origin   *origin
	is       *content
}

// head is what stands before the content.
func (s *splice) head() string {
	if s.kind == kindURI {
		return scheme + s.media + marker + ","
	}
	return ""
}

// size is what goes out, in bytes.
func (s *splice) size() int64 {
	if s.kind == kindRaw {
		return s.is.size
	}
	return int64(len(s.head())) + encodedLen(s.is.size)
}

// encodedLen is base64's EncodedLen, where int may have 32 bits.
func encodedLen(n int64) int64 {
	const group = 3
	return (n + group - 1) / group * int64(base64.StdEncoding.EncodedLen(group))
}

// Splices are the placeholders in the body of one request, and the content that goes
// out in their place: what the document holds by digest. They are safe for concurrent
// use: a request may be sent several times, and at the same time.
type Splices struct {
	list []splice
}

// newSplices puts them in the order of the body, which a form's parts need not be in.
func newSplices(list []splice) *Splices {
	if len(list) == 0 {
		return nil
	}
	list = slices.Clone(list)
	slices.SortFunc(list, func(a, b splice) int { return cmp.Compare(a.from, b.from) })
	return &Splices{list}
}

// Splices returns what to send in place of the placeholders in the body that was
// identified, nil where it has none and goes out as it is.
func (d Document) Splices() *Splices { return d.splices }

// Size returns how long the request is on the wire whose body, placeholders included,
// has the given size: its Content-Length.
func (s *Splices) Size(body int64) int64 {
	for i := range s.list {
		body += s.list[i].size() - (s.list[i].to - s.list[i].from)
	}
	return body
}

// Open returns the request as it goes out, to be read once and closed; body is the
// one that was identified, of the given size, and must stay readable until then. It
// is made while it is read, in less than half a megabyte. Close may be called while
// it is read, and does not close body.
//
// Files are looked at first: one that has changed since the document was made is
// hashed again, and refused unless it holds the same. One that changes while it is
// read ends the reading with an error before its last byte. Errors are
// [*AttachmentError], save for those of body.
func (s *Splices) Open(ctx context.Context, body io.ReaderAt, size int64) (io.ReadCloser, error) {
	r := &splicedReader{ctx: ctx, body: body, size: size, list: slices.Clone(s.list)}
	for i := range r.list {
		p := &r.list[i]
		c, err := p.origin.current(ctx, false)
		if err != nil {
			return nil, err
		}
		if c.sum != p.is.sum {
			return nil, &AttachmentError{ErrChanged}
		}
		p.is = c
	}
	return r, nil
}
