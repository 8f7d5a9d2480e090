package llmtest

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
)

// defaultDimensions is short, since nobody looks at the numbers.
const defaultDimensions = 8

func parseEmbeddings(c *call, body []byte) *apiError {
	var in struct {
		members
		Input      json.RawMessage `json:"input"`
		Dimensions *int            `json:"dimensions"`
		Encoding   string          `json:"encoding_format"`
	}
	if err := unmarshal(body, &in); err != nil {
		return err
	}
	in.Stream, in.N = false, nil
	if err := c.take(in.members); err != nil {
		return err
	}
	c.dimensions, c.base64 = defaultDimensions, in.Encoding == "base64"
	if in.Dimensions != nil {
		c.dimensions = *in.Dimensions
	}
	if c.dimensions < 1 || c.dimensions > maxDimensions {
		return invalidRequest("dimensions must be between 1 and 4096.")
	}
	return c.inputs(in.Input, "input")
}

// workEmbeddings makes a vector of length 1 from the digest of each input.
func workEmbeddings(c *call, r *result) {
	for i, text := range c.prompts {
		r.items = append(r.items, item{index: i, vector: vector(text, c.dimensions)})
	}
}

func vector(text string, dimensions int) []float32 {
	source := rand.New(rand.NewChaCha8(sha256.Sum256([]byte(text))))
	v := make([]float64, dimensions)
	norm := 0.0
	for i := range v {
		v[i] = source.Float64() + 0.5 // never 0, so that there is a length
		norm += v[i] * v[i]
	}
	out := make([]float32, dimensions)
	for i := range v {
		out[i] = float32(v[i] / math.Sqrt(norm))
	}
	return out
}

func renderEmbeddings(r *result) answer {
	type element struct {
		Object    string `json:"object"`
		Index     int    `json:"index"`
		Embedding any    `json:"embedding"`
	}
	data := []element{}
	for _, it := range r.items {
		e := element{Object: "embedding", Index: it.index, Embedding: it.vector}
		if r.call.base64 {
			var raw []byte
			for _, x := range it.vector {
				raw = binary.LittleEndian.AppendUint32(raw, math.Float32bits(x))
			}
			e.Embedding = base64.StdEncoding.EncodeToString(raw)
		}
		data = append(data, e)
	}
	return openAI.jsonAnswer(struct {
		Object string    `json:"object"`
		Data   []element `json:"data"`
		Model  string    `json:"model"`
		Usage  usageBody `json:"usage"`
	}{"list", data, r.call.model, usageBody{Prompt: r.usage.Input, Total: r.usage.Input}})
}

func parseModerations(c *call, body []byte) *apiError {
	var in struct {
		Model string          `json:"model"`
		Input json.RawMessage `json:"input"`
	}
	if err := unmarshal(body, &in); err != nil {
		return err
	}
	c.model = in.Model
	if c.model == "" {
		c.model = "omni-moderation-latest"
	}
	var parts []message
	if json.Unmarshal(in.Input, &parts) == nil && len(parts) > 0 {
		text := textOf(in.Input)
		c.prompts, c.input = []string{text}, Tokens(text)
		return nil
	}
	return c.inputs(in.Input, "input")
}

func workModerations(c *call, r *result) {
	for i := range c.prompts {
		r.items = append(r.items, item{index: i})
	}
}

// renderModerations flags nothing.
func renderModerations(r *result) answer {
	type verdict struct {
		Flagged    bool               `json:"flagged"`
		Categories map[string]bool    `json:"categories"`
		Scores     map[string]float64 `json:"category_scores"`
	}
	results := []verdict{}
	for range r.items {
		results = append(results, verdict{
			Categories: map[string]bool{"harassment": false, "violence": false},
			Scores:     map[string]float64{"harassment": 0, "violence": 0},
		})
	}
	return openAI.jsonAnswer(struct {
		ID      string    `json:"id"`
		Model   string    `json:"model"`
		Results []verdict `json:"results"`
	}{fmt.Sprintf("modr-llmtest-%d", r.number), r.call.model, results})
}
