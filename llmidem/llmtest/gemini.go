package llmtest

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
)

// geminiContent is what one side says.
type geminiContent struct {
	Parts []geminiPart `json:"parts,omitempty"`
	Role  string       `json:"role,omitempty"`
}

// geminiPart is a text, the call of a function or what came of one.
type geminiPart struct {
	Text     *string         `json:"text,omitempty"`
	Call     *geminiCall     `json:"functionCall,omitempty"`
	Response json.RawMessage `json:"functionResponse,omitempty"`
}

type geminiCall struct {
	Name string          `json:"name"`
	Args json.RawMessage `json:"args,omitempty"`
}

// text joins the texts of the parts; the result of a function is its JSON.
func (g geminiContent) text() string {
	var texts []string
	for _, p := range g.Parts {
		switch {
		case p.Text != nil && *p.Text != "":
			texts = append(texts, *p.Text)
		case len(p.Response) > 0:
			texts = append(texts, string(p.Response))
		}
	}
	return strings.Join(texts, "\n")
}

type geminiConfig struct {
	Candidates *int `json:"candidateCount"`
	MaxTokens  *int `json:"maxOutputTokens"`
}

// parseContents reads the request of both operations. The model is in the path,
// and how a stream is written in the query.
func parseContents(c *call, body []byte) *apiError {
	var in struct {
		Contents []geminiContent `json:"contents"`
		System   geminiContent   `json:"systemInstruction"`
		System2  geminiContent   `json:"system_instruction"` // both spellings are read
		Config   geminiConfig    `json:"generationConfig"`
		Config2  geminiConfig    `json:"generation_config"`
	}
	if err := unmarshal(body, &in); err != nil {
		return err
	}
	c.model = geminiModel(c.request.Path)
	c.stream = c.route.operation == "stream_generate_content"
	if v, err := url.ParseQuery(c.request.Query); err == nil {
		c.format = v.Get("alt")
	}
	if len(in.Contents) == 0 {
		return invalidRequest("* GenerateContentRequest.contents: contents is not specified")
	}
	last := ""
	for _, content := range in.Contents {
		last = content.text()
		c.input += Tokens(last)
	}
	c.prompts = []string{last}
	c.input += Tokens(in.System.text()) + Tokens(in.System2.text())
	for _, cfg := range []geminiConfig{in.Config2, in.Config} {
		if c.n > 0 && cfg.Candidates == nil {
			cfg.Candidates = &c.n
		}
		if err := c.choices(cfg.Candidates); err != nil {
			return err
		}
		if err := c.limit(cfg.MaxTokens); err != nil {
			return err
		}
	}
	return nil
}

// geminiModel returns NAME of a path …/NAME:operation.
func geminiModel(path string) string {
	path = path[:strings.LastIndexByte(path, ':')]
	name := path[strings.LastIndexByte(path, '/')+1:]
	if plain, err := url.PathUnescape(name); err == nil {
		return plain
	}
	return name
}

// geminiWords are the finish reasons; a call of a function has none of its own.
var geminiWords = map[string]string{"stop": "STOP", "length": "MAX_TOKENS", "tool_calls": "STOP"}

// A geminiResponse is an answer, or a piece of one.
type geminiResponse struct {
	Candidates []geminiCandidate `json:"candidates,omitempty"`
	Feedback   *geminiFeedback   `json:"promptFeedback,omitempty"`
	Usage      geminiUsage       `json:"usageMetadata"`
	Model      string            `json:"modelVersion"`
	ID         string            `json:"responseId"`
}

type geminiCandidate struct {
	Content geminiContent `json:"content"`
	Finish  *string       `json:"finishReason,omitempty"`
	Index   int           `json:"index"`
}

type geminiFeedback struct {
	Reason string `json:"blockReason"`
}

type geminiUsage struct {
	Prompt     int `json:"promptTokenCount"`
	Candidates int `json:"candidatesTokenCount,omitempty"`
	Total      int `json:"totalTokenCount"`
}

func (r *result) generated(candidates ...geminiCandidate) geminiResponse {
	return geminiResponse{Candidates: candidates, Model: r.call.model, ID: fmt.Sprintf("resp-llmtest-%d", r.number),
		Usage: geminiUsage{Prompt: r.usage.Input, Total: r.usage.Input}}
}

// billed adds what the whole answer costs.
func (g geminiResponse) billed(u Usage) geminiResponse {
	g.Usage.Candidates, g.Usage.Total = u.Output, u.Total()
	return g
}

// said is a candidate that says one thing.
func said(index int, part geminiPart) geminiCandidate {
	return geminiCandidate{Index: index, Content: geminiContent{[]geminiPart{part}, "model"}}
}

func renderContent(r *result) answer {
	if r.call.stream {
		return streamContent(r)
	}
	out := r.generated().billed(r.usage)
	if r.blocked != "" {
		out.Feedback = &geminiFeedback{r.blocked}
		return gemini.jsonAnswer(out)
	}
	for _, it := range r.items {
		part := geminiPart{Text: &it.text}
		if it.tool != nil {
			part = geminiPart{Call: &geminiCall{it.tool.name, it.tool.input()}}
		}
		candidate := said(it.index, part)
		candidate.Finish = word(it.finish, geminiWords)
		out.Candidates = append(out.Candidates, candidate)
	}
	return gemini.jsonAnswer(out)
}

const geminiStreamType = streamType

// streamContent renders an answer as events, or without alt=sse as the elements of
// an array. The last piece of a candidate has its finish reason, the last of all
// the usage.
func streamContent(r *result) answer {
	chunks := r.contentPieces()
	if n := len(chunks); n > 0 && (r.blocked != "" || r.finished()) {
		chunks[n-1] = chunks[n-1].billed(r.usage)
	}
	a := answer{status: http.StatusOK, contentType: geminiStreamType, stream: true, frame: geminiFrame}
	if r.call.format == "sse" {
		for _, c := range chunks {
			a.chunks = append(a.chunks, geminiEvent(encode(c)))
		}
		return a
	}
	a.contentType, a.frame = gemini.json, geminiElement
	for i, c := range chunks {
		a.chunks = append(a.chunks, element(i, encode(c)))
	}
	if len(chunks) == 0 {
		a.chunks = [][]byte{[]byte("[")}
	}
	a.chunks = append(a.chunks, []byte("\n]\n"))
	return a
}
