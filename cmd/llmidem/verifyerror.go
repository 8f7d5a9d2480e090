package main

import (
	"errors"
	"net/http"
	"net/url"
)

// errUnmet ends verify with statusDiffer: the class is another one than expected.
var errUnmet = errors.New("the expectation is not met")

// An unasked is a service of which nothing can be said: it was not reached, it did
// not let us in, or it contradicts itself.
type unasked struct{ text string }

// Error returns the reason on one line.
func (u *unasked) Error() string { return u.text }

// unasked says why no probe could be made, and what to do about it.
func (s *session) unasked(o outcome) error {
	text := shown(s.url) + ": " + o.seen()
	switch {
	case o.status == http.StatusUnauthorized, o.status == http.StatusForbidden:
		text += ": set the variable that --api-key-env names to a key that may use the model"
	case o.status == http.StatusNotFound, o.status == http.StatusMethodNotAllowed:
		text += ": --base-url (as an SDK is configured with it), --provider or --model is another one"
	case o.status == http.StatusTooManyRequests, o.status == http.StatusPaymentRequired:
		text += ": a limit or the balance is used up; ask again later"
	case o.status >= 300 && o.status < 400:
		text += ": it redirects, which is not followed; give --base-url as the place that it leads to"
	case o.kind == denied:
		text += ": it refuses the request whatever the key; see that --model is a chat model, and --max-tokens"
	case o.status == http.StatusOK:
		text += "; see --base-url and --provider"
	case o.status == 0:
		text += "; see --base-url and --timeout"
	}
	return &unasked{text}
}

// shown is a URL without its query, which may hold credentials.
func shown(text string) string {
	u, err := url.Parse(text)
	if err != nil {
		return "the service"
	}
	u.RawQuery, u.Fragment, u.User = "", "", nil
	return u.String()
}
