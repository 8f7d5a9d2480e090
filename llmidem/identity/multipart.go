package identity

import (
	"bytes"
	"mime"
	"strings"
)

// splitForm cuts a multipart body (RFC 2046, section 5.1, and RFC 7578) into its
// parts where it lies in memory. It takes only what all servers read alike: lines
// end in CRLF, headers are not folded, contents are not encoded.
func splitForm(body []byte, boundary string) ([]formPart, *Refusal) {
	if len(boundary) > 70 {
		return nil, badForm("a boundary of more than 70 characters", -1)
	}
	delim := []byte("\r\n--" + boundary)
	at, last, ok := firstDelimiter(body, delim)
	if !ok {
		return nil, badForm("the form has no boundary line", 0)
	}
	var parts []formPart
	for !last {
		p, n, ref := readPart(body, at)
		if ref != nil {
			return nil, ref
		}
		begin := n
		if bytes.HasPrefix(body[n-2:], delim) {
			n -= 2 // an empty content needs no line of its own
		}
		end, next, isLast, ok := nextDelimiter(body, n, delim)
		if !ok {
			return nil, badForm("the form ends inside a part", len(body))
		}
		p.body, p.at = body[begin:max(begin, end)], begin
		if !p.valid() {
			return nil, &Refusal{Code: CodeInvalidUTF8, Offset: int64(at), Reason: "a form field that is not UTF-8"}
		}
		parts = append(parts, p)
		at, last = next, isLast
	}
	return parts, nil
}

func badForm(reason string, at int) *Refusal {
	return &Refusal{Code: CodeInvalidJSON, Offset: int64(at), Reason: "malformed form: " + reason}
}

// firstDelimiter finds the first boundary line, which needs no CRLF before it where
// the body begins with it. At is the offset of the first part.
func firstDelimiter(body, delim []byte) (at int, last, ok bool) {
	if bytes.HasPrefix(body, delim[2:]) {
		if at, last, ok = delimiterEnd(body, len(delim)-2); ok {
			return at, last, true
		}
	}
	_, at, last, ok = nextDelimiter(body, 0, delim)
	return at, last, ok
}

// nextDelimiter finds the next boundary line from i. End is where the text before
// it ends, next the offset after it, and last says that no part follows.
func nextDelimiter(body []byte, i int, delim []byte) (end, next int, last, ok bool) {
	for {
		n := bytes.Index(body[i:], delim)
		if n < 0 {
			return 0, 0, false, false
		}
		end = i + n
		if next, last, ok = delimiterEnd(body, end+len(delim)); ok {
			return end, next, last, true
		}
		i = end + len(delim) // a text that only begins as the boundary does
	}
}

// delimiterEnd reads the rest of a boundary line at i: two hyphens after the last
// part, blanks, and the line's end.
func delimiterEnd(body []byte, i int) (next int, last, ok bool) {
	if bytes.HasPrefix(body[i:], []byte("--")) {
		return i + 2, true, true
	}
	for i < len(body) && (body[i] == ' ' || body[i] == '\t') {
		i++
	}
	if bytes.HasPrefix(body[i:], []byte("\r\n")) {
		return i + 2, false, true
	}
	return 0, false, false
}

// maxPartHeader bounds the headers of one part.
const maxPartHeader = 16 << 10

// readPart reads the headers of the part at i and returns the offset of its content.
func readPart(body []byte, i int) (p formPart, next int, ref *Refusal) {
	var disposition, encoding string
	seen := 0
	for at := i; ; {
		n := bytes.Index(body[at:min(len(body), i+maxPartHeader)], []byte("\r\n"))
		if n < 0 {
			return p, 0, badForm("the headers of a part do not end", at)
		}
		line := string(body[at : at+n])
		at += n + 2
		if line == "" {
			next = at
			break
		}
		name, value, ok := strings.Cut(line, ":")
		if !ok || name == "" || strings.ContainsAny(name, " \t") {
			return p, 0, badForm("a line in the headers of a part that is no header", at-n-2)
		}
		value = strings.Trim(value, " \t")
		var into *string
		switch strings.ToLower(name) {
		case "content-disposition":
			into, seen = &disposition, seen+1
		case "content-type":
			into, seen = &p.media, seen+0x100
		case "content-transfer-encoding":
			into = &encoding
		default:
			continue
		}
		*into = value
	}
	if seen&0xff != 1 || seen > 0x1ff || !isIdentity(encoding) || !p.dispose(disposition) {
		return p, 0, badForm("a part that is no form field as RFC 7578 has it", i)
	}
	return p, next, nil
}

// isIdentity reports whether a transfer encoding leaves the content as it is.
func isIdentity(encoding string) bool {
	switch strings.ToLower(encoding) {
	case "", "7bit", "8bit", "binary":
		return true
	}
	return false
}

// dispose reads a Content-Disposition: the field's name, and whether it is a file.
func (p *formPart) dispose(v string) bool {
	kind, params, err := mime.ParseMediaType(v)
	name, named := params["name"]
	if err != nil || kind != "form-data" || !named {
		return false
	}
	filename, file := params["filename"]
	p.name, p.file, p.ext = name, file, extension(filename)
	if !file {
		p.media = ""
	}
	return true
}
