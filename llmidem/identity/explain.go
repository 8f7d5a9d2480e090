package identity

// detail is what an explanation shows and the canonical bytes do not hold.
type detail struct {
	excluded []string // pointers of members that were there and left
	userFrom string   // pointer of the body member that gave the user
	elements []Member // prompt elements, with Call.Detail
}

// An Explanation says what a document is made of. It holds no prompt text and no
// text of parameters, only their digests and sizes.
type Explanation struct {
	Operation, Model, User, Scope string
	Occurrence                    uint64
	Bare                          bool              // a bare payload: only Members and Excluded are set
	UserFrom                      string            // RFC 6901 pointer of the body member that named the user; "" otherwise
	Members                       []Member          // what counted, in canonical order
	Headers                       map[string]string // the headers that counted
	Attachments                   []Attachment      // in the document's order
	Excluded                      []string          // RFC 6901 pointers of the body members that were there and did not count
}

// A Member is a part of the body that counted.
type Member struct {
	Pointer string // RFC 6901, within the document: /params/temperature, /prompt/messages/3
	Digest  string // "sha256:" and the hexadecimal SHA-256 of its canonical JSON; for /prompt the document's own
	Size    int64  // bytes of its canonical JSON; -1 where it was not kept
	Value   string // its JSON where that is a number, true, false or null; "" for all else
}

// An Attachment is content that the document holds by digest.
type Attachment struct {
	Pointer   string // RFC 6901, within the object of prompt fields or the form
	Digest    string // "sha256:" and the hexadecimal SHA-256 of the decoded bytes
	Encoding  string // "data-uri", "base64" or "multipart"
	MediaType string // as the request gave it
	Size      int64  // decoded bytes
}

// A Difference is a place where two documents differ.
type Difference struct {
	Pointer string // RFC 6901, within the document
	A, B    string // what is there: JSON of numbers, true, false and null, else digest and size; "" for nothing
}

// Explain says what the document is made of, without any prompt text. With
// [Call.Detail] its members reach down to the single message.
func (d Document) Explain() Explanation { return Explanation{} }

// Diff names the places in which two documents differ, in canonical order; none
// when they are equal. Where both were made with [Call.Detail] it reaches down to
// the single message, otherwise to the prompt as a whole.
func Diff(a, b Document) []Difference { return nil }

func elements(prompt []byte) []Member { return nil }

// pointerOf turns a dotted path into a pointer.
func pointerOf(path string) string {
	var b []byte
	for path != "" {
		var head string
		head, path, _ = cutPath(path)
		b = append(b, '/')
		b = appendPointer(b, head, false)
	}
	return string(b)
}
