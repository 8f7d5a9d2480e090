// Package providers says what the inference services are: which of their
// requests are calls, what tells their accounts apart, what they do with an
// idempotency key, and what their error codes mean. Every constructor returns a
// fresh [llmidem.Provider], which may be changed before it is given to
// [llmidem.New]. All of this package is safe for concurrent use.
//
// No large inference service looks at idempotency keys on a synchronous call, so
// the class of all of them is [llmidem.Ignore]: what protects is the client's own
// record. [Gateway] is for a service that is known to do better.
//
// README.md beside this file shows all of them as one table. Each constructor says
// in its comment where its facts were read, and when; "not documented" means that
// nothing was found there.
//
// # Accounts
//
// Answers of different accounts are kept apart by the credentials of the request,
// their whole values. Credentials that rotate (Entra ID and Google access tokens,
// OAuth, AWS session credentials) make the answers of yesterday another account's:
// name the tenant then ([llmidem.WithTenant]).
package providers
