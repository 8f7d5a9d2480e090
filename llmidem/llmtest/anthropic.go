package llmtest

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
)

func parseMessages(c *call, body []byte) *apiError {
	var in struct {
		Model     string          `json:"model"`
		MaxTokens *int            `json:"max_tokens"`
		Stream    bool            `json:"stream"`
		System    json.RawMessage `json:"system"`
		Messages  []message       `json:"messages"`
	}
	if err := unmarshal(body, &in); err != nil {
		return err
	}
	c.model, c.stream, c.n = in.Model, in.Stream, 1
	switch {
	case in.MaxTokens == nil:
		return invalidRequest("max_tokens: Field required")
	case len(in.Messages) == 0:
		return invalidRequest("messages: at least one message is required")
	}
	for i, m := range in.Messages {
		in.Messages[i].Content = resultText(m.Content)
	}
	c.messages(in.Messages)
	c.input += Tokens(textOf(in.System))
	return c.limit(in.MaxTokens)
}

// resultText turns parts that are results of tools into the text in them.
func resultText(raw json.RawMessage) json.RawMessage {
	var parts []struct {
		Text    string          `json:"text"`
		Content json.RawMessage `json:"content"`
	}
	if json.Unmarshal(raw, &parts) != nil {
		return raw
	}
	var texts []string
	for _, p := range parts {
		if p.Text == "" {
			p.Text = textOf(p.Content)
		}
		if p.Text != "" {
			texts = append(texts, p.Text)
		}
	}
	return encode(strings.Join(texts, "\n"))
}

// anthropicWords are the stop reasons.
var anthropicWords = map[string]string{
	"stop": "end_turn", "length": "max_tokens", "tool_calls": "tool_use", "content_filter": "refusal",
}

type anthropicMessage struct {
	ID       string           `json:"id"`
	Type     string           `json:"type"`
	Role     string           `json:"role"`
	Model    string           `json:"model"`
	Content  []anthropicBlock `json:"content"`
	Stop     *string          `json:"stop_reason"`
	Sequence *string          `json:"stop_sequence"`
	Usage    anthropicUsage   `json:"usage"`
}

type anthropicUsage struct {
	Input   int `json:"input_tokens"`
	Created int `json:"cache_creation_input_tokens"`
	Read    int `json:"cache_read_input_tokens"`
	Output  int `json:"output_tokens"`
}

// anthropicBlock is a block of content; each type uses some of the members.
type anthropicBlock struct {
	Type  string          `json:"type"`
	Text  *string         `json:"text,omitempty"`
	ID    string          `json:"id,omitempty"`
	Name  string          `json:"name,omitempty"`
	Input json.RawMessage `json:"input,omitempty"`
}

// message is the whole message; of an empty answer it has no block.
func (r *result) message() anthropicMessage {
	m := anthropicMessage{ID: fmt.Sprintf("msg-llmtest-%d", r.number), Type: "message", Role: "assistant", Model: r.call.model,
		Content: []anthropicBlock{}, Usage: anthropicUsage{Input: r.usage.Input, Output: r.usage.Output}}
	for _, it := range r.items {
		m.Stop = word(it.finish, anthropicWords)
		switch {
		case it.tool != nil:
			m.Content = append(m.Content, anthropicBlock{Type: "tool_use", Name: it.tool.name,
				ID: fmt.Sprintf("toolu_llmtest_%d_%d", r.number, it.index), Input: it.tool.input()})
		case it.text != "":
			m.Content = append(m.Content, anthropicBlock{Type: "text", Text: &it.text})
		}
	}
	return m
}

// input is the arguments as a value; what is no JSON goes out as a string.
func (t *toolCall) input() json.RawMessage {
	if raw := []byte(t.arguments); json.Valid(raw) {
		return raw
	}
	return encode(t.arguments)
}

func renderMessages(r *result) answer {
	if r.call.stream {
		return streamMessages(r)
	}
	return anthropic.jsonAnswer(r.message())
}

// anthropicError renders {"type":"error","error":{…}}.
func anthropicError(e *apiError, id string) []byte {
	type inner struct {
		Type    string `json:"type"`
		Message string `json:"message"`
	}
	return encode(struct {
		Type  string `json:"type"`
		Error inner  `json:"error"`
		ID    string `json:"request_id,omitempty"`
	}{"error", inner{anthropicType(e), e.message}, id})
}

// anthropicType is the code that was asked for, else the type that goes with the
// status.
func anthropicType(e *apiError) string {
	if e.code != "" && e.code != generalCode {
		return e.code
	}
	switch e.status {
	case http.StatusUnauthorized:
		return "authentication_error"
	case http.StatusPaymentRequired:
		return "billing_error"
	case http.StatusForbidden:
		return "permission_error"
	case http.StatusNotFound:
		return "not_found_error"
	case http.StatusRequestEntityTooLarge:
		return "request_too_large"
	case http.StatusTooManyRequests:
		return "rate_limit_error"
	case http.StatusGatewayTimeout:
		return "timeout_error"
	case statusOverloaded:
		return "overloaded_error"
	}
	if e.status >= 500 || e.status < 300 {
		return "api_error"
	}
	return "invalid_request_error"
}
