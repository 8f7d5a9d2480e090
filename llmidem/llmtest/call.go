package llmtest

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
)

// A route is one inference operation of an API.
type route struct {
	suffix    string
	operation string
	dialect   *dialect
	parse     func(*call, []byte) *apiError
	work      func(*call, *result)
	render    func(*result) answer
	cost      func(item) int // tokens of an item that is a text or made of one; else nil
	tools     bool           // it can answer with a call of a function
}

// routes are in order of precedence: /chat/completions also ends in /completions.
var routes = [...]route{
	{"/chat/completions", "chat", openAI, parseChat, workText, renderChat, words, true},
	{"/completions", "text_completion", openAI, parseCompletion, workText, renderCompletion, words, false},
	{"/responses", "responses", openAI, parseResponses, workText, renderResponses, words, false},
	{"/embeddings", "embeddings", openAI, parseEmbeddings, workEmbeddings, renderEmbeddings, nil, false},
	{"/moderations", "moderations", openAI, parseModerations, workModerations, renderModerations, nil, false},
	{"/images/generations", "images.generations", openAI, parseGeneration, workText, renderImages, one, false},
	{"/images/edits", "images.edits", openAI, parseEdit, workText, renderImages, one, false},
	{"/images/variations", "images.variations", openAI, parseVariation, workText, renderImages, one, false},
	{"/audio/speech", "audio.speech", openAI, parseSpeech, workText, renderSpeech, nothing, false},
	{"/audio/transcriptions", "audio.transcriptions", openAI, parseTranscript, workText, renderTranscript, words, false},
	{"/audio/translations", "audio.translations", openAI, parseTranscript, workText, renderTranscript, words, false},
	{"/messages", "messages", anthropic, parseMessages, workText, renderMessages, words, true},
	{":generateContent", "generate_content", gemini, parseContents, workText, renderContent, words, true},
	{":streamGenerateContent", "stream_generate_content", gemini, parseContents, workText, renderContent, words, true},
	{"/api/chat", "ollama.chat", ollama, parseOllamaChat, workText, renderOllama, words, true},
	{"/api/generate", "ollama.generate", ollama, parseOllamaGenerate, workText, renderOllama, words, false},
	{"/api/embed", "ollama.embed", ollama, parseOllamaEmbed, workEmbeddings, renderOllamaEmbed, nil, false},
}

func words(it item) int { return Tokens(it.text) }
func one(item) int      { return 1 }
func nothing(item) int  { return 0 }

// filtered says whether the route has words for an answer that its filters stop.
func (rt *route) filtered() bool {
	switch rt.operation {
	case "chat", "text_completion", "responses", "messages", "generate_content", "stream_generate_content":
		return true
	}
	return false
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
	route   *route
	request *Request
	err     *apiError // the request is not valid

	model        string
	prompts      []string // an answer for each, n times
	input        int      // tokens of all that was said
	n            int
	maxTokens    int // 0: no limit
	stream       bool
	includeUsage bool
	dimensions   int
	base64       bool   // vectors or pictures
	format       string // of sounds, transcripts and streams
	upload       string // digest of the files that came with it
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
	c.model, c.stream = m.Model, m.Stream
	if m.StreamOptions != nil {
		c.includeUsage = m.StreamOptions.IncludeUsage
	}
	if err := c.choices(m.N); err != nil {
		return err
	}
	return c.limit(m.MaxTokens)
}

// choices sets how many answers a prompt gets; nil is one.
func (c *call) choices(n *int) *apiError {
	c.n = 1
	if n != nil {
		c.n = *n
	}
	if c.n < 1 || c.n > maxChoices {
		return invalidRequest("n must be between 1 and 128.")
	}
	return nil
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
func parseCall(q *Request) *call {
	rt := findRoute(q.Path)
	if rt == nil || q.Method != http.MethodPost {
		return nil
	}
	c := &call{route: rt, request: q}
	if c.err = rt.parse(c, q.Body); c.err != nil {
		return c
	}
	if name, ok := deployment(q.Path); ok {
		c.model = name
		if v, err := url.ParseQuery(q.Query); err != nil || v.Get("api-version") == "" {
			c.err = &apiError{status: http.StatusNotFound, code: "404", message: "Resource not found"}
		}
	}
	if c.err == nil && c.model == "" {
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
