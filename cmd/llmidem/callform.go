package main

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"mime/multipart"
	"net/textproto"
	"strings"
)

// buildForm writes parts as the multipart body that a client would send, so that the
// library reads a form here as it does in a request. The boundary has 240 random
// bits: no content holds it.
func buildForm(parts []members) (contentType string, body []byte, err error) {
	var b bytes.Buffer
	w := multipart.NewWriter(&b)
	for i, p := range parts {
		header, content, err := p.part()
		if err != nil {
			return "", nil, fmt.Errorf("part %d of the form: %w", i+1, err)
		}
		pw, err := w.CreatePart(header)
		if err != nil {
			return "", nil, err
		}
		if _, err := pw.Write(content); err != nil {
			return "", nil, err
		}
	}
	if err := w.Close(); err != nil {
		return "", nil, err
	}
	return w.FormDataContentType(), b.Bytes(), nil
}

// part reads {name,text} or {name,filename,base64,type}.
func (m members) part() (h textproto.MIMEHeader, content []byte, err error) {
	name, err := m.text("name", nil)
	if err != nil {
		return nil, nil, err
	}
	disposition := "form-data" + parameter("name", name)
	h = textproto.MIMEHeader{}
	if _, file := m["filename"]; !file {
		text, err := m.text("text", nil)
		h["Content-Disposition"] = []string{disposition}
		return h, []byte(text), err
	}
	filename, err := m.text("filename", nil)
	if err != nil {
		return nil, nil, err
	}
	h["Content-Disposition"] = []string{disposition + parameter("filename", filename)}
	none := ""
	media, err := m.text("type", &none)
	if err != nil {
		return nil, nil, err
	}
	if strings.Contains(media, "\r\n") || strings.Trim(media, " \t") != media {
		return nil, nil, errors.New("no header line has this type")
	}
	if media != "" {
		h["Content-Type"] = []string{media}
	}
	data, err := m.text("base64", nil)
	if err != nil {
		return nil, nil, err
	}
	if content, err = base64.StdEncoding.DecodeString(data); err != nil {
		return nil, nil, errors.New("base64 is not base64")
	}
	return h, content, nil
}

// parameter writes a parameter of a Content-Disposition. Line ends cannot stand in a
// header; the extended form of RFC 2231 has them as digits.
func parameter(name, value string) string {
	if !strings.ContainsAny(value, "\r\n") {
		return fmt.Sprintf(`; %s="%s"`, name, strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(value))
	}
	var b strings.Builder
	fmt.Fprintf(&b, "; %s*=utf-8''", name)
	for i := range len(value) {
		fmt.Fprintf(&b, "%%%02X", value[i])
	}
	return b.String()
}
