package llmtest

import (
	"context"
	"net/http"
	"slices"
	"strconv"
	"time"
)

// A delivery is the sending of one answer, as its fault wants it. Every wait in it
// ends with the request's context, which ends when the client goes away.
type delivery struct {
	server *Server
	w      http.ResponseWriter
	r      *http.Request
	q      *Request
	fault  Fault
}

func (d delivery) send(a answer) {
	d.wait(d.fault.delay)
	switch d.fault.end {
	case endDrop:
		d.drop()
	case endHang:
		d.hang()
	}
	if !bodyAllowed(a.status) {
		a.chunks, a.stream = nil, false
	}
	limit, cut := d.limit(a)
	d.head(a, cut && limit >= a.size())
	flush := http.NewResponseController(d.w)
	for i, chunk := range a.chunks {
		if i > 0 {
			d.wait(d.fault.pace)
		}
		if cut && len(chunk) > limit {
			chunk = chunk[:limit]
		}
		limit -= len(chunk)
		for piece := range slices.Chunk(chunk, d.pieces(chunk)) {
			if _, err := d.w.Write(piece); err != nil {
				panic(http.ErrAbortHandler) // the client has left
			}
			if a.stream || cut || d.fault.open {
				_ = flush.Flush() // a writer that cannot flush has no stream to pace
			}
		}
		if cut && limit == 0 {
			break
		}
	}
	d.finish(cut)
}

// pieces is how many bytes of a chunk are written at once.
func (d delivery) pieces(chunk []byte) int {
	if d.fault.split > 0 {
		return d.fault.split
	}
	return max(len(chunk), 1)
}

// head sends status and headers. A body without a known end is one whose end can
// go missing although all of its bytes arrive.
func (d delivery) head(a answer, endless bool) {
	h := d.w.Header()
	for name, lines := range a.header {
		h[name] = lines
	}
	if bodyAllowed(a.status) {
		h.Set("Content-Type", a.contentType)
	}
	if name := d.q.dialect.id; name != "" {
		h.Set(name, d.q.id())
	}
	switch {
	case a.stream:
		h.Set("Cache-Control", "no-cache")
	case !endless && !d.fault.open && bodyAllowed(a.status):
		h.Set("Content-Length", strconv.Itoa(a.size()))
	}
	for name, lines := range d.fault.header {
		if name == "Content-Type" || name == d.q.dialect.id {
			h[name] = lines
			continue
		}
		h[name] = append(h[name], lines...)
	}
	own := d.fault.damage == errorFrame || d.fault.status != 0 && d.fault.page == nil
	if !own || !d.q.dialect.inBody {
		for _, t := range d.fault.retry {
			h.Add("Retry-After", seconds(t))
		}
	}
	d.server.answered(d.q, a.status)
	d.w.WriteHeader(a.status)
	if d.fault.end != endWhole || d.fault.open || a.stream {
		_ = http.NewResponseController(d.w).Flush()
	}
}

// limit is how many bytes of the body are sent if it is cut.
func (d delivery) limit(a answer) (limit int, cut bool) {
	events := -1
	switch d.fault.end {
	case endCut:
		return d.fault.cut, true
	case endEvents:
		events = d.fault.after
	case endMiddle:
		if !a.stream {
			return a.size() / 2, true
		}
		events = len(a.chunks) / 2
	}
	if events < 0 {
		return 0, false
	}
	for _, chunk := range a.chunks[:min(events, len(a.chunks))] {
		limit += len(chunk)
	}
	return limit, true
}

func (d delivery) finish(cut bool) {
	switch {
	case d.fault.open:
		d.hang()
	case cut && d.fault.whole:
		d.drop()
	case cut:
		panic(http.ErrAbortHandler)
	}
}

// hang is silent until the client gives up.
func (d delivery) hang() {
	<-d.r.Context().Done()
	panic(http.ErrAbortHandler)
}

// drop closes the connection. Over HTTP/1 it is reset, as by a balancer that lost
// its backend; over HTTP/2 the stream is, unless the whole connection is meant.
func (d delivery) drop() {
	if d.fault.open {
		d.hang()
	}
	if d.fault.whole || d.r.ProtoMajor < 2 {
		connOf(d.r.Context()).reset()
	}
	panic(http.ErrAbortHandler)
}

// wait ends the delivery if the client leaves before it is over.
func (d delivery) wait(t time.Duration) {
	if !sleep(d.r.Context(), t) {
		panic(http.ErrAbortHandler)
	}
}

func sleep(ctx context.Context, d time.Duration) bool {
	if d <= 0 {
		return true
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}

func (a answer) size() int {
	n := 0
	for _, c := range a.chunks {
		n += len(c)
	}
	return n
}

// bodyAllowed leaves out the statuses whose responses have no body.
func bodyAllowed(status int) bool {
	return status >= 200 && status != http.StatusNoContent && status != http.StatusNotModified
}
