package llmtest

import (
	"fmt"
	"strings"
)

// usageBody is the usage member of chat, completions and embeddings.
type usageBody struct {
	Prompt     int  `json:"prompt_tokens"`
	Completion *int `json:"completion_tokens,omitempty"`
	Total      int  `json:"total_tokens"`
}

func usageMember(u Usage) *usageBody {
	return &usageBody{Prompt: u.Input, Completion: &u.Output, Total: u.Total()}
}

// choice is a choice of chat or completions, whole or a piece of a stream.
type choice struct {
	Index   int          `json:"index"`
	Message *chatMessage `json:"message,omitempty"`
	Delta   *chatMessage `json:"delta,omitempty"`
	Text    *string      `json:"text,omitempty"`
	Finish  *string      `json:"finish_reason"`
}

type chatMessage struct {
	Role      string     `json:"role,omitempty"`
	Content   *string    `json:"content,omitempty"`
	ToolCalls []toolBody `json:"tool_calls,omitempty"`
}

type toolBody struct {
	Index    *int         `json:"index,omitempty"`
	ID       string       `json:"id,omitempty"`
	Type     string       `json:"type,omitempty"`
	Function functionBody `json:"function"`
}

type functionBody struct {
	Name      string `json:"name,omitempty"`
	Arguments string `json:"arguments"`
}

// completion is the body of chat and completions, whole or an event of a stream.
type completion struct {
	ID      string     `json:"id"`
	Object  string     `json:"object"`
	Created int64      `json:"created"`
	Model   string     `json:"model"`
	Choices []choice   `json:"choices"`
	Usage   *usageBody `json:"usage,omitempty"`
}

func (r *result) completion(prefix, object string) completion {
	return completion{ID: fmt.Sprintf("%s-llmtest-%d", prefix, r.number), Object: object,
		Created: r.created, Model: r.call.model, Choices: []choice{}}
}

func renderChat(r *result) answer {
	if r.call.stream {
		return streamAnswer(r, r.completion("chatcmpl", "chat.completion.chunk"), chatForm)
	}
	out := r.completion("chatcmpl", "chat.completion")
	for _, it := range r.items {
		m := &chatMessage{Role: "assistant", Content: &it.text}
		if it.tool != nil {
			m.Content, m.ToolCalls = nil, []toolBody{r.tool(it)}
		}
		out.Choices = append(out.Choices, choice{Index: it.index, Message: m, Finish: nonEmpty(it.finish)})
	}
	out.Usage = usageMember(r.usage)
	return openAI.jsonAnswer(out)
}

func renderCompletion(r *result) answer {
	if r.call.stream {
		return streamAnswer(r, r.completion("cmpl", "text_completion"), textForm)
	}
	out := r.completion("cmpl", "text_completion")
	for _, it := range r.items {
		out.Choices = append(out.Choices, choice{Index: it.index, Text: &it.text, Finish: nonEmpty(it.finish)})
	}
	out.Usage = usageMember(r.usage)
	return openAI.jsonAnswer(out)
}

func (r *result) tool(it item) toolBody {
	return toolBody{
		ID:       fmt.Sprintf("call_llmtest_%d_%d", r.number, it.index),
		Type:     "function",
		Function: functionBody{Name: it.tool.name, Arguments: it.tool.arguments},
	}
}

func nonEmpty(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

// pieces splits a text into words that keep the space before them, so that they
// make up the text again.
func pieces(text string) []string {
	var out []string
	for text != "" {
		n := strings.IndexByte(text[1:], ' ')
		if n < 0 {
			return append(out, text)
		}
		out = append(out, text[:n+1])
		text = text[n+1:]
	}
	return out
}
