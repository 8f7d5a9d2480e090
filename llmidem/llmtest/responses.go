package llmtest

import (
	"fmt"
	"net/http"
)

type responseBody struct {
	ID      string         `json:"id"`
	Object  string         `json:"object"`
	Created int64          `json:"created_at"`
	Status  string         `json:"status"`
	Why     *whyIncomplete `json:"incomplete_details"`
	Model   string         `json:"model"`
	Output  []outputItem   `json:"output"`
	Usage   *responseUsage `json:"usage"`
}

type whyIncomplete struct {
	Reason string `json:"reason"`
}

type responseUsage struct {
	Input  int `json:"input_tokens"`
	Output int `json:"output_tokens"`
	Total  int `json:"total_tokens"`
}

type outputItem struct {
	ID      string       `json:"id"`
	Type    string       `json:"type"`
	Status  string       `json:"status"`
	Role    string       `json:"role"`
	Content []outputText `json:"content"`
}

type outputText struct {
	Type        string `json:"type"`
	Text        string `json:"text"`
	Annotations []any  `json:"annotations"`
}

// response is the body of a response; without a finish reason it is in progress.
func (r *result) response() responseBody {
	out := responseBody{ID: fmt.Sprintf("resp-llmtest-%d", r.number), Object: "response",
		Created: r.created, Status: "completed", Model: r.call.model, Output: []outputItem{},
		Usage: &responseUsage{r.usage.Input, r.usage.Output, r.usage.Total()}}
	for _, it := range r.items {
		switch it.finish {
		case "length":
			out.Status, out.Why = "incomplete", &whyIncomplete{"max_output_tokens"}
		case "content_filter":
			out.Status, out.Why = "incomplete", &whyIncomplete{it.finish}
		case "":
			out.Status, out.Usage = "in_progress", nil
		}
		out.Output = append(out.Output, outputItem{
			ID: fmt.Sprintf("msg-llmtest-%d", r.number), Type: "message", Status: out.Status, Role: "assistant",
			Content: []outputText{{Type: "output_text", Text: it.text, Annotations: []any{}}},
		})
	}
	return out
}

// A responseEvent is an event of the stream; each type uses some of the members.
type responseEvent struct {
	Type     string        `json:"type"`
	Sequence int           `json:"sequence_number"`
	Response *responseBody `json:"response,omitempty"`
	ItemID   string        `json:"item_id,omitempty"`
	Output   *int          `json:"output_index,omitempty"`
	Content  *int          `json:"content_index,omitempty"`
	Item     *outputItem   `json:"item,omitempty"`
	Part     *outputText   `json:"part,omitempty"`
	Delta    string        `json:"delta,omitempty"`
	Text     *string       `json:"text,omitempty"`
	Code     string        `json:"code,omitempty"`
	Message  string        `json:"message,omitempty"`
}

// bytes is the event with its type in both places where clients look for it.
func (e responseEvent) bytes() []byte {
	return append([]byte("event: "+e.Type+"\n"), event(encode(e))...)
}

// responseError is an error as streams of Responses have it.
func responseError(e *apiError, sequence int) []byte {
	return responseEvent{Type: "error", Sequence: sequence, Code: e.code, Message: e.message}.bytes()
}

func renderResponses(r *result) answer {
	if !r.call.stream {
		return openAI.jsonAnswer(r.response())
	}
	whole := r.response()
	begun := whole
	begun.Status, begun.Why, begun.Output, begun.Usage = "in_progress", nil, []outputItem{}, nil

	a := answer{status: http.StatusOK, contentType: streamType, stream: true, frame: responseError}
	send := func(e responseEvent) {
		e.Sequence = len(a.chunks)
		a.chunks = append(a.chunks, e.bytes())
	}
	send(responseEvent{Type: "response.created", Response: &begun})
	send(responseEvent{Type: "response.in_progress", Response: &begun})
	for i, it := range r.items {
		sendOutput(send, i, it, whole.Output[i])
	}
	switch {
	case whole.Status != "in_progress":
		send(responseEvent{Type: "response." + whole.Status, Response: &whole})
	case !r.noDone: // forged: Responses have none
		a.chunks = append(a.chunks, event([]byte("[DONE]")))
	}
	return a
}

// sendOutput sends the events of one output message.
func sendOutput(send func(responseEvent), i int, it item, out outputItem) {
	zero, part := 0, out.Content[0]
	empty := part
	empty.Text = ""
	added := out
	added.Status, added.Content = "in_progress", []outputText{}
	send(responseEvent{Type: "response.output_item.added", Output: &i, Item: &added})
	send(responseEvent{Type: "response.content_part.added", ItemID: out.ID, Output: &i, Content: &zero, Part: &empty})
	for _, word := range pieces(it.text) {
		send(responseEvent{Type: "response.output_text.delta", ItemID: out.ID, Output: &i, Content: &zero, Delta: word})
	}
	if it.finish == "" {
		return
	}
	send(responseEvent{Type: "response.output_text.done", ItemID: out.ID, Output: &i, Content: &zero, Text: &part.Text})
	send(responseEvent{Type: "response.content_part.done", ItemID: out.ID, Output: &i, Content: &zero, Part: &part})
	send(responseEvent{Type: "response.output_item.done", Output: &i, Item: &out})
}
