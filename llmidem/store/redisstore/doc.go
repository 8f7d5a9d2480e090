// Package redisstore keeps claims and records in Redis 6.2 or later, or Valkey:
// one server, one with replicas under Sentinel, or a cluster.
//
//	s, err := redisstore.Open(ctx, "rediss://user:password@redis.example.com:6379/0")
//
// Every claim, renewal and end of a claim is one script at the record's node, and
// one round trip; a record is one string key, so that any cluster will do. What
// time it is says the server. Ends of claims are published on a channel of the
// key's name, for which a [Store] keeps one connection when somebody waits.
//
// The scripts and commands used are EVAL, EVALSHA, TIME, GET, SET, SETRANGE, DEL,
// PUBLISH, SUBSCRIBE, UNSUBSCRIBE and PING, and, to look at the server once, INFO
// or CONFIG GET. A user for it:
//
//	ACL SETUSER llmidem on >password ~llmidem:* &llmidem:* +@connection +@scripting +@string +@pubsub +del +time +info +cluster
//
// # What can be lost
//
// Redis replicates asynchronously and, as it is mostly set up, writes to disk once
// a second. A failover, or a crash, may therefore undo the last writes that it
// confirmed. Of a record it can undo
//
//   - the claim: the id reads as absent, another claimant wins it, and both send.
//     The first one's Renew and Settle fail with [store.ErrLost];
//   - the settlement: the record is in flight again under an owner who has ended,
//     and becomes Unknown when the lease runs out, although its answer was had;
//   - a renewal: the lease ends earlier than its holder was told.
//
// The same holds on the minority side of a partition, until it notices. min-replicas-to-write
// narrows the window and does not close it. So [Store.Traits] does
// not promise durability. Where sending twice is worse than an outage, keep the
// records in a database that does.
//
// # Eviction
//
// A server that evicts any key under memory pressure (maxmemory-policy allkeys-*)
// forgets claims in flight, and is refused. volatile-* evicts records that have a
// TTL, which costs the answer but sends nothing twice that is in flight; it is
// warned of. noeviction is right.
//
// # Contexts and bounds
//
// A call ends with its context, also when the server is stopped and does not close
// its connections; one without a deadline ends after ten seconds. What a call
// that ended early asked for may still be done by the server, later. A call that fails
// since its connection broke is sent once more, on a new connection; that is
// safe, since a claim, a renewal and a settlement that are repeated by the same
// owner say what the first one did. After an error the state is not known: claim
// again with the same owner, or settle again, which fails with [store.ErrLost] if
// the first time succeeded.
package redisstore
