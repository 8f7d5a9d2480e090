package llmtest

import (
	"encoding/json"
	"net/http"
)

const anthropicStreamType = "text/event-stream; charset=utf-8"

// An anthropicEvent is an event of the stream; each type uses some of the members.
type anthropicEvent struct {
	Type    string            `json:"type"`
	Message *anthropicMessage `json:"message,omitempty"`
	Index   *int              `json:"index,omitempty"`
	Block   *anthropicBlock   `json:"content_block,omitempty"`
	Delta   any               `json:"delta,omitempty"`
	Usage   any               `json:"usage,omitempty"`
}

// A stopDelta is what message_delta says of the end.
type stopDelta struct {
	Stop     *string `json:"stop_reason"`
	Sequence *string `json:"stop_sequence"`
}

type textDelta struct {
	Type string `json:"type"`
	Text string `json:"text"`
}

type inputDelta struct {
	Type string `json:"type"`
	JSON string `json:"partial_json"`
}

// streamMessages renders a message as events: its beginning, each block in pieces
// with a ping after the beginning of the first, the stop reason with the usage, the
// end.
func streamMessages(r *result) answer {
	whole := r.message()
	a := answer{status: http.StatusOK, contentType: anthropicStreamType, stream: true, frame: anthropicFrame}
	send := func(e anthropicEvent) { a.chunks = append(a.chunks, named(e.Type, encode(e))) }
	begun := whole
	begun.Content, begun.Stop, begun.Usage.Output = []anthropicBlock{}, nil, min(1, whole.Usage.Output)
	send(anthropicEvent{Type: "message_start", Message: &begun})
	for i, b := range whole.Content {
		deltas := r.items[0].deltas(&b)
		send(anthropicEvent{Type: "content_block_start", Index: &i, Block: &b})
		if i == 0 {
			send(anthropicEvent{Type: "ping"})
		}
		for _, d := range deltas {
			send(anthropicEvent{Type: "content_block_delta", Index: &i, Delta: d})
		}
		if whole.Stop != nil {
			send(anthropicEvent{Type: "content_block_stop", Index: &i})
		}
	}
	if whole.Stop != nil {
		send(anthropicEvent{Type: "message_delta", Delta: stopDelta{Stop: whole.Stop}, Usage: struct {
			Output int `json:"output_tokens"`
		}{whole.Usage.Output}})
	}
	if !r.noDone {
		send(anthropicEvent{Type: "message_stop"})
	}
	return a
}

// deltas empties a block and returns its pieces.
func (it item) deltas(b *anthropicBlock) []any {
	var out []any
	if it.tool != nil {
		args := string(b.Input)
		b.Input = json.RawMessage("{}")
		for _, part := range halves(args) {
			out = append(out, inputDelta{"input_json_delta", part})
		}
		return out
	}
	for _, w := range pieces(*b.Text) {
		out = append(out, textDelta{"text_delta", w})
	}
	b.Text = new(string)
	return out
}

// named is an event with a name.
func named(name string, data []byte) []byte {
	return append([]byte("event: "+name+"\n"), event(data)...)
}

// anthropicFrame is an error in the stream.
func anthropicFrame(e *apiError, _ int) []byte { return named("error", anthropicError(e, "")) }
