package pgstore

import (
	"math"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/llmidem/llmidem-go/llmidem/store"
)

// originLength is that of an origin as it is stored: trace id, span id, flags.
const originLength = 16 + 8 + 1

func packOrigin(o store.Origin) []byte {
	b := make([]byte, 0, originLength)
	return append(append(append(b, o.TraceID[:]...), o.SpanID[:]...), o.Flags)
}

func unpackOrigin(b []byte) (o store.Origin) {
	if len(b) != originLength {
		return o
	}
	copy(o.TraceID[:], b)
	copy(o.SpanID[:], b[16:])
	o.Flags = b[24]
	return o
}

// scanRecord reads the columns of a record. Lengths are checked here again: it is
// the server that says that the row makes sense.
func scanRecord(row pgx.Row) (rec store.Record, err error) {
	var (
		stands                           int16
		prior                            *int16
		owner, fingerprint, origin, body []byte
		age, left                        *float64
	)
	if err = row.Scan(&stands, &prior, &owner, &fingerprint, &origin, &body, &age, &left); err != nil {
		return store.Record{}, err
	}
	rec = store.Record{State: stateOf(&stands), Prior: stateOf(prior), Body: body, Origin: unpackOrigin(origin), Age: seconds(age)}
	if len(owner) == len(rec.Owner) {
		rec.Owner = store.Owner(owner)
	}
	if len(fingerprint) == len(rec.Fingerprint) {
		rec.Fingerprint = store.Fingerprint(fingerprint)
	}
	if left != nil && stands != int16(nonsense) {
		rec.Left = max(seconds(left), time.Microsecond) // zero would be without end
	}
	return rec, nil
}

// stateOf is a stored number as a state: what is none is in doubt.
func stateOf(n *int16) store.State {
	switch {
	case n == nil:
		return store.Absent
	case *n < 0 || *n > int16(store.Unknown):
		return store.Unknown
	}
	return store.State(*n)
}

// seconds is a time as the server counts it, to the microsecond. One before zero
// is zero: the server's clock was set back.
func seconds(s *float64) time.Duration {
	if s == nil || !(*s > 0) {
		return 0
	}
	us := math.Round(*s * 1e6)
	if us >= math.MaxInt64/1000 {
		return math.MaxInt64
	}
	return time.Duration(us) * time.Microsecond
}

// interval is a time for the server, which counts microseconds. It is rounded up,
// so that no positive one becomes none.
func interval(d time.Duration) time.Duration {
	if rest := d % time.Microsecond; rest > 0 && d <= math.MaxInt64-time.Microsecond {
		d += time.Microsecond - rest
	}
	return d
}
