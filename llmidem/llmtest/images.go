package llmtest

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"strings"
)

// imagesModel is what draws where the request does not say.
const imagesModel = "dall-e-2"

// draws takes what all image operations share.
func (c *call) draws(model, prompt, format string, n *int) *apiError {
	c.model = model
	if model == "" {
		c.model = imagesModel
	}
	// The models of this family know no addresses.
	c.base64 = format == "b64_json" || strings.HasPrefix(c.model, "gpt-image")
	c.prompts, c.input = []string{prompt}, Tokens(prompt)
	return c.choices(n)
}

func parseGeneration(c *call, body []byte) *apiError {
	var in struct {
		Model  string  `json:"model"`
		Prompt *string `json:"prompt"`
		N      *int    `json:"n"`
		Format string  `json:"response_format"`
	}
	if err := unmarshal(body, &in); err != nil {
		return err
	}
	if in.Prompt == nil {
		return invalidRequest("You must provide a prompt.")
	}
	return c.draws(in.Model, *in.Prompt, in.Format, in.N)
}

func parseEdit(c *call, _ []byte) *apiError {
	f, err := readForm(c.request)
	if err != nil {
		return err
	}
	prompt, ok := f.fields["prompt"]
	if !ok {
		return invalidRequest("You must provide a prompt.")
	}
	return c.changes(f, prompt)
}

func parseVariation(c *call, _ []byte) *apiError {
	f, err := readForm(c.request)
	if err != nil {
		return err
	}
	return c.changes(f, "file "+f.digest)
}

// changes takes an operation on an uploaded picture.
func (c *call) changes(f *formBody, prompt string) *apiError {
	if err := c.file(f, "image", "image[]"); err != nil {
		return err
	}
	n, err := f.number("n")
	if err != nil {
		return err
	}
	return c.draws(f.fields["model"], prompt, f.fields["response_format"], n)
}

// renderImages answers with pictures of one dot each, whose colour comes from the
// text that a chat would have had, and from what was uploaded.
func renderImages(r *result) answer {
	type element struct {
		Data string `json:"b64_json,omitempty"`
		URL  string `json:"url,omitempty"`
	}
	data := []element{}
	for _, it := range r.items {
		e := element{URL: fmt.Sprintf("%s/images/llmtest-%d-%d.png", memoryOrigin, r.number, it.index)}
		if r.call.base64 {
			e = element{Data: base64.StdEncoding.EncodeToString(dot(it.text + "\x00" + r.call.upload))}
		}
		data = append(data, e)
	}
	return openAI.jsonAnswer(struct {
		Created int64         `json:"created"`
		Data    []element     `json:"data"`
		Usage   responseUsage `json:"usage"`
	}{r.created, data, responseUsage{r.usage.Input, r.usage.Output, r.usage.Total()}})
}

// dot is a PNG of one dot.
func dot(text string) []byte {
	sum := sha256.Sum256([]byte(text))
	img := image.NewRGBA(image.Rect(0, 0, 1, 1))
	img.Set(0, 0, color.RGBA{sum[0], sum[1], sum[2], 0xff})
	var b bytes.Buffer
	_ = png.Encode(&b, img) // writing to memory does not fail, and the size is fixed
	return b.Bytes()
}
