package complete

import (
	"bytes"
	"strings"
)

// images judges the answer of an image operation: as many images as asked for.
func images(q Query, r *Result) string {
	var m [3][]byte
	if err := pick(q.Body, m[:], "data", "usage", "error"); err != nil {
		return reasonNotJSON
	}
	r.inputUsage(m[1])
	if present(m[2]) {
		return reasonError
	}
	got := 0
	_ = Elements(m[0], func(_ int, value []byte) bool {
		if filled(Get(value, "b64_json")) || filled(Get(value, "url")) {
			got++
		}
		return true
	})
	if got < asked(q, "n") {
		return reasonImages
	}
	return ""
}

// speech judges audio. That all of it came is the framing's word; here it is
// only told from the texts that stand in for it.
func speech(q Query) string {
	media := mediaType(q.ContentType)
	switch {
	case !strings.HasPrefix(media, "audio/") && media != "application/octet-stream":
		return reasonType
	case len(q.Body) == 0:
		return reasonEmpty
	case isHTML(q.Body):
		return reasonType
	case q.Body[0] == '{' && Valid(q.Body):
		return reasonError
	}
	return ""
}

// transcript judges a transcript: JSON with its text, or text in one of the
// formats for it.
func transcript(q Query, r *Result) string {
	switch media := mediaType(q.ContentType); media {
	case "text/plain", "text/vtt", "application/x-subrip":
		return textTranscript(q.Body, media)
	case "application/json":
	default:
		return reasonType
	}
	var m [3][]byte
	if err := pick(q.Body, m[:], "text", "usage", "error"); err != nil {
		return reasonNotJSON
	}
	r.inputUsage(m[1])
	switch {
	case present(m[2]):
		return reasonError
	case KindOf(m[0]) != KindString:
		return reasonNoText
	}
	return ""
}

func textTranscript(body []byte, media string) string {
	bare := bytes.TrimPrefix(body, []byte("\xef\xbb\xbf"))
	switch {
	case len(body) == 0:
		return reasonEmpty
	case isHTML(body):
		return reasonType
	case media == "text/vtt" && !bytes.HasPrefix(bare, []byte("WEBVTT")):
		return reasonType
	case present(Get(body, "error")):
		return reasonError
	}
	return ""
}

// mediaType is a content type without its parameters, in lower case.
func mediaType(contentType string) string {
	media, _, _ := strings.Cut(contentType, ";")
	return strings.ToLower(strings.TrimSpace(media))
}

// isHTML recognises the page that a proxy sends in place of an answer, whatever
// it calls it. Sound and speech do not begin like that.
func isHTML(body []byte) bool {
	body = bytes.TrimLeft(bytes.TrimPrefix(body, []byte("\xef\xbb\xbf")), " \t\r\n")
	start := strings.ToLower(string(body[:min(len(body), 16)]))
	return strings.HasPrefix(start, "<!doctype") || strings.HasPrefix(start, "<html") ||
		strings.HasPrefix(start, "<head") || strings.HasPrefix(start, "<body")
}
