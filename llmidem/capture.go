package llmidem

import (
	"encoding/json"

	"go.opentelemetry.io/otel/attribute"

	"github.com/llmidem/llmidem-go/llmidem/internal/semconv"
)

// WithCaptureContent puts the text of prompts and answers into the logical spans,
// in the form of the OpenTelemetry conventions (gen_ai.input.messages and
// gen_ai.output.messages), for chats in the OpenAI format. Images and files are
// named, not copied, and requests above 1 MiB left out. Prompts are personal data
// more often than not: default off.
func WithCaptureContent(on bool) Option {
	return optionFunc(func(s *settings) { s.capture = on })
}

// wireMessage is a message in a request or an answer.
type wireMessage struct {
	Role       string          `json:"role"`
	Content    json.RawMessage `json:"content"`
	ToolCallID string          `json:"tool_call_id"`
	ToolCalls  []struct {
		ID       string `json:"id"`
		Function struct {
			Name      string `json:"name"`
			Arguments string `json:"arguments"`
		} `json:"function"`
	} `json:"tool_calls"`
}

// spanMessage and spanPart are those of the conventions.
type spanMessage struct {
	Role         string     `json:"role"`
	Parts        []spanPart `json:"parts"`
	FinishReason string     `json:"finish_reason,omitempty"`
}

type spanPart struct {
	Type      string `json:"type"`
	Content   string `json:"content,omitempty"`
	ID        string `json:"id,omitempty"`
	Name      string `json:"name,omitempty"`
	Arguments string `json:"arguments,omitempty"`
	Response  string `json:"response,omitempty"`
}

// span is a message as spans have it.
func (m wireMessage) span(finish string) spanMessage {
	out := spanMessage{Role: m.Role, Parts: []spanPart{}, FinishReason: finish}
	var text string
	var parts []struct{ Type, Text string }
	if json.Unmarshal(m.Content, &text) == nil && text != "" {
		part := spanPart{Type: "text", Content: text}
		if m.ToolCallID != "" {
			part = spanPart{Type: "tool_call_response", ID: m.ToolCallID, Response: text}
		}
		out.Parts = append(out.Parts, part)
	} else if json.Unmarshal(m.Content, &parts) == nil {
		for _, p := range parts {
			out.Parts = append(out.Parts, spanPart{Type: p.Type, Content: p.Text})
		}
	}
	for _, t := range m.ToolCalls {
		out.Parts = append(out.Parts, spanPart{Type: "tool_call", ID: t.ID, Name: t.Function.Name, Arguments: t.Function.Arguments})
	}
	return out
}

// readable is the request's body as far as a span may have it.
func (c *call) readable() []byte {
	if !c.coded {
		return c.body.data
	}
	plain, err := ungzip(c.body.data, spoolAbove)
	if err != nil || len(plain) > spoolAbove {
		return nil
	}
	return plain
}

// captured are the attributes of a chat's content.
func (c *call) captured(a *answer) []attribute.KeyValue {
	if !c.capture || c.facts.operation != "chat" {
		return nil
	}
	var request struct {
		Messages []wireMessage `json:"messages"`
	}
	var response struct {
		Choices []struct {
			Message      wireMessage `json:"message"`
			FinishReason string      `json:"finish_reason"`
		} `json:"choices"`
	}
	var attrs []attribute.KeyValue
	add := func(key attribute.Key, messages []spanMessage) {
		if text, err := json.Marshal(messages); err == nil && len(messages) > 0 {
			attrs = append(attrs, key.String(string(text)))
		}
	}
	if json.Unmarshal(c.readable(), &request) == nil {
		var messages []spanMessage
		for _, m := range request.Messages {
			messages = append(messages, m.span(""))
		}
		add(semconv.GenAIInputMessages, messages)
	}
	if json.Unmarshal(a.body, &response) == nil {
		var messages []spanMessage
		for _, choice := range response.Choices {
			messages = append(messages, choice.Message.span(choice.FinishReason))
		}
		add(semconv.GenAIOutputMessages, messages)
	}
	return attrs
}
