package audit

import (
	"errors"
	"fmt"
)

// ErrBroken is what a log is whose chain does not hold; the error is a [*BrokenError].
var ErrBroken = errors.New("audit: the log is broken")

// ErrTorn is, beside [ErrBroken], what a log is that ends in the middle of a record, as
// after a kill; [Open] repairs that. A log looks the same for a moment while it is
// being written: read it again.
var ErrTorn = errors.New("audit: the log ends in the middle of a record")

// ErrSecret is what reading a log with an HMAC is without a secret. With one, a record
// that names another is a broken one.
var ErrSecret = errors.New("audit: a secret is missing")

// ErrLocked is returned by [Open] when another process, or another Log of this one, has
// the log open.
var ErrLocked = errors.New("audit: the log is in use")

// ErrClosed is returned by Append after Close.
var ErrClosed = errors.New("audit: the log is closed")

// ErrBehind is returned by Append while 64 MiB of records wait for a disk that does not
// keep up, or hangs. Nothing was logged.
var ErrBehind = errors.New("audit: nothing was logged: the disk does not keep up")

// ErrInDoubt is what an Append failed with whose record may be in the log all the same:
// its context ended too early, or the disk failed so late that nobody knows.
var ErrInDoubt = errors.New("audit: the record may or may not be in the log")

// ErrUnusable is returned by Append when the log takes no more records, since what is
// on the disk is not known any more or its file is not at its path. Close it, and
// open it again when the cause is gone.
var ErrUnusable = errors.New("audit: the log is of no more use")

// BrokenError says where the chain of a log first does not hold. It is [ErrBroken], and
// [ErrTorn] if Torn.
type BrokenError struct {
	// File is the file's path; "" for a reader.
	File string
	// Line counts the lines of the file from 1, Offset its bytes from 0.
	Line, Offset int64
	// Sequence is the number of the record that should be there.
	Sequence uint64
	// Reason says what is there instead. It holds no text of the log.
	Reason string
	// Torn says that the file ends there, in the middle of a record.
	Torn bool
}

// Error returns all of it on one line.
func (e *BrokenError) Error() string {
	at := fmt.Sprintf("line %d, byte %d, record %d", e.Line, e.Offset, e.Sequence)
	if e.File != "" {
		at = e.File + ": " + at
	}
	return "audit: the log is broken: " + at + ": " + e.Reason
}

// Is reports whether target is ErrBroken, or ErrTorn for one that is torn.
func (e *BrokenError) Is(target error) bool {
	return target == ErrBroken || e.Torn && target == ErrTorn
}

// secretError names the secret that is missing.
type secretError struct{ id string }

func (e *secretError) Error() string {
	if badToken(e.id, maxID) != "" {
		return "audit: a record names no secret that there can be"
	}
	return "audit: the records have an HMAC: the secret " + e.id + " is needed to verify them"
}

func (e *secretError) Is(target error) bool { return target == ErrSecret }
