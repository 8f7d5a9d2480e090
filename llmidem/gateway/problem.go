package gateway

import (
	"encoding/json"
	"net/http"
	"strconv"
)

// problem is a problem of RFC 9457. Header and Fault are members of our own, for
// programs: which header, and a fault of package identity, "missing" or "several".
type problem struct {
	Type   string `json:"type"`
	Title  string `json:"title"`
	Status int    `json:"status"`
	Detail string `json:"detail"`
	Header string `json:"header"`
	Fault  string `json:"fault"`
}

// write answers a request with the problem. Nobody may keep the answer: the same
// request with a good key is another one.
func (p problem) write(w http.ResponseWriter, uri string) {
	p.Type, p.Title, p.Status = "about:blank", http.StatusText(http.StatusBadRequest), http.StatusBadRequest
	if uri != "" {
		p.Type, p.Title = uri, "The idempotency key is missing or not of the agreed form"
		w.Header().Set("Link", "<"+uri+`>; rel="describedby"`)
	}
	body, err := json.Marshal(p)
	if err != nil { // strings and an int: never
		http.Error(w, p.Title, p.Status)
		return
	}
	h := w.Header()
	h.Set("Content-Type", "application/problem+json")
	h.Set("Cache-Control", "no-store")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(p.Status)
	w.Write(body) // a caller that has left needs no answer
}
