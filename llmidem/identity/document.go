package identity

// A Document is the identity document of one call: what makes two calls the same.
// It is a value that nothing changes; copies share its memory, which is its own
// and not the request's. It is safe for concurrent use. The zero Document is no
// document: it has no canonical bytes and no key.
type Document struct {
	text       []byte
	operation  string
	model      string
	user       string
	scope      string
	occurrence uint64
	bare       bool
	params     []span // of text, one a parameter, as "name":value
	more       *detail
	splices    *Splices
}

// span is a range of bytes, from a to before b.
type span struct{ a, b int }

// Canonical returns the document's canonical JSON, the bytes that are hashed. They
// belong to the Document: read them, and copy them to change them.
func (d Document) Canonical() []byte { return d.text[:len(d.text):len(d.text)] }

// Operation returns the operation, as in "chat"; "do:"+name for a [Function], ""
// for a bare payload.
func (d Document) Operation() string { return d.operation }

// Model returns the model's name, "" where the call may go without one.
func (d Document) Model() string { return d.model }

// User returns the user of the call: the option's, else the body's, else "".
func (d Document) User() string { return d.user }

// Scope returns [Call.Scope].
func (d Document) Scope() string { return d.scope }

// Occurrence returns [Call.Occurrence].
func (d Document) Occurrence() uint64 { return d.occurrence }

// Bare reports whether this is a [Payload] document. No record may be kept under
// the key of one: it says nothing of operation, model or user.
func (d Document) Bare() bool { return d.bare }

// Param returns the canonical JSON of a top-level member of the body that counts
// as a parameter, as in Param("temperature"), and nil where there is none: the
// model, the user, prompt fields and excluded members are no parameters, functions
// and bare payloads have none. The cost is one comparison a parameter. The bytes
// belong to the Document, as Canonical's do.
func (d Document) Param(name string) []byte {
	var buf [64]byte
	key := append(appendString(buf[:0], name), ':')
	for _, p := range d.params {
		m := d.text[p.a:p.b]
		if len(m) > len(key) && string(m[:len(key)]) == string(key) {
			return m[len(key):len(m):len(m)]
		}
	}
	return nil
}
