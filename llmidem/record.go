package llmidem

import (
	"encoding/binary"
	"errors"
	"net/http"

	"github.com/llmidem/llmidem-go/llmidem/internal/complete"
	"github.com/llmidem/llmidem-go/llmidem/store"
)

// recordVersion is the first byte of a recorded answer. Another version does not
// parse, which makes a record one in doubt and never a wrong answer.
const recordVersion = 1

// recordStream is that byte of a recorded stream.
const recordStream = 2

// errRecord says that a record cannot be read: it is in doubt, not absent.
var errRecord = errors.New("llmidem: the record of this call does not parse")

// replayed are the headers of an answer that are recorded with it, by their place
// in this list. Others (cookies, rate limits, dates) were true once and are not
// given out again.
var replayed = [...]string{
	"Content-Type", "Content-Encoding", "X-Request-Id", "Request-Id", "Apim-Request-Id",
	"Openai-Model", "Openai-Version", "X-Ms-Deployment-Name",
	"X-Amzn-Requestid", "X-Generation-Id", "X-Litellm-Call-Id", "X-Litellm-Model-Id", "X-Portkey-Trace-Id",
	"Cf-Aig-Log-Id", "Cf-Aig-Request-Id",
}

// encodeRecord writes an answer as a store keeps it: version, headers, what was
// found out about it, body. Numbers are unsigned varints, texts have theirs in
// front. room bytes are left free before all that.
func encodeRecord(a *answer, room int) []byte {
	size := room + 64 + len(a.body)
	n := 0
	for _, name := range replayed {
		for _, v := range a.header[name] {
			size += len(name) + len(v) + 8
			n++
		}
	}
	b := make([]byte, room, size+len(a.verdict.ID)+len(a.verdict.Model))
	if a.streamed {
		b = append(b, recordStream)
	} else {
		b = append(b, recordVersion)
	}
	b = binary.AppendUvarint(b, uint64(n))
	for i, name := range replayed {
		for _, v := range a.header[name] {
			b = appendText(append(b, byte(i)), v)
		}
	}
	v := a.verdict
	b = appendText(appendText(b, v.ID), v.Model)
	b = binary.AppendUvarint(b, uint64(len(v.FinishReasons)))
	for _, r := range v.FinishReasons {
		b = appendText(b, r)
	}
	if v.HasUsage {
		b = append(b, 1)
		b = binary.AppendUvarint(b, uint64(max(v.Input, 0)))
		b = binary.AppendUvarint(b, uint64(max(v.Output, 0)))
	} else {
		b = append(b, 0)
	}
	return append(b, a.body...)
}

func appendText(b []byte, s string) []byte {
	return append(binary.AppendUvarint(b, uint64(len(s))), s...)
}

// decodeRecord reads what encodeRecord wrote. The body is a part of data.
func decodeRecord(rec store.Record) (*answer, error) {
	r := recordReader{data: rec.Body}
	version := r.byte()
	if version != recordVersion && version != recordStream {
		return nil, errRecord
	}
	a := &answer{status: http.StatusOK, proto: "HTTP/1.1", protoMajor: 1, protoMinor: 1, header: make(http.Header, 8), ownHeader: true,
		streamed: version == recordStream, kept: true, age: rec.Age, origin: rec.Origin}
	for n := r.number(); n > 0 && !r.bad; n-- {
		i, value := r.byte(), r.text()
		if int(i) >= len(replayed) {
			return nil, errRecord
		}
		a.header[replayed[i]] = append(a.header[replayed[i]], value)
	}
	a.verdict = complete.Result{Terminal: true, Keep: true, ID: r.text(), Model: r.text()}
	for n := r.number(); n > 0 && !r.bad; n-- {
		a.verdict.FinishReasons = append(a.verdict.FinishReasons, r.text())
	}
	if r.byte() == 1 {
		a.verdict.HasUsage = true
		a.verdict.Input, a.verdict.Output = int64(r.number()), int64(r.number())
	}
	if r.bad {
		return nil, errRecord
	}
	a.body = r.data
	return a, nil
}

// recordReader reads from the front of data; after the first thing that does
// not fit everything reads as zero.
type recordReader struct {
	data []byte
	bad  bool
}

func (r *recordReader) byte() byte {
	if r.bad || len(r.data) == 0 {
		r.bad = true
		return 0
	}
	b := r.data[0]
	r.data = r.data[1:]
	return b
}

func (r *recordReader) number() uint64 {
	n, size := binary.Uvarint(r.data)
	if r.bad || size <= 0 {
		r.bad = true
		return 0
	}
	r.data = r.data[size:]
	return n
}

func (r *recordReader) text() string {
	n := r.number()
	if r.bad || n > uint64(len(r.data)) {
		r.bad = true
		return ""
	}
	s := string(r.data[:n])
	r.data = r.data[n:]
	return s
}
