package pgstore

import (
	"strings"

	"github.com/llmidem/llmidem-go/llmidem/store"
)

// nonsense is, beside the states of package store, how a row stands that none of
// this package's versions wrote. It is a record in doubt that never expires.
const nonsense = store.Unknown + 1

// format is that of the rows that this version writes and understands.
const format = "1"

// sense is the condition of a row that this package may have written. The table
// has it as a constraint; and since a constraint can be dropped, and a row come
// from a backup or by hand, every statement asks again.
func sense(row string) string {
	return strings.ReplaceAll(`@format = `+format+` AND @state IN (1, 2, 3)
		AND octet_length(@owner) = 16 AND octet_length(@fingerprint) = 32 AND octet_length(@origin) = 25
		AND isfinite(@since)
		AND (@state = 1) = (@leased_until IS NOT NULL) AND isfinite(coalesce(@leased_until, @since))
		AND NOT (@state = 1 AND @expires_at IS NOT NULL) AND isfinite(coalesce(@expires_at, @since))
		AND (@state = 2) = (@body IS NOT NULL)`, "@", row)
}

// stands is the state of a row at a time, as a number of package store.
//
// The time is always clock_timestamp() and never now(), which is when the
// transaction began: an UPDATE that waited for a lock would take a lease that ran
// out meanwhile for one that runs.
func stands(row, time string) string {
	return strings.NewReplacer("@", row, "{now}", time, "{sense}", sense(row)).Replace(`CASE
		WHEN ({sense}) IS NOT TRUE THEN 4
		WHEN @leased_until <= {now} THEN 3
		WHEN @expires_at <= {now} THEN 0
		ELSE @state END`)
}

// columns are those of a record as scanRecord reads them; age and remaining time are
// seconds.
const columns = `stands, prior, owner, fingerprint, origin,
	CASE WHEN stands = 2 THEN body END,
	extract(epoch FROM now)::float8 - extract(epoch FROM CASE WHEN stands = 3 AND state = 1 THEN leased_until ELSE since END)::float8,
	extract(epoch FROM CASE stands WHEN 1 THEN leased_until WHEN state THEN expires_at END)::float8 - extract(epoch FROM now)::float8`

// queries are the statements of one table. Each is a transaction of its own and
// leaves nothing behind on its connection, so that it does not matter which
// connection a pool before the server gives it.
type queries struct {
	get, claim, renew, settle, release, sweep string
}

func newQueries(schema string) queries {
	r := strings.NewReplacer(
		"{table}", quotedTable(schema),
		"{columns}", columns,
		"{judged}", `(SELECT r.*, t.now, `+stands("r.", "t.now")+` AS stands
			FROM `+quotedTable(schema)+` r, clock_timestamp() AS t (now) WHERE r.id = $1::bytea)`,
		"{held}", `id = $1::bytea AND owner = $2::bytea AND (`+stands("", "clock_timestamp()")+`) = 1`,
		"{stands-excluded}", stands("r.", "excluded.since"),
		"{format}", format,
		"{sense}", sense(""),
	)
	return queries{
		get:     r.Replace(`SELECT {columns} FROM {judged} AS judged WHERE stands <> 0`),
		claim:   r.Replace(claimSQL),
		renew:   r.Replace(`UPDATE {table} SET leased_until = clock_timestamp() + $3::interval WHERE {held}`),
		release: r.Replace(`DELETE FROM {table} WHERE {held}`),
		settle: r.Replace(`UPDATE {table} SET state = $3::smallint, body = $4::bytea, origin = $5::bytea,
			since = clock_timestamp(), leased_until = NULL, expires_at = clock_timestamp() + $6::interval WHERE {held}`),
		sweep: r.Replace(sweepSQL),
	}
}

// claimSQL claims, or returns the record that stands in the way, in one round
// trip. $6 are the states that may be replaced.
//
// The usual refusal, which is also how an answer is found, is a read: standing
// has a row, so nothing is inserted. INSERT … ON CONFLICT DO UPDATE … WHERE alone
// would lock the row before it looks at the condition, and so write, and wait for
// the disk, at every hit. DO NOTHING could not take over.
//
// What decides is the INSERT: it waits for whoever else has the row in hand, and
// judges the row that is then there and not that of its snapshot; so does prior,
// which is a column because only a column can be returned. standing is the
// snapshot's. When a row came, or came into the way, after the snapshot was taken,
// neither has a result: the statement then returns no row, and is to be repeated.
// A row that was in the way at the snapshot and is no longer refuses, as it did
// when the statement began.
//
// excluded.since is the time just before the INSERT. Judging by it, be it that of
// before a wait for a lock, errs on the side of another round; the lease that is
// granted counts from after it.
const claimSQL = `WITH standing AS MATERIALIZED (
	SELECT * FROM {judged} AS judged WHERE stands <> ALL ($6::int[])
), won AS (
	INSERT INTO {table} AS r (id, since, leased_until, state, prior, format, owner, fingerprint, origin)
	SELECT $1::bytea, t.now, t.now + $5::interval, 1, 0, {format}, $2::bytea, $3::bytea, $4::bytea
	FROM clock_timestamp() AS t (now) WHERE NOT EXISTS (SELECT FROM standing)
	ON CONFLICT (id) DO UPDATE SET
		since = clock_timestamp(), leased_until = clock_timestamp() + $5::interval, expires_at = NULL,
		state = 1, prior = {stands-excluded}, format = {format},
		owner = excluded.owner, fingerprint = excluded.fingerprint, origin = excluded.origin, body = NULL
	WHERE ({stands-excluded}) = ANY ($6::int[])
	RETURNING r.prior
)
SELECT 1 AS stands, prior, $2::bytea, $3::bytea, $4::bytea, NULL::bytea, 0::float8, extract(epoch FROM $5::interval)::float8 FROM won
UNION ALL
SELECT {columns} FROM standing`

// sweepSQL deletes up to $1 records that expired, and leaves alone those that
// somebody else has in hand. The time is a subquery so that it is evaluated once
// and the index on expires_at can be used.
const sweepSQL = `DELETE FROM {table} WHERE ctid = ANY (ARRAY(
	SELECT ctid FROM {table} WHERE expires_at <= (SELECT clock_timestamp()) AND {sense}
	ORDER BY expires_at LIMIT $1::int FOR UPDATE SKIP LOCKED))`
