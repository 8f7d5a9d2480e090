package llmidem

import (
	"bytes"
	"io"
	"net/http"
	"strings"

	"github.com/llmidem/llmidem-go/llmidem/internal/complete"
	"github.com/llmidem/llmidem-go/llmidem/internal/sse"
)

// maxLine is the longest line of a stream that is looked at; a longer one passes.
const maxLine = 16 << 20

// feed is a body as it comes off the wire, event by event. It leaves out what an
// app must not see: comments, which go-openai counts as empty messages, and pings.
type feed struct {
	scan  *sse.Scanner
	body  io.Closer
	judge *complete.Stream
	lines bool // JSON lines: each is an event

	block   []byte // of the event so far, as it goes on
	lead    int    // bytes of it that belong to the line before
	data    []byte
	name    []byte
	fields  bool // there are lines in the block that go on
	hasData bool
	other   bool // … and such that are no data
	comment bool // … and such that were left out
	left    bool // the last line was left out

	blind   bool // a line was too long to be looked at: nobody knows what it said
	plain   bool // nothing but data went on: see errorFrame
	ruled   bool // there is a rule that says when the stream is whole
	dialect string
	over    func(*answer) // the body of this attempt has ended
}

// event is one event, or what stands between two.
type event struct {
	raw    []byte // as it goes on to the app; good until the next one is read
	data   []byte
	signal complete.Signal
	real   bool // has data, and is no ping
}

func (c *call) newFeed(body io.ReadCloser, h http.Header) *feed {
	format := sse.Events
	if mediaType(h) != eventStream && c.provider.dialect() == "ollama" {
		format = sse.Lines
	}
	f := &feed{scan: sse.NewScanner(body, format, maxLine), body: body, lines: format == sse.Lines, plain: true,
		dialect: c.provider.dialect(), ruled: c.streamRule(),
		judge: complete.NewStream(c.query())}
	switch {
	case c.progress.given != nil:
		f.judge.Resume(*c.progress.given)
	case c.provider.Keys.Class == Replay:
		f.judge.Track()
	}
	return f
}

// close closes the body; a says how it ended.
func (f *feed) close(a *answer) {
	f.body.Close()
	if f.over != nil {
		f.over(a)
		f.over = nil
	}
}

const eventStream = "text/event-stream"

func mediaType(h http.Header) string {
	t, _, _ := strings.Cut(h.Get("Content-Type"), ";")
	return strings.ToLower(strings.TrimSpace(t))
}

// streams reports whether an answer is a stream that can be read event by event.
// A service that was asked for one may answer with a page or an object instead.
func (c *call) streams(h http.Header) bool {
	if coding := h.Get("Content-Encoding"); coding != "" && !strings.EqualFold(coding, "identity") {
		return false
	}
	switch t := mediaType(h); {
	case t == eventStream, t == "", t == "text/plain":
		return true
	case c.provider.dialect() == "ollama":
		return strings.Contains(t, "json")
	}
	return false
}

// streamRule reports whether streams of the operation say when they are whole.
func (c *call) streamRule() bool {
	switch c.facts.operation {
	case "chat", "text_completion", "responses", "messages", "generate_content", "stream_generate_content",
		"ollama.chat", "ollama.generate":
		return true
	}
	return false
}

// next reads one event. At the end of the body it is what had no blank line
// behind it; of a body that broke off an event without one is not given out.
func (f *feed) next() (event, error) {
	f.block, f.lead = f.block[:0], 0
	f.data, f.name, f.fields, f.hasData, f.other, f.comment = f.data[:0], f.name[:0], false, false, false, false
	for {
		line, err := f.scan.Next()
		switch {
		case err == io.EOF && (f.fields || len(f.block) > 0):
			return f.dispatch(), nil
		case err != nil:
			return event{}, err
		}
		if ev, ok := f.take(line); ok {
			return ev, nil
		}
	}
}

// take adds a line to the event; ok says that this ended it.
func (f *feed) take(line sse.Line) (ev event, ok bool) {
	if line.Lead > 0 && !f.left { // the LF of a line that went on
		f.block = append(f.block, line.Raw[:line.Lead]...)
		if !f.fields {
			f.lead += line.Lead
		}
	}
	f.left = false
	raw := line.Raw[line.Lead:]
	switch line.Kind {
	case sse.Comment:
		f.comment, f.left = true, true
		return ev, false
	case sse.Blank:
		if !f.fields && f.comment {
			f.comment, f.left = false, true
			return ev, false
		}
		f.block = append(f.block, raw...)
		if !f.fields { // a stray one
			return event{raw: f.block}, true
		}
		return f.dispatch(), true
	}
	f.block = append(f.block, raw...)
	f.fields = true
	f.other = f.other || line.Kind != sse.Data
	switch line.Kind {
	case sse.TooLong:
		f.blind = true
		return event{raw: f.block, real: true}, true
	case sse.Event:
		f.name = append(f.name[:0], line.Value...)
	case sse.Data:
		if f.hasData {
			f.data = append(f.data, '\n')
		}
		urgent := !f.hasData && line.Ended && (f.lines || urgent(line.Value))
		f.data, f.hasData = append(f.data, line.Value...), true
		if urgent {
			return f.dispatch(), true
		}
	}
	return ev, false
}

// urgent reports whether a line of data looks like an error, whole. Some services
// send no blank line behind it and leave the connection open.
func urgent(data []byte) bool {
	return bytes.Contains(data[:min(len(data), 64)], []byte(`"error"`)) && complete.Valid(data)
}

// dispatch is the event that the lines make.
func (f *feed) dispatch() event {
	ping := string(f.name) == "ping"
	ev := event{raw: f.block, data: f.data}
	if f.hasData && !ping {
		ev.signal = f.judge.Event(string(f.name), f.data)
		ping = ev.signal&complete.SignalPing != 0
	}
	if ping {
		f.left, f.other = true, false
		return event{raw: f.block[:f.lead]}
	}
	ev.real = f.hasData
	return ev
}

// pass notes that an event goes on to the app.
func (f *feed) pass(ev event) {
	f.plain = f.plain && (!f.other || len(ev.raw) == 0)
}

// whole reports whether every choice is finished.
func (f *feed) whole() bool { return f.judge.Result().Terminal }
