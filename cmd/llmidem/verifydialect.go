package main

import (
	"encoding/json"
	"net/url"
	"path"
	"strings"
)

// A dialect is one wire format: where a chat goes, what it looks like, and what of
// an answer tells it from another one.
type dialect struct {
	name string
	// url completes a base URL as an SDK of the service is configured with it.
	url func(base url.URL, model string) *url.URL
	// body asks for a short text. plain leaves out what newer models refuse.
	body func(a ask) any
	// read returns the id and the text of an answer; ok says that it is whole.
	read func(body []byte) (id, text string, ok bool)
}

// ask is what a request body is made of.
type ask struct {
	model, prompt string
	tokens        int
	plain         bool
}

type object map[string]any

type said struct {
	Role    string `json:"role"`
	Content string `json:"content"`
}

func (a ask) messages() []said { return []said{{"user", a.prompt}} }

// dialects by the names of the rule tables of package identity.
var dialects = map[string]*dialect{
	"openai":    {"openai", openAIURL, openAIBody, openAIRead},
	"anthropic": {"anthropic", anthropicURL, anthropicBody, anthropicRead},
	"gemini":    {"gemini", geminiURL, geminiBody, geminiRead},
	"ollama":    {"ollama", ollamaURL, ollamaBody, ollamaRead},
}

// below appends elements to a base URL, whose query stays.
func below(base url.URL, elem ...string) *url.URL { return base.JoinPath(elem...) }

// versioned reports whether the path ends in a version of an API, as in /v1.
func versioned(u url.URL) bool {
	switch path.Base(u.Path) {
	case "v1", "v1beta", "v1beta1", "v1alpha":
		return true
	}
	return false
}

func openAIURL(base url.URL, _ string) *url.URL {
	switch {
	case strings.HasSuffix(base.Path, "/chat/completions"):
		return &base
	case strings.Trim(base.Path, "/") == "":
		return below(base, "v1", "chat", "completions")
	}
	return below(base, "chat", "completions")
}

// openAIBody: reasoning models take max_completion_tokens in place of max_tokens,
// and no temperature.
func openAIBody(a ask) any {
	if a.plain {
		return object{"model": a.model, "messages": a.messages(), "max_completion_tokens": a.tokens}
	}
	return object{"model": a.model, "messages": a.messages(), "max_tokens": a.tokens, "temperature": 1}
}

func openAIRead(body []byte) (id, text string, ok bool) {
	var in struct {
		ID      string `json:"id"`
		Choices []struct {
			Message *struct {
				Content string `json:"content"`
			} `json:"message"`
		} `json:"choices"`
	}
	if json.Unmarshal(body, &in) != nil || len(in.Choices) == 0 || in.Choices[0].Message == nil {
		return "", "", false
	}
	return in.ID, in.Choices[0].Message.Content, true
}

func anthropicURL(base url.URL, _ string) *url.URL {
	switch {
	case strings.HasSuffix(base.Path, "/messages"):
		return &base
	case versioned(base):
		return below(base, "messages")
	}
	return below(base, "v1", "messages")
}

func anthropicBody(a ask) any {
	b := object{"model": a.model, "messages": a.messages(), "max_tokens": a.tokens}
	if !a.plain {
		b["temperature"] = 1
	}
	return b
}

func anthropicRead(body []byte) (id, text string, ok bool) {
	var in struct {
		ID      string `json:"id"`
		Stop    string `json:"stop_reason"`
		Content []struct {
			Text string `json:"text"`
		} `json:"content"`
	}
	if json.Unmarshal(body, &in) != nil || in.Stop == "" {
		return "", "", false
	}
	for _, c := range in.Content {
		text += c.Text
	}
	return in.ID, text, true
}

func geminiURL(base url.URL, model string) *url.URL {
	model = strings.TrimPrefix(model, "models/") + ":generateContent"
	if versioned(base) || strings.Contains(base.Path, "/publishers/") {
		return below(base, "models", url.PathEscape(model))
	}
	return below(base, "v1beta", "models", url.PathEscape(model))
}

func geminiBody(a ask) any {
	config := object{"maxOutputTokens": a.tokens}
	if !a.plain {
		config["temperature"] = 1
	}
	return object{
		"contents":         []object{{"role": "user", "parts": []object{{"text": a.prompt}}}},
		"generationConfig": config,
	}
}

func geminiRead(body []byte) (id, text string, ok bool) {
	var in struct {
		ID         string `json:"responseId"`
		Candidates []struct {
			Reason  string `json:"finishReason"`
			Content struct {
				Parts []struct {
					Text string `json:"text"`
				} `json:"parts"`
			} `json:"content"`
		} `json:"candidates"`
	}
	if json.Unmarshal(body, &in) != nil || len(in.Candidates) == 0 || in.Candidates[0].Reason == "" {
		return "", "", false
	}
	for _, p := range in.Candidates[0].Content.Parts {
		text += p.Text
	}
	return in.ID, text, true
}

func ollamaURL(base url.URL, _ string) *url.URL {
	switch path.Base(base.Path) {
	case "chat":
		return &base
	case "api":
		return below(base, "chat")
	}
	return below(base, "api", "chat")
}

func ollamaBody(a ask) any {
	options := object{"num_predict": a.tokens}
	if !a.plain {
		options["temperature"] = 1
	}
	return object{"model": a.model, "messages": a.messages(), "stream": false, "options": options}
}

// ollamaRead takes the time of the answer, to the nanosecond, for its id.
func ollamaRead(body []byte) (id, text string, ok bool) {
	var in struct {
		Created string `json:"created_at"`
		Done    bool   `json:"done"`
		Message struct {
			Content string `json:"content"`
		} `json:"message"`
	}
	if json.Unmarshal(body, &in) != nil || !in.Done {
		return "", "", false
	}
	return in.Created, in.Message.Content, true
}
