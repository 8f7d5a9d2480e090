package llmidem

import (
	"bytes"
	"compress/gzip"
	"io"
	"net/http"
	"strings"
)

// decoded is a request's body without its content coding, which is what the
// request says: compressed or not, it is the same call. What goes out are the
// bytes as they are. more says that it is larger than a body may be.
func decoded(h http.Header, body []byte, limit int64) (plain []byte, coded, more bool, err error) {
	var codings []string
	for name, lines := range h {
		if strings.EqualFold(name, "Content-Encoding") {
			codings = append(codings, lines...)
		}
	}
	coding := strings.ToLower(strings.TrimSpace(strings.Join(codings, ",")))
	switch coding {
	case "", "identity":
		return body, false, false, nil
	case "gzip", "x-gzip":
	default:
		return nil, true, false, invalid("the request's Content-Encoding is not gzip, so that nobody knows what its body says; send it plain or as gzip", nil)
	}
	if plain, err = ungzip(body, limit); err != nil {
		return nil, true, false, invalid("the request's body is not the gzip that its Content-Encoding says", err)
	}
	return plain, true, int64(len(plain)) > limit, nil
}

// ungzip returns one byte more than the limit of what is longer.
func ungzip(body []byte, limit int64) ([]byte, error) {
	r, err := gzip.NewReader(bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	return io.ReadAll(io.LimitReader(r, limit+1))
}

// gunzip undoes a content coding for judging an answer; what the caller gets
// stays as it came. ok is false where there is nothing to undo.
func gunzip(h http.Header, body []byte, limit int64) (plain []byte, ok bool) {
	coding := strings.ToLower(strings.TrimSpace(h.Get("Content-Encoding")))
	if coding == "" || coding == "identity" {
		return nil, false
	}
	if coding != "gzip" && coding != "x-gzip" {
		return nil, true // not to be judged, so not kept
	}
	plain, err := ungzip(body, limit)
	if err != nil || int64(len(plain)) > limit {
		return nil, true
	}
	return plain, true
}
