package audit

import (
	"context"
	"io"
	"time"
)

// Report says what was verified: all of the log, or what is before the first broken
// record.
type Report struct {
	// Records is how many records were read, in Files files.
	Records uint64
	Files   int
	// First is the number of the first record.
	First uint64
	// Head is the last record. Keep it elsewhere, and it is an anchor.
	Head Head
	// Begin and End are when the first and the last record were made, as they say.
	Begin, End time.Time
}

// Verify reads a log, or its files one after the other, to the end or to the first
// broken record, and says what it read. It decodes nothing and holds no more memory for
// a longer log. The error is a [*BrokenError], [ErrSecret], the context's or the
// reader's own.
func Verify(ctx context.Context, r io.Reader, c Check) (Report, error) {
	return verify(ctx, oneReader(r), c)
}

// VerifyFiles is [Verify] of files, in whatever order they are named.
func VerifyFiles(ctx context.Context, paths []string, c Check) (Report, error) {
	return verify(ctx, inOrder(paths, c.Secrets), c)
}

func verify(ctx context.Context, from source, c Check) (r Report, err error) {
	w := newWalk(c)
	var times [2][maxTime]byte // of the first and the last record
	var lens [2]int
	err = w.all(ctx, from, func(_ []byte, s shape) error {
		if r.Records == 0 {
			r.First = s.seq
			lens[0] = copy(times[0][:], s.time)
		}
		r.Records++
		lens[1] = copy(times[1][:], s.time)
		return nil
	})
	r.Files = w.files
	if r.Records > 0 {
		r.Begin, r.End = timeOf(times[0][:lens[0]]), timeOf(times[1][:lens[1]])
	}
	r.Head = w.chain.head()
	return r, err
}

// timeOf reads the time of a record, the zero Time for what is none.
func timeOf(text []byte) time.Time {
	t, err := time.Parse(time.RFC3339Nano, string(text))
	if err != nil {
		return time.Time{}
	}
	return t.UTC()
}
