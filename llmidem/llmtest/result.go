package llmtest

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strings"
)

// A result is what one execution produced, before it is written in the form of a
// route. It is not changed once it is made: a key's result is rendered again for
// each replay, and damaged in a copy.
type result struct {
	call    *call
	number  int
	created int64
	items   []item
	usage   Usage
	reply   *page
	blocked string // why the prompt was refused
	noDone  bool   // a stream ends without [DONE]
}

// An item is one choice, or one result of embeddings and moderations.
type item struct {
	index  int
	text   string
	tool   *toolCall
	finish string // "" for none
	vector []float32
}

type toolCall struct{ name, arguments string }

// promptWords is how much of a prompt an answer repeats.
const promptWords = 64

// workText fills in the choices of the routes that answer with text.
func workText(c *call, r *result) {
	for p, prompt := range c.prompts {
		for i := range c.n {
			it := item{index: p*c.n + i, text: answerText(prompt, i), finish: "stop"}
			r.items = append(r.items, it)
		}
	}
}

// answerText is the built-in answer, of words with one space between.
func answerText(prompt string, choice int) string {
	words := strings.Fields(prompt)
	if len(words) > promptWords {
		sum := sha256.Sum256([]byte(prompt))
		words = append(words[:promptWords:promptWords], "[…"+hex.EncodeToString(sum[:4])+"]")
	}
	text := strings.TrimRight("Answer to: "+strings.Join(words, " "), " ")
	if choice > 0 {
		text += fmt.Sprintf(" (choice %d)", choice+1)
	}
	return text
}

// script puts what a fault says in place of what was built, numbers sampled
// answers, holds the token limit and counts what it all cost.
func (r *result) script(f Fault, sampled bool) {
	cost := r.call.route.cost
	for i := range r.items {
		it := &r.items[i]
		if cost == nil {
			continue
		}
		switch {
		case f.text != nil:
			it.text = *f.text
		case sampled:
			it.text = strings.Replace(it.text, "Answer to:", fmt.Sprintf("Answer %d to:", r.number), 1)
		}
		switch {
		case f.tool != nil && r.call.route.tools:
			it.text, it.tool, it.finish = "", f.tool, "tool_calls"
		case f.blocked != "" && r.call.route.filtered():
			it.text, it.finish = "", "content_filter"
		}
		if limit := r.call.maxTokens; limit > 0 && Tokens(it.text) > limit {
			it.text, it.finish = strings.Join(strings.Fields(it.text)[:limit], " "), "length"
		}
		r.usage.Output += cost(*it)
	}
	r.usage.Input, r.blocked = r.call.input, f.blocked
	if f.reply != nil {
		r.reply, r.usage = f.reply, usageOf(f.reply.body)
	}
}

// usageOf is the usage that a scripted body states, in any API's words.
func usageOf(body string) Usage {
	var in struct {
		Usage struct {
			Prompt     int `json:"prompt_tokens"`
			Completion int `json:"completion_tokens"`
			Input      int `json:"input_tokens"`
			Output     int `json:"output_tokens"`
		} `json:"usage"`
		Gemini struct {
			Input  int `json:"promptTokenCount"`
			Output int `json:"candidatesTokenCount"`
		} `json:"usageMetadata"`
		OllamaInput  int `json:"prompt_eval_count"`
		OllamaOutput int `json:"eval_count"`
	}
	if json.Unmarshal([]byte(body), &in) != nil {
		return Usage{}
	}
	u := in.Usage
	return Usage{Input: u.Prompt + u.Input + in.Gemini.Input + in.OllamaInput,
		Output: u.Completion + u.Output + in.Gemini.Output + in.OllamaOutput}
}

// damaged returns the result as a fault spoils it; r stays whole.
func (r *result) damaged(f Fault) *result {
	d := *r
	d.items = append([]item(nil), r.items...)
	switch f.damage {
	case missingChoice:
		if len(d.items) > 0 {
			d.items = d.items[:len(d.items)-1]
		}
	case noFinish:
		d.noDone = true
		d.unfinish(false)
	case forgedDone:
		d.unfinish(true)
	}
	return &d
}

func (r *result) unfinish(half bool) {
	for i := range r.items {
		r.items[i].finish = ""
		if words := strings.Fields(r.items[i].text); half {
			r.items[i].text = strings.Join(words[:len(words)/2], " ")
		}
	}
}
