// Package pgstore keeps records in PostgreSQL, version 12 or later: they outlast
// every process, and all that use one database share them.
//
//	s, err := pgstore.Open(ctx, "postgres://app@db.internal/app")
//	if err != nil {
//		return err
//	}
//	defer s.Close(context.Background())
//
// # What is in the database
//
// One schema (llmidem, or [WithSchema]) with one table, records, which [Open] makes
// when it is missing. A role that may not make it gets an error that names the
// statements which do: [SchemaSQL]. Several applications may share the table, whose
// ids are apart by namespace, or have a schema each.
//
// A claim is one statement and one round trip, and so is every other call. One that
// is refused, which is how a recorded answer is found, only reads.
//
// All times are those of the server's clock. A record that expired is gone at
// once, and its row is deleted within minutes by whichever store sweeps next
// ([WithSweep]). A claim whose lease ran out is a record in doubt, and stays until
// it is taken over. To give up those of a month ago, when whatever they might have
// been is no longer of interest:
//
//	DELETE FROM llmidem.records WHERE leased_until < now() - interval '1 month'
//
// Answers are stored as they are. PostgreSQL compresses those above about 2 kB and
// keeps what is then still longer than that out of the row (TOAST); it has no part
// in what is compared.
//
// # What lasts
//
// What was settled is on disk when Settle returns, as far as the server keeps its
// word: [Store.Traits] does not call a store durable whose server has fsync or
// synchronous_commit off, or whose table is UNLOGGED. After a failover to an
// asynchronous replica the last records, claims among them, may be missing; name
// the replica in synchronous_standby_names where that matters. A URL with several
// hosts should say target_session_attrs=read-write.
//
// # Pools before the server
//
// PgBouncer and its like in transaction mode work. A store that meets one which
// does not know prepared statements does without them from then on; to begin so,
// add default_query_exec_mode=cache_describe to the URL. Through such a pool nobody
// can listen, which the store finds out by itself: whoever waits for a claim then
// asks again, every 25 ms at first and every second later. [WithListenURL] names a
// way round the pool, for one connection of each process.
//
// # Notices
//
// The first who waits for another's claim makes its store LISTEN, on a connection
// of its own beside the pool, until Close. The end of a claim is told by NOTIFY in
// a transaction right after that which settles it, for many claims at once where
// there are many: PostgreSQL lets one transaction with a NOTIFY commit at a time,
// in all its databases, so that in the same transaction settling would be no
// faster than one disk write after the other. A notice that is lost, with its
// process or its connection, costs who waits for it a second at most.
package pgstore
