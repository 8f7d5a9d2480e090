package main

import (
	"encoding/json"

	"github.com/llmidem/llmidem-go/llmidem/identity"
)

// explainedCall is an explanation as JSON; its member names are those of the document.
type explainedCall struct {
	Key         string                `json:"key"`
	Operation   string                `json:"operation"`
	Model       string                `json:"model"`
	User        string                `json:"user"`
	UserFrom    string                `json:"user_from,omitempty"`
	Scope       string                `json:"scope"`
	Occurrence  uint64                `json:"occurrence"`
	Headers     map[string]string     `json:"headers"`
	Members     []explainedMember     `json:"members"`
	Attachments []explainedAttachment `json:"attachments"`
	Excluded    []string              `json:"excluded"`
}

type explainedMember struct {
	Pointer string          `json:"pointer"`
	Size    *int64          `json:"size,omitempty"`
	Digest  string          `json:"digest"`
	Value   json.RawMessage `json:"value,omitempty"`
}

type explainedAttachment struct {
	Pointer   string `json:"pointer"`
	Digest    string `json:"digest"`
	Encoding  string `json:"encoding"`
	MediaType string `json:"media_type"`
	Size      int64  `json:"size"`
}

// explained turns an explanation into what is written as JSON: lists are never null.
func explained(k identity.Key, e identity.Explanation) explainedCall {
	c := explainedCall{
		Key: k.String(), Operation: e.Operation, Model: e.Model, User: e.User, UserFrom: e.UserFrom,
		Scope: e.Scope, Occurrence: e.Occurrence, Headers: e.Headers,
		Members: []explainedMember{}, Attachments: []explainedAttachment{}, Excluded: append([]string{}, e.Excluded...),
	}
	for _, m := range e.Members {
		x := explainedMember{Pointer: m.Pointer, Digest: m.Digest}
		if m.Size >= 0 {
			x.Size = &m.Size
		}
		if m.Value != "" {
			x.Value = json.RawMessage(m.Value)
		}
		c.Members = append(c.Members, x)
	}
	for _, a := range e.Attachments {
		c.Attachments = append(c.Attachments, explainedAttachment(a))
	}
	return c
}
