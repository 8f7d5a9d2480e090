package llmtest

import (
	"encoding/json"
	"strings"
)

// Tokens counts the tokens of a text as the server does: the words, which are what
// white space separates. Usage counts the text of all messages as input, that of
// all choices as output; pictures that are sent, tools and tool calls count nothing, a
// prompt given as token numbers counts these. A picture that is drawn counts one,
// speech nothing.
func Tokens(text string) int { return len(strings.Fields(text)) }

type message struct {
	Content json.RawMessage `json:"content"`
}

func parseChat(c *call, body []byte) *apiError {
	var in struct {
		members
		MaxCompletionTokens *int      `json:"max_completion_tokens"`
		Messages            []message `json:"messages"`
	}
	if err := unmarshal(body, &in); err != nil {
		return err
	}
	if err := c.take(in.members); err != nil {
		return err
	}
	if len(in.Messages) == 0 {
		return invalidRequest("messages must hold at least one message.")
	}
	c.messages(in.Messages)
	return c.limit(in.MaxCompletionTokens)
}

// messages makes the last message the prompt and counts all of them.
func (c *call) messages(list []message) {
	last := ""
	for _, m := range list {
		last = textOf(m.Content)
		c.input += Tokens(last)
	}
	c.prompts = []string{last}
}

// textOf is the text of a message's content: a string, or parts with text.
func textOf(raw json.RawMessage) string {
	var s string
	if json.Unmarshal(raw, &s) == nil {
		return s
	}
	var parts []struct {
		Text string `json:"text"`
	}
	if json.Unmarshal(raw, &parts) != nil {
		return ""
	}
	var texts []string
	for _, p := range parts {
		if p.Text != "" {
			texts = append(texts, p.Text)
		}
	}
	return strings.Join(texts, "\n")
}

func parseCompletion(c *call, body []byte) *apiError {
	var in struct {
		members
		Prompt json.RawMessage `json:"prompt"`
	}
	if err := unmarshal(body, &in); err != nil {
		return err
	}
	if err := c.take(in.members); err != nil {
		return err
	}
	if len(in.Prompt) == 0 || string(in.Prompt) == "null" {
		c.prompts = []string{""}
		return nil
	}
	return c.inputs(in.Prompt, "prompt")
}

func parseResponses(c *call, body []byte) *apiError {
	var in struct {
		members
		MaxOutputTokens *int            `json:"max_output_tokens"`
		Instructions    string          `json:"instructions"`
		Input           json.RawMessage `json:"input"`
	}
	if err := unmarshal(body, &in); err != nil {
		return err
	}
	if err := c.take(in.members); err != nil {
		return err
	}
	c.n = 1
	var text string
	var list []message
	switch {
	case json.Unmarshal(in.Input, &text) == nil:
		c.prompts, c.input = []string{text}, Tokens(text)
	case json.Unmarshal(in.Input, &list) == nil && len(list) > 0:
		c.messages(list)
	default:
		return invalidRequest("input must be a string or a list of items.")
	}
	c.input += Tokens(in.Instructions)
	return c.limit(in.MaxOutputTokens)
}

// inputs reads what may be a string, strings, token numbers or lists of these.
func (c *call) inputs(raw json.RawMessage, name string) *apiError {
	var one string
	var many []string
	var tokens []int64
	var lists [][]int64
	switch {
	case json.Unmarshal(raw, &one) == nil:
		many = []string{one}
	case json.Unmarshal(raw, &many) == nil:
	case json.Unmarshal(raw, &tokens) == nil:
		c.tokens([][]int64{tokens})
	case json.Unmarshal(raw, &lists) == nil:
		c.tokens(lists)
	default:
		return invalidRequest(name + " must be a string, a list of strings or token numbers.")
	}
	for _, s := range many {
		c.prompts = append(c.prompts, s)
		c.input += Tokens(s)
	}
	if len(c.prompts) == 0 || len(c.prompts) > maxInputs {
		return invalidRequest(name + " must hold between 1 and 2048 elements.")
	}
	return nil
}

const maxInputs = 2048

// tokens takes prompts of token numbers; their text is the numbers.
func (c *call) tokens(lists [][]int64) {
	for _, l := range lists {
		text, _ := json.Marshal(l)
		c.prompts = append(c.prompts, string(text))
		c.input += len(l)
	}
}
