package llmtest

import (
	"crypto/sha256"
	"math/rand/v2"
	"net/http"
	"strconv"
	"strings"
)

// soundTypes are the content types of speech by its format.
var soundTypes = map[string]string{
	"mp3": "audio/mpeg", "opus": "audio/opus", "aac": "audio/aac", "flac": "audio/flac", "wav": "audio/wav", "pcm": "audio/pcm",
}

func parseSpeech(c *call, body []byte) *apiError {
	var in struct {
		Model  string  `json:"model"`
		Input  *string `json:"input"`
		Format string  `json:"response_format"`
	}
	if err := unmarshal(body, &in); err != nil {
		return err
	}
	c.model, c.n, c.format = in.Model, 1, in.Format
	if c.format == "" {
		c.format = "mp3"
	}
	switch {
	case in.Input == nil:
		return invalidRequest("You must provide an input.")
	case soundTypes[c.format] == "":
		return invalidRequest("response_format must be one of mp3, opus, aac, flac, wav and pcm.")
	}
	c.prompts, c.input = []string{*in.Input}, Tokens(*in.Input)
	return nil
}

// soundBytes is how long the sound of a word is. It is noise, for whoever looks at
// nothing but the bytes.
const soundBytes = 256

func renderSpeech(r *result) answer {
	a := answer{status: http.StatusOK, contentType: soundTypes[r.call.format]}
	for _, it := range r.items {
		source := rand.NewChaCha8(sha256.Sum256([]byte(it.text)))
		for range max(Tokens(it.text), 1) {
			chunk := make([]byte, soundBytes)
			_, _ = source.Read(chunk) // never fails
			chunk[0] = 0xff           // as a frame of MP3 begins, and no text does
			a.chunks = append(a.chunks, chunk)
		}
	}
	return a
}

// parseTranscript reads the form of transcriptions and translations. What is said
// in a file is "file" and its digest.
func parseTranscript(c *call, _ []byte) *apiError {
	f, err := readForm(c.request)
	if err != nil {
		return err
	}
	c.model, c.n, c.format = f.fields["model"], 1, f.fields["response_format"]
	switch c.format {
	case "":
		c.format = "json"
	case "json", "verbose_json", "text", "srt", "vtt":
	default:
		return invalidRequest("response_format must be one of json, text, srt, verbose_json and vtt.")
	}
	prompt := "file " + f.digest
	c.prompts, c.input = []string{prompt}, Tokens(prompt)
	return c.file(f, "file")
}

// renderTranscript answers with the text in the format that was asked for. Every
// word takes a second.
func renderTranscript(r *result) answer {
	type usage struct {
		Type string `json:"type"`
		responseUsage
	}
	type segment struct {
		ID    int     `json:"id"`
		Start float64 `json:"start"`
		End   float64 `json:"end"`
		Text  string  `json:"text"`
	}
	out := struct {
		Task     string    `json:"task,omitempty"`
		Language string    `json:"language,omitempty"`
		Duration float64   `json:"duration,omitempty"`
		Text     *string   `json:"text,omitempty"`
		Segments []segment `json:"segments,omitempty"`
		Usage    usage     `json:"usage"`
	}{Usage: usage{"tokens", responseUsage{r.usage.Input, r.usage.Output, r.usage.Total()}}}
	text, length := "", 0
	for _, it := range r.items {
		out.Text, text, length = &it.text, it.text, Tokens(it.text)
	}
	switch r.call.format {
	case "verbose_json":
		out.Task, out.Language, out.Duration = "transcribe", "english", float64(length)
		if strings.HasSuffix(r.call.route.operation, "translations") {
			out.Task = "translate"
		}
		out.Segments = []segment{{0, 0, float64(length), text}}
		fallthrough
	case "json":
		return openAI.jsonAnswer(out)
	case "srt":
		text = "1\n" + clock(0, ",") + " --> " + clock(length, ",") + "\n" + text + "\n"
	case "vtt":
		text = "WEBVTT\n\n" + clock(0, ".") + " --> " + clock(length, ".") + "\n" + text + "\n"
	}
	return answer{status: http.StatusOK, contentType: "text/plain; charset=utf-8", chunks: [][]byte{[]byte(text + "\n")}}
}

// clock writes a number of seconds as subtitles do.
func clock(seconds int, point string) string {
	two := func(n int) string { return strconv.Itoa(n/10%10) + strconv.Itoa(n%10) }
	return two(seconds/3600) + ":" + two(seconds/60%60) + ":" + two(seconds%60) + point + "000"
}
