package batch

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/llmidem/llmidem-go/llmidem"
	"github.com/llmidem/llmidem-go/llmidem/identity"
)

// A Report is what a batch would be.
type Report struct {
	// Input is the SHA-256 of the input, in hexadecimal: the scope of its calls,
	// unless [Share].
	Input string
	// Items is how many there are, Equal how many of them are equal to an earlier one.
	Items, Equal int
	// Keys is how many different keys they have, which is how many calls there are.
	Keys int
	// Bytes are those of all bodies, Largest those of the largest.
	Bytes, Largest int64
	// Attachments is how many pictures, sounds and files are in the bodies, as base64,
	// and AttachmentBytes how long they are, decoded.
	Attachments     int
	AttachmentBytes int64
	// Routes and Models are how many items there are of each url and each model; of
	// models beyond the first hundred, all under the name "other models".
	Routes, Models map[string]int
}

// maxModels is how many models are counted one by one.
const maxModels = 100

// Plan reads the input as [Run] does, and says what it is. Nothing is sent or written
// down; the client may be any, and its store is not asked. A bad input is an
// [*InputError].
func Plan(ctx context.Context, client *llmidem.Client, source Source, to Target, opts ...Option) (_ Report, err error) {
	j, err := newJob(client, source, to, opts)
	if err != nil {
		return Report{}, err
	}
	if j.in, err = source.open(ctx); err != nil {
		return Report{}, err
	}
	defer func() { err = errors.Join(err, j.end()) }()
	if j.digest, err = j.in.digest(ctx); err != nil {
		return Report{}, err
	}
	if !j.share {
		j.scope = j.digest
	}
	j.scoped = llmidem.WithCall(ctx, llmidem.Scope(j.scope))
	r := Report{Input: j.digest, Routes: map[string]int{}, Models: map[string]int{}}
	s := survey{job: j, ctx: ctx, each: func(_ int64, it *Item) { r.add(j, it) }}
	if err := s.run(); err != nil {
		return Report{}, err
	}
	r.Items, r.Equal, r.Keys = j.index.n, j.index.equal, j.index.n
	if j.collapse {
		r.Keys -= r.Equal
	}
	return r, nil
}

func (r *Report) add(j *job, it *Item) {
	size := int64(len(it.Body))
	r.Bytes += size
	r.Largest = max(r.Largest, size)
	r.Routes[it.URL]++
	req := j.target.request(j.scoped, it)
	doc, err := j.rules.Identify(identity.Request{Path: req.URL.EscapedPath(), Header: req.Header, Body: it.Body}, identity.Call{})
	if err != nil {
		return // the client's own rules have found it good
	}
	model := doc.Model()
	if _, seen := r.Models[model]; !seen && len(r.Models) >= maxModels {
		model = "other models"
	}
	r.Models[model]++
	for _, a := range doc.Explain().Attachments {
		r.Attachments++
		r.AttachmentBytes += a.Size
	}
}

// String is the report in a few lines for people, without a newline at the end.
func (r Report) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%d items, %d of them equal to an earlier one; %d keys\n", r.Items, r.Equal, r.Keys)
	fmt.Fprintf(&b, "bodies: %d bytes, the largest %d\n", r.Bytes, r.Largest)
	fmt.Fprintf(&b, "attachments: %d, %d bytes\n", r.Attachments, r.AttachmentBytes)
	for _, list := range []struct {
		what string
		of   map[string]int
	}{{"url", r.Routes}, {"model", r.Models}} {
		for _, name := range slices.Sorted(maps.Keys(list.of)) {
			fmt.Fprintf(&b, "%s %q: %d\n", list.what, name, list.of[name])
		}
	}
	b.WriteString("scope: " + r.Input)
	return b.String()
}
