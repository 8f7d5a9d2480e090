package llmtest

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"mime"
	"mime/multipart"
	"strconv"
)

// A formBody is a body of type multipart/form-data: its fields, and of its files the
// names of their fields and one digest of all contents.
type formBody struct {
	fields map[string]string
	files  map[string]bool
	digest string
}

// readForm reads the form that a request must have. Files stay out of the file
// system: they are digested as they are read.
func readForm(q *Request) (*formBody, *apiError) {
	unreadable := invalidRequest("The body of the request could not be read as multipart/form-data.")
	media, params, err := mime.ParseMediaType(q.Header.Get("Content-Type"))
	if err != nil || media != "multipart/form-data" {
		return nil, unreadable
	}
	f := &formBody{fields: make(map[string]string), files: make(map[string]bool)}
	sum := sha256.New()
	r := multipart.NewReader(bytes.NewReader(q.Body), params["boundary"])
	for {
		part, err := r.NextPart()
		if errors.Is(err, io.EOF) {
			f.digest = hex.EncodeToString(sum.Sum(nil)[:4])
			return f, nil
		}
		if err != nil {
			return nil, unreadable
		}
		content, err := io.ReadAll(part)
		switch {
		case err != nil:
			return nil, unreadable
		case part.FileName() == "":
			f.fields[part.FormName()] = string(content)
		default:
			f.files[part.FormName()] = true
			sum.Write(content)
		}
	}
}

// number reads a field that is a whole number; nil if it is not there.
func (f *formBody) number(name string) (*int, *apiError) {
	text, ok := f.fields[name]
	if !ok {
		return nil, nil
	}
	n, err := strconv.Atoi(text)
	if err != nil {
		return nil, invalidRequest(name + " must be a whole number.")
	}
	return &n, nil
}

// file takes what was uploaded under one of these names.
func (c *call) file(f *formBody, names ...string) *apiError {
	for _, name := range names {
		if f.files[name] {
			c.upload = f.digest
			return nil
		}
	}
	return invalidRequest("The file '" + names[0] + "' is required.")
}
