package batch

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"unicode/utf8"
)

// An Item is one call of a batch.
type Item struct {
	// CustomID names the item in the results. It must be unique and not empty.
	CustomID string `json:"custom_id"`
	// Method is POST, which "" stands for in items that are given as values.
	Method string `json:"method"`
	// URL is /v1 and a route, as in /v1/chat/completions.
	URL string `json:"url"`
	// Body is the request body, a JSON object.
	Body json.RawMessage `json:"body"`
}

// A Result is what became of an item, as one line of OpenAI's batch results. It is
// answered, or a dead letter.
type Result struct {
	// ID is made of the batch's scope and the custom id: the same after a restart.
	ID string `json:"id"`
	// CustomID is the item's.
	CustomID string `json:"custom_id"`
	// Response is the HTTP answer, nil where there is none.
	Response *Response `json:"response"`
	// Error is why there is no answer that can be used. It is nil where the service
	// itself answered with an error status: the response says what it was.
	Error *Failure `json:"error"`
}

// A Response is the HTTP answer to an item.
type Response struct {
	// StatusCode is the HTTP status.
	StatusCode int `json:"status_code"`
	// RequestID is the service's, "" if it gave none.
	RequestID string `json:"request_id"`
	// Body is the answer, on one line. One that is no JSON is a string; one that is
	// no text {"content_type", "base64"}.
	Body json.RawMessage `json:"body"`
}

// A Failure is why an item has no answer.
type Failure struct {
	// Code is the [llmidem.Code] of the error, or incomplete: the service answered
	// with status 200 and something that is no whole answer, or says that it failed.
	Code string `json:"code"`
	// Message says more, without any prompt, answer or credential.
	Message string `json:"message"`
}

// Answered reports whether the item has its answer; else it is a dead letter.
func (r *Result) Answered() bool {
	return r.Error == nil && r.Response != nil && r.Response.StatusCode == http.StatusOK
}

// The parts of a result line, which are written and read in this form alone.
const (
	lineID       = `{"id":"`
	idPrefix     = "batch_req_"
	idLength     = len(idPrefix) + 32
	lineCustom   = `","custom_id":`
	lineResponse = `,"response":`
	lineStatus   = `{"status_code":`
	lineOK       = `{"status_code":200,`
	lineEnd      = `,"error":null}`
)

// line is the result with its newline.
func (r *Result) line() ([]byte, error) {
	b := make([]byte, 0, 256)
	if r.Response != nil {
		b = make([]byte, 0, 256+len(r.Response.Body))
	}
	b = append(append(append(b, lineID...), r.ID...), lineCustom...)
	id, err := json.Marshal(r.CustomID)
	if err != nil {
		return nil, err
	}
	b = append(append(b, id...), lineResponse...)
	if r.Response == nil {
		b = append(b, "null"...)
	} else if b, err = r.Response.append(b); err != nil {
		return nil, err
	}
	failure, err := json.Marshal(r.Error)
	if err != nil {
		return nil, err
	}
	b = append(append(b, `,"error":`...), failure...)
	return append(b, "}\n"...), nil
}

func (r *Response) append(b []byte) ([]byte, error) {
	status, err := json.Marshal(r.StatusCode)
	if err != nil {
		return nil, err
	}
	request, err := json.Marshal(r.RequestID)
	if err != nil {
		return nil, err
	}
	b = append(append(b, lineStatus...), status...)
	b = append(append(b, `,"request_id":`...), request...)
	b = append(append(b, `,"body":`...), r.Body...)
	return append(b, '}'), nil
}

// bodyOf is an answer as a JSON value on one line.
func bodyOf(contentType string, body []byte) (json.RawMessage, error) {
	switch {
	case json.Valid(body):
		return oneLine(body), nil
	case utf8.Valid(body):
		return json.Marshal(string(body))
	}
	return json.Marshal(struct {
		Type   string `json:"content_type"`
		Base64 string `json:"base64"`
	}{contentType, base64.StdEncoding.EncodeToString(body)})
}

// oneLine is a JSON value without line ends. Most have none, and stay as they are.
func oneLine(value []byte) []byte {
	value = bytes.TrimSpace(value)
	if bytes.IndexByte(value, '\n') < 0 && bytes.IndexByte(value, '\r') < 0 {
		return value
	}
	var b bytes.Buffer
	_ = json.Compact(&b, value) // it is valid
	return b.Bytes()
}
