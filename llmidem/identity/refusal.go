package identity

import (
	"fmt"
	"strings"
)

// Code says why a call has no identity. The set is closed; SPEC.md lists it.
type Code string

// The reasons for which a call is refused (SPEC.md, section 2).
const (
	CodeInvalidJSON     Code = "invalid_json"     // not one JSON value of RFC 8259, or a malformed form
	CodeInvalidUTF8     Code = "invalid_utf8"     // in the body, a form field, a header that counts, user, scope or name
	CodeDuplicateMember Code = "duplicate_member" // two members of one object have one name, after unescaping
	CodeLoneSurrogate   Code = "lone_surrogate"   // half of a UTF-16 surrogate pair
	CodeNumberOverflow  Code = "number_overflow"  // a number beyond the range of a double
	CodeTooDeep         Code = "too_deep"         // more than 512 arrays and objects inside one another
	CodeNotAnObject     Code = "not_an_object"    // the body of an inference call is no object
	CodeNoModel         Code = "no_model"         // no model is named, or not by a non-empty string
	CodeNoSuchRoute     Code = "no_such_route"    // no route of the rules matches; a function without a name
	CodeBadExclusion    Code = "bad_exclusion"    // an exclusion with an empty name or of what must count
	CodeBadOccurrence   Code = "bad_occurrence"   // an occurrence above 2^63-1; no code of the wire format, since no JSON number of it reaches there
	CodeBadAttachment   Code = "bad_attachment"   // a placeholder without its handle, or of content that cannot be sent; no code of the wire format
)

// A Refusal says that a call has no identity, and why. Nothing may be sent under
// a key that was guessed instead. It never holds text of the body other than
// member names.
type Refusal struct {
	// Code is the reason; match on it.
	Code Code
	// Offset is the byte of the body at which the reason was seen, counted from 0;
	// -1 when there is no such place.
	Offset int64
	// Pointer is the RFC 6901 pointer of the value that was being read, "" for
	// the whole body or when there is no such place. One that is longer than
	// 256 bytes is cut and ends in "…".
	Pointer string
	// Reason is one plain sentence for people. It may change between versions.
	Reason string
	// Err is the cause of [CodeBadAttachment], an [*AttachmentError], where there is
	// one beyond the reason; else nil.
	Err error
}

// Unwrap returns Err.
func (r *Refusal) Unwrap() error { return r.Err }

// Error returns code, reason, offset and pointer on one line.
func (r *Refusal) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "identity: %s: %s", r.Code, r.Reason)
	if r.Offset >= 0 {
		fmt.Fprintf(&b, " at byte %d", r.Offset)
	}
	if r.Pointer != "" {
		fmt.Fprintf(&b, " (in %q)", r.Pointer)
	}
	return b.String()
}

// refuse makes a Refusal that has no place in a body.
func refuse(c Code, reason string) *Refusal {
	return &Refusal{Code: c, Offset: -1, Reason: reason}
}
