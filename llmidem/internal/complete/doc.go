// Package complete decides whether the bytes of an answer are all of it.
//
// A clean end of the body proves nothing: gateways forge both the end of the
// framing and the last event of a stream. So [Check] parses the whole answer and
// looks for what the operation says when it is through, and [ErrorBody] reads
// what a service says of a failure. [Stream] does the same for an answer that
// comes in as events, one at a time, and can tell how the events of a second
// stream lie to what a first one said before it broke off.
//
// All stand on a small scanner ([Valid], [Members], [Elements], [Get]) that
// walks JSON without building a tree, since an answer may have megabytes of which
// a dozen bytes matter. It takes what RFC 8259 takes and nothing else, nests as
// deep as encoding/json does (10,000) and allocates nothing. As in
// encoding/json, whether the text is UTF-8 is not checked.
//
// Everything here reads bytes from strangers: nothing panics, nothing recurses
// with the depth of the input beyond a fixed bound, and no text of an answer
// gets into an error or a reason. All functions are safe for concurrent use and
// change nothing that they are given; a Stream is for one goroutine at a time.
package complete
