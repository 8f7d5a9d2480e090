package llmtest

import (
	"encoding/json"
	"net/http"
	"time"
)

// ollamaMembers are what the routes that answer with text share. They stream
// unless they are told not to.
type ollamaMembers struct {
	Model   string `json:"model"`
	Stream  *bool  `json:"stream"`
	Options struct {
		MaxTokens int `json:"num_predict"` // negative: no limit
	} `json:"options"`
}

func (c *call) takeOllama(m ollamaMembers) {
	c.model, c.n = m.Model, 1
	c.stream = m.Stream == nil || *m.Stream
	c.maxTokens = max(m.Options.MaxTokens, 0)
}

func parseOllamaChat(c *call, body []byte) *apiError {
	var in struct {
		ollamaMembers
		Messages []message `json:"messages"`
	}
	if err := unmarshal(body, &in); err != nil {
		return err
	}
	c.takeOllama(in.ollamaMembers)
	if len(in.Messages) == 0 {
		return invalidRequest("messages must hold at least one message")
	}
	c.messages(in.Messages)
	return nil
}

func parseOllamaGenerate(c *call, body []byte) *apiError {
	var in struct {
		ollamaMembers
		System string `json:"system"`
		Prompt string `json:"prompt"`
	}
	if err := unmarshal(body, &in); err != nil {
		return err
	}
	c.takeOllama(in.ollamaMembers)
	c.prompts, c.input = []string{in.Prompt}, Tokens(in.System)+Tokens(in.Prompt)
	return nil
}

func parseOllamaEmbed(c *call, body []byte) *apiError {
	var in struct {
		Model      string          `json:"model"`
		Input      json.RawMessage `json:"input"`
		Dimensions int             `json:"dimensions"`
	}
	if err := unmarshal(body, &in); err != nil {
		return err
	}
	c.model, c.dimensions = in.Model, defaultDimensions
	if in.Dimensions > 0 {
		c.dimensions = min(in.Dimensions, maxDimensions)
	}
	return c.inputs(in.Input, "input")
}

// An ollamaBody is an answer of the server's own API, or a line of one. What has to
// be measured on a real machine is made of the tokens: the time for all of them is
// a millisecond each.
type ollamaBody struct {
	Model      string         `json:"model"`
	Created    string         `json:"created_at,omitempty"`
	Message    *ollamaMessage `json:"message,omitempty"`
	Response   *string        `json:"response,omitempty"`
	Embeddings [][]float32    `json:"embeddings,omitempty"`
	Done       *bool          `json:"done,omitempty"`
	Reason     string         `json:"done_reason,omitempty"`
	ollamaUsage
}

type ollamaUsage struct {
	Total      time.Duration `json:"total_duration,omitempty"`
	Load       time.Duration `json:"load_duration,omitempty"`
	Input      int           `json:"prompt_eval_count,omitempty"`
	InputTime  time.Duration `json:"prompt_eval_duration,omitempty"`
	Output     int           `json:"eval_count,omitempty"`
	OutputTime time.Duration `json:"eval_duration,omitempty"`
}

type ollamaMessage struct {
	Role    string       `json:"role"`
	Content string       `json:"content"`
	Calls   []ollamaCall `json:"tool_calls,omitempty"`
}

type ollamaCall struct {
	Function ollamaFunction `json:"function"`
}

type ollamaFunction struct {
	Name      string          `json:"name"`
	Arguments json.RawMessage `json:"arguments"`
}

func usageOfOllama(u Usage) ollamaUsage {
	const load = time.Millisecond
	in, out := time.Duration(u.Input)*time.Millisecond, time.Duration(u.Output)*time.Millisecond
	return ollamaUsage{Total: load + in + out, Load: load, Input: u.Input, InputTime: in, Output: u.Output, OutputTime: out}
}

// line is a body that says this much.
func (r *result) line(text string, tool *toolCall) ollamaBody {
	no := false
	b := ollamaBody{Model: r.call.model, Created: time.Unix(r.created, 0).UTC().Format(time.RFC3339Nano), Done: &no}
	if r.call.route.operation == "ollama.generate" {
		b.Response = &text
		return b
	}
	b.Message = &ollamaMessage{Role: "assistant", Content: text}
	if tool != nil {
		b.Message.Calls = []ollamaCall{{ollamaFunction{tool.name, tool.input()}}}
	}
	return b
}

// over makes a body the last one, if the item is finished.
func (b ollamaBody) over(it item, u Usage) ollamaBody {
	if it.finish == "" {
		return b
	}
	yes := true
	b.Done, b.Reason, b.ollamaUsage = &yes, "stop", usageOfOllama(u)
	if it.finish == "length" {
		b.Reason = it.finish
	}
	return b
}

// renderOllama answers a chat or a prompt: in one object, or in lines of which the
// last says that it is done.
func renderOllama(r *result) answer {
	var it item // unfinished, where the only choice is left out
	if len(r.items) > 0 {
		it = r.items[0]
	}
	if !r.call.stream {
		return ollama.jsonAnswer(r.line(it.text, it.tool).over(it, r.usage))
	}
	a := answer{status: http.StatusOK, contentType: linesType, stream: true, frame: ollamaFrame}
	send := func(b ollamaBody) { a.chunks = append(a.chunks, append(encode(b), '\n')) }
	for _, w := range pieces(it.text) {
		send(r.line(w, nil))
	}
	if it.tool != nil {
		send(r.line("", it.tool))
	}
	if it.finish != "" {
		send(r.line("", nil).over(it, r.usage))
	}
	return a
}

func renderOllamaEmbed(r *result) answer {
	out := ollamaBody{Model: r.call.model, ollamaUsage: usageOfOllama(r.usage)}
	for _, it := range r.items {
		out.Embeddings = append(out.Embeddings, it.vector)
	}
	return ollama.jsonAnswer(out)
}

// ollamaError renders {"error": "…"}. The real server has no codes: one is written
// only for who asks for it, and for what only a server with keys has to say.
func ollamaError(e *apiError, _ string) []byte {
	out := struct {
		Error string `json:"error"`
		Code  string `json:"code,omitempty"`
	}{e.message, e.code}
	if e.code == generalCode {
		out.Code = ""
	}
	return encode(out)
}

func ollamaFrame(e *apiError, _ int) []byte { return append(ollamaError(e, ""), '\n') }
