package llmidem

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"unicode/utf8"

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
	if given.Len() == 0 {
		return false, nil
	}
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
		ev, err := l.skip(ans.live.first, given)
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
func (l *live) skip(ev event, given complete.Content) (event, error) {
	for {
		switch l.feed.judge.Overlap() {
		case complete.OverlapDiffers:
			return event{}, errDiffers
		case complete.OverlapPart:
			return l.rest(ev, given)
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

// rest is an event without the beginning that was given out already, which is
// known where the event has one piece of text.
func (l *live) rest(ev event, given complete.Content) (event, error) {
	fresh := l.feed.judge.Content().Len() - given.Len()
	if !l.feed.judge.Resumed() || l.feed.dialect != "openai" {
		return event{}, errDiffers
	}
	var chunk map[string]any
	numbers := json.NewDecoder(bytes.NewReader(ev.data))
	numbers.UseNumber()
	if numbers.Decode(&chunk) != nil || !cutText(chunk, fresh) {
		return event{}, errDiffers
	}
	text, err := json.Marshal(chunk)
	if err != nil {
		return event{}, errDiffers
	}
	ev.raw = append(append([]byte("data: "), text...), "\n\n"...)
	return ev, nil
}

// cutText leaves the last n bytes of the one text of a chunk.
func cutText(chunk map[string]any, n int) bool {
	choices, _ := chunk["choices"].([]any)
	if len(choices) != 1 {
		return false
	}
	choice, _ := choices[0].(map[string]any)
	if choice["finish_reason"] != nil {
		return false
	}
	if _, ok := choice["text"].(string); ok {
		return cutMember(choice, "text", n)
	}
	delta, _ := choice["delta"].(map[string]any)
	delete(delta, "role") // said already
	calls, _ := delta["tool_calls"].([]any)
	if len(calls) == 0 {
		return len(delta) == 1 && cutMember(delta, "content", n)
	}
	call, _ := calls[0].(map[string]any)
	function, _ := call["function"].(map[string]any)
	delete(function, "name")
	return len(calls) == 1 && cutMember(function, "arguments", n)
}

func cutMember(object map[string]any, name string, n int) bool {
	text, _ := object[name].(string)
	at := len(text) - n
	if n <= 0 || at < 0 || !utf8.RuneStart(text[at]) {
		return false
	}
	object[name] = text[at:]
	return true
}
