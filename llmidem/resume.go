package llmidem

import (
	"bytes"
	"errors"
	"io"

	"github.com/llmidem/llmidem-go/llmidem/internal/complete"
	"github.com/llmidem/llmidem-go/llmidem/internal/semconv"
)

var errDiffers = errors.New("llmidem: the stream that was replayed is another answer")

// resume asks a provider that replays by key for the stream again, holds it
// against what was given out, and goes on where that ended. It reports whether
// the stream goes on; end is then what ended it at once, if anything.
func (l *live) resume(e ending) (resumed bool, end error) {
	if l.again == nil || l.call.provider.Keys.Class != Replay || !l.judged() || l.ctx.Err() != nil {
		return false, nil
	}
	broken := l.feed
	given := broken.judge.Content()
	ended := *l.head
	ended.end = e
	broken.close(&ended)
	for {
		l.call.progress.given = &given
		ans, err := l.again(l.ctx, e)
		l.call.progress.given = nil
		if err != nil || ans.live == nil {
			if err == nil && ans.rest != nil {
				ans.rest.Close()
			}
			return false, nil
		}
		l.feed = ans.live.feed
		ev, err := l.skip(ans.live.first)
		if err == nil {
			l.feed.plain = l.feed.plain && broken.plain
			return true, l.take(ev)
		}
		e = ending{class: classAmbiguous, errType: semconv.ErrorTruncated}
		if err != io.EOF && !errors.Is(err, errDiffers) {
			e = endOfError(err, sentMaybe)
			e.class = classAmbiguous
		}
		failed := *ans
		failed.end = e
		l.feed.close(&failed)
		l.feed = broken
		if errors.Is(err, errDiffers) {
			return false, nil
		}
	}
}

// skip reads on to the first event that says something new.
func (l *live) skip(ev event) (event, error) {
	for {
		switch l.feed.judge.Overlap() {
		case complete.OverlapDiffers:
			return event{}, errDiffers
		case complete.OverlapPart:
			return l.feed.rest(ev), nil
		case complete.OverlapNone:
			if ev.real {
				return ev, nil
			}
		}
		if ev.signal&(complete.SignalError|complete.SignalDone) != 0 {
			return event{}, io.EOF
		}
		var err error
		if ev, err = l.feed.next(); err != nil {
			return event{}, err
		}
	}
}

// rest is an event without what was given out of it already.
func (f *feed) rest(ev event) event {
	data := f.judge.Rest(ev.data)
	var raw []byte
	if f.lines {
		raw = append(data, '\n')
	} else {
		if len(f.name) > 0 {
			raw = append(append(append(raw, "event: "...), f.name...), '\n')
		}
		for line := range bytes.SplitSeq(data, []byte{'\n'}) {
			raw = append(append(append(raw, "data: "...), line...), '\n')
		}
		raw = append(raw, '\n')
	}
	ev.raw, ev.data = raw, data
	return ev
}
