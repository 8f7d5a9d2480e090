package llmtest

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
)

// A route is one inference operation of the OpenAI API.
type route struct {
	suffix    string
	operation string
	parse     func(*call, []byte) *apiError
	work      func(*call, *result)
	render    func(*result) answer
}

// routes are in order of precedence: /chat/completions also ends in /completions.
var routes = [...]route{
	{"/chat/completions", "chat", parseChat, workText, renderChat},
	{"/completions", "text_completion", parseCompletion, workText, renderCompletion},
	{"/responses", "responses", parseResponses, workText, renderResponses},
	{"/embeddings", "embeddings", parseEmbeddings, workEmbeddings, renderEmbeddings},
	{"/moderations", "moderations", parseModerations, workModerations, renderModerations},
}

func findRoute(path string) *route {
	for i := range routes {
		if strings.HasSuffix(path, routes[i].suffix) {
			return &routes[i]
		}
	}
	return nil
}

// A call is an inference request as far as the server understands it.
type call struct {
	route *route
	err   *apiError // the request is not valid

	model        string
	prompts      []string // an answer for each, n times
	input        int      // tokens of all that was said
	n            int
	maxTokens    int // 0: no limit
	stream       bool
	includeUsage bool
	dimensions   int
	base64       bool
}

// members are the body members that several routes share.
type members struct {
	Model         string `json:"model"`
	N             *int   `json:"n"`
	MaxTokens     *int   `json:"max_tokens"`
	Stream        bool   `json:"stream"`
	StreamOptions *struct {
		IncludeUsage bool `json:"include_usage"`
	} `json:"stream_options"`
}

const (
	maxChoices    = 128
	maxDimensions = 4096
)

// take copies what the routes share and checks it.
func (c *call) take(m members) *apiError {
	c.model, c.stream, c.n = m.Model, m.Stream, 1
	if m.StreamOptions != nil {
		c.includeUsage = m.StreamOptions.IncludeUsage
	}
	if m.N != nil {
		c.n = *m.N
	}
	if c.n < 1 || c.n > maxChoices {
		return invalidRequest("n must be between 1 and 128.")
	}
	return c.limit(m.MaxTokens)
}

func (c *call) limit(tokens *int) *apiError {
	if tokens == nil {
		return nil
	}
	if *tokens < 1 {
		return invalidRequest("The token limit must be at least 1.")
	}
	c.maxTokens = *tokens
	return nil
}

// parseCall reads an inference request; nil means that it is none.
func parseCall(method, path, query string, body []byte) *call {
	rt := findRoute(path)
	if rt == nil || method != http.MethodPost {
		return nil
	}
	c := &call{route: rt}
	if c.err = rt.parse(c, body); c.err != nil {
		return c
	}
	if name, ok := deployment(path); ok {
		c.model = name
		if v, err := url.ParseQuery(query); err != nil || v.Get("api-version") == "" {
			c.err = &apiError{status: http.StatusNotFound, code: "404", message: "Resource not found"}
		}
	}
	if c.err == nil && c.model == "" && rt.operation != "moderations" {
		c.err = invalidRequest("You must provide a model parameter.")
	}
	return c
}

// deployment returns NAME of a path …/deployments/NAME/….
func deployment(path string) (string, bool) {
	_, rest, ok := strings.Cut(path, "/openai/deployments/")
	if !ok {
		return "", false
	}
	name, _, ok := strings.Cut(rest, "/")
	if !ok || name == "" {
		return "", false
	}
	if plain, err := url.PathUnescape(name); err == nil {
		name = plain
	}
	return name, true
}

func unmarshal(body []byte, v any) *apiError {
	if err := json.Unmarshal(body, v); err != nil {
		return invalidRequest("The body of the request could not be read as JSON of this operation.")
	}
	return nil
}
