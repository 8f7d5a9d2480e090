package identity

// Identify returns the identity document of a call. The error is a [*Refusal].
func (r *Rules) Identify(req Request, call Call) (Document, error) {
	return Document{}, refuse(CodeNoSuchRoute, "not written yet")
}

// Key returns the key of a call without building its document for the caller. It
// gives what s.Key gives for [Rules.Identify], and allocates nothing once its
// scratch memory has grown to the size of the calls. The error is a [*Refusal] or
// [Scheme.Err]'s.
func (r *Rules) Key(req Request, call Call, s Scheme) (Key, error) {
	return Key{}, refuse(CodeNoSuchRoute, "not written yet")
}

// Function returns the document of a call of a named function that is no inference
// request. The payload may be any JSON value, and all of it counts. The error is a
// [*Refusal].
func Function(name string, json []byte, c Call) (Document, error) {
	return Document{}, refuse(CodeNoSuchRoute, "not written yet")
}

// Payload returns the bare document of a payload: its canonical JSON less the
// excluded members, for keys agreed with services that know nothing of identity
// documents. Without a list the default members leave; an empty list that is not
// nil (Payload(b, []string{}...)) excludes nothing. The error is a [*Refusal].
func Payload(json []byte, exclude ...string) (Document, error) {
	return Document{}, refuse(CodeInvalidJSON, "not written yet")
}
