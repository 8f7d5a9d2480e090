package identity

import (
	"context"
	"net/http"
)

// Rules say what identifies a call of one provider. They are data: start from
// [OpenAI], [Anthropic], [Gemini] or [Ollama] and change the copy, or write your
// own. A Rules value is safe for concurrent use as long as nobody changes it.
type Rules struct {
	// Name is the provider's name, for people. It is no part of the document.
	Name string
	// Routes are the paths that run inference. Only POST requests are calls; the
	// method is the caller's to check.
	Routes []Route
	// UserFields are dotted paths of body members that name the end user, in order
	// of precedence. The first that is a non-empty string is the document's user,
	// and then leaves the body, unless [Call.User] is set.
	UserFields []string
	// Base64 are the places whose strings are base64 attachments.
	Base64 []Place
	// Headers are the names, in lower case, of headers that change the answer. A
	// name that ends in * stands for all names that begin so. Patterns never cover
	// credentials, cookies, trace context and the idempotency key.
	Headers []string
	// Delivery are header names, or patterns ending in *, that do not count even
	// though a pattern in Headers covers them. A full name in Headers wins.
	Delivery []string
	// Exclude are the body members, as dotted paths from the top, that do not count
	// where [Call.Exclude] is nil. Nil stands for timestamp, trace_id, request_id
	// and retry_count, which the constructors set; empty and not nil for none.
	Exclude []string
	// Params names, by operation, the top-level body members that a call may have
	// beside model, prompt and user fields. It changes no document: it is what a
	// client in a strict preset refuses other members by, with [Rules.Unnamed]. The
	// constructors set it to what the provider's reference lists.
	Params map[string][]string
	// PathModel takes the model from the path alone, as Gemini names it
	// (/models/NAME:verb, /tunedModels/NAME:verb, /endpoints/NAME:verb). A model in
	// the body is a parameter then.
	PathModel bool
}

// A Route is one kind of call.
type Route struct {
	// Suffix is the end of the escaped path. Among several that match, the longest wins.
	Suffix string
	// Operation is the document's operation, as in "chat".
	Operation string
	// Prompt names the top-level body members that make up the prompt.
	Prompt []string
	// Modelless allows a call that names no model; its model is then "".
	Modelless bool
}

// A Place is where in a prompt a string is bare base64: the value of Member in an
// object that is itself the value of Parent.
type Place struct {
	// Parent is the name of the enclosing member, * for any. The parent of an
	// array's element is the member that holds the array.
	Parent string
	// Member is the member's name, [] for an element of an array.
	Member string
}

// A Match is a route and where it was found.
type Match struct {
	// Route is the route that matched.
	Route Route
	// Prefix is the path before the route's suffix. It shares the path's memory.
	Prefix string
}

// Match returns the route with the longest suffix of the escaped path. A query is
// not cut off here: the path must be given without one. It allocates nothing.
func (r *Rules) Match(path string) (Match, bool) {
	i := r.match(path)
	if i < 0 {
		return Match{}, false
	}
	return Match{Route: r.Routes[i], Prefix: path[:len(path)-len(r.Routes[i].Suffix)]}, true
}

func (r *Rules) match(path string) int {
	best, longest := -1, 0
	routes := r.Routes
	for i := range routes {
		s := routes[i].Suffix
		at := len(path) - len(s)
		// the first byte, a slash as a rule, tells most routes apart
		if len(s) > longest && at >= 0 && path[at] == s[0] && path[at:] == s {
			best, longest = i, len(s)
		}
	}
	return best
}

// exclusions returns the list that holds for a call; nil stands for the defaults.
func (r *Rules) exclusions(c []string) []string {
	if c != nil {
		return c
	}
	if r.Exclude != nil {
		return r.Exclude
	}
	return defaultExclude[:]
}

// A Request is what goes to the provider. Nothing of it is kept or changed.
type Request struct {
	// Path is the escaped path of the URL; a query after it is not looked at.
	Path string
	// Header are the request's headers. A Content-Type of multipart/form-data makes
	// the body a form; it is JSON in every other case.
	Header http.Header
	// Body is the whole request body.
	Body []byte
	// Attachments are the handles whose placeholders may stand in Body. Each counts
	// as the content that it stands for would; a placeholder of any other handle
	// is refused ([CodeBadAttachment]). [Document.Splices] says what to send then.
	Attachments []*Attachment
	// Context ends the hashing of files among Attachments that have changed. Nil
	// does not.
	Context context.Context
}

// A Call is what the caller says of a call beside the request itself.
type Call struct {
	// User is the end user; "" takes the user of the body, if the rules name one.
	User string
	// Scope sets calls of equal content apart: a run, a job. "" is the common scope.
	Scope string
	// Occurrence tells intended repeats in one scope apart, from 0 to 2^63-1.
	Occurrence uint64
	// Exclude are the body members that do not count, as dotted paths from the top.
	// Nil takes the list of the rules; empty and not nil excludes nothing. A path
	// that is not there is no error. [Function] excludes nothing and ignores it.
	Exclude []string
	// Detail makes [Rules.Identify] and [Function] keep digests of the single
	// prompt elements, so that [Document.Explain] and [Diff] reach down to the
	// message. It changes neither document nor key, and costs a second hash and a
	// copy of the prompt. [Rules.Key] ignores it.
	Detail bool
}
