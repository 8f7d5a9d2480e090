// Package batch makes many inference calls, in OpenAI's batch format, against any
// service: each item is answered once and paid for once, however often the program
// is killed and started again.
//
//	state, err := boltstore.Open("state.db")
//	client, err := llmidem.New(providers.OpenAI(), llmidem.ForBatch(state))
//	sum, err := batch.Run(ctx, client, batch.FromFile("requests.jsonl"), batch.ToFile("results.jsonl"),
//		batch.To("https://api.openai.com/v1", header))
//
// # Input
//
// One JSON object a line: custom_id, method (POST), url and body. The url is /v1 and
// a route of the provider's rules, and nothing else; the item is sent to the base URL
// and that route. The whole input is looked through before anything is sent; what is
// wrong with it is an [*InputError] with line numbers.
//
// # Keys
//
// An item's call has the digest of the input as its scope (SHA-256 of its bytes, in
// hexadecimal), so that the same item in another input is another call, unless
// [Share]; and the k-th of equal items has occurrence k-1, unless [Collapse].
//
// # The state
//
// The answers are the client's own records, which do not expire ([llmidem.ForBatch]).
// Beside them the state has one record that says which batch it is of, and one for
// each dead letter. An answer is settled there, durably, before its line goes to the
// results. So whatever a process leaves that is killed: the next one reads the
// results, cuts off a last line that is torn, takes from the state what is settled
// and missing, and sends only what has no answer. An item that was in flight at the
// kill is sent again under its own key, which a provider that replays by key does not
// bill. The results can be deleted at any time: they are written anew from the state.
//
// # Several machines
//
// On a store that is shared, any number of processes may run the same input: an item
// that another one is making is passed over and looked at again in the end, and taken
// over when its maker's lease runs out. Each writes all results to a sink of its own;
// [ToNowhere] leaves that to [Collect], on whichever machine wants them.
//
// # Dead letters
//
// An item that stays an error after the client's retries is a dead letter: its result
// says so, it is not sent again, and [RetryFailed] is how to try it once more.
package batch
