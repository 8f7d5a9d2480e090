// Package audit keeps a log of calls that cannot be changed unnoticed: an
// append-only file of JSON lines, of which each holds the hash of the one before.
// [Open] writes such a log, [Verify] and [Read] read it, and so does the command
// "llmidem audit". A log holds no prompt, no answer and no credential.
//
// # A line
//
// A line is one [Record], as compact JSON whose members have a fixed order:
//
//	{"v":1,"seq":2,"time":"…","prev":"<64 hex>","kind":"intent",…,"hash":"<64 hex>"}
//
// hash is SHA-256 over the bytes of the line before `,"hash":`, as they stand; prev is
// the hash of the line before, zeros in the first. With [WithHMAC] it is HMAC-SHA-256
// and "mac", after prev, names the secret. So a line can be checked by itself and in
// its place, in one pass and without a JSON parser.
//
// # What is noticed
//
// A changed bit, and a record that was left out, repeated, moved or put in, breaks the
// chain at that record. Two things leave the chain whole. A tail that was cut off is
// noticed with an anchor: a [Head], kept where whoever can write the log cannot, that
// the log must still hold. A log that was written anew from some record on is noticed
// with an anchor too, and with [WithHMAC] nobody without the secret can write one.
//
// # What lasts
//
// [SyncGroup], the default, and [SyncEach] lose nothing: Append returns once its record
// is on the disk. [SyncAsync] says how much a power cut may take. What a killed process
// leaves of a line half written is cut off when the log is opened again, and a record of
// kind [KindRecovered] says what that was. Nothing else is ever cut: a log that is
// damaged anywhere but at such an end is [ErrBroken], and Open leaves it as it is.
//
// # Files
//
// The log's file is always the one at its path. When it is full, or the day ends (UTC),
// it gets another name, audit-0000000000000001.jsonl for audit.jsonl, with the number
// of its first record, so that names sort; [Files] lists them. The next file begins with
// a record of kind [KindRotated]: one chain runs through all. Files that are not needed any
// more may be moved away, oldest first, if the head of the last of them is kept for
// [Check].After. Tools that move or cut the file themselves (logrotate) must not touch
// it: a log whose file is not at its path any more takes no more records. Beside it lies
// a file for the lock, audit.jsonl.lock, which stays.
package audit
