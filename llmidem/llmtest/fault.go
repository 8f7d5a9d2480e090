package llmtest

import (
	"net/http"
	"strconv"
	"time"
)

// A Fault says what becomes of one request: whether the work is done, what the
// answer looks like, how it is delivered. The zero value is [OK]. Faults are
// values: each method returns a changed copy, so a fault can be kept, shared and
// given to [Server.Next] many times.
//
// Faults combine: Status(503).Delay(time.Second), DropAfter().WholeConnection(),
// Text("Paris").Pace(time.Millisecond).
type Fault struct {
	name string

	// The work, and what it produces in place of the built-in answer.
	noWork  bool
	text    *string
	tool    *toolCall
	reply   *page
	blocked string // why the prompt is refused

	// The answer: one of its own, or changes to that of the work.
	status  int // own answer if not 0
	page    *page
	code    string
	message string
	header  http.Header
	retry   []time.Duration
	damage  damage
	after   int    // events before the error frame or the cut
	frame   string // in place of the error frame
	before  string // in front of every event
	newline string // in place of LF
	split   int    // bytes written at once

	// The delivery.
	delay  time.Duration
	pace   time.Duration
	end    end
	cut    int  // bytes of the body
	open   bool // no end follows, only silence
	whole  bool
	refuse bool
}

// A page is a body as it goes out.
type page struct{ contentType, body string }

// damage is what is wrong with an answer that arrives whole.
type damage uint8

const (
	intact damage = iota
	cutJSON
	missingChoice
	noFinish
	forgedDone
	errorFrame
)

// end is how the delivery ends.
type end uint8

const (
	endWhole  end = iota
	endDrop       // the connection is closed before the response
	endMiddle     // … halfway through the body
	endCut        // … after cut bytes of the body
	endEvents     // … after so many events
	endHang       // nothing is sent until the client gives up
)

// String names the fault as the test wrote it, as in "Status(429).RetryAfter(2s)".
func (f Fault) String() string {
	if f.name == "" {
		return "OK()"
	}
	return f.name
}

// with returns a copy under a longer name.
func (f Fault) with(call string) Fault {
	f.name = f.String() + "." + call
	f.header = f.header.Clone()
	return f
}

// Delay makes the answer, or its absence, come after d. The work begins at once:
// it is in the ledger when the request has arrived, and the key is in use until d
// has passed, even if the client has left by then. Default: no delay.
func (f Fault) Delay(d time.Duration) Fault {
	f = f.with("Delay(" + d.String() + ")")
	f.delay = d
	return f
}

// Pace makes a stream wait for d before each event but the first. Default: none.
func (f Fault) Pace(d time.Duration) Fault {
	f = f.with("Pace(" + d.String() + ")")
	f.pace = d
	return f
}

// Header adds a header line to the response. Called twice with one name it adds
// two lines; Content-Type is replaced.
func (f Fault) Header(name, value string) Fault {
	f = f.with("Header(" + strconv.Quote(name) + ")")
	if f.header == nil {
		f.header = make(http.Header)
	}
	f.header.Add(name, value)
	return f
}

// RetryAfter says how long the client shall wait, as the service does: in a
// Retry-After header in seconds, with a decimal fraction if d is no whole number of
// them; Gemini says it in the RetryInfo of its error body instead. For other forms,
// such as a date, use [Fault.Header].
func (f Fault) RetryAfter(d time.Duration) Fault {
	f = f.with("RetryAfter(" + d.String() + ")")
	f.retry = append(f.retry[:len(f.retry):len(f.retry)], d)
	return f
}

// seconds writes a duration as a number of them.
func seconds(d time.Duration) string { return strconv.FormatFloat(d.Seconds(), 'f', -1, 64) }

// Code sets the code of the error body of [Status], [ErrorOK] and [StreamError],
// as in "insufficient_quota". It is Anthropic's type and Gemini's status; under 429
// Gemini takes one that is not in capitals for the id of the quota exceeded, as in
// "GenerateRequestsPerDayPerProjectPerModel". Default: what the service uses with
// that status.
func (f Fault) Code(code string) Fault {
	f = f.with("Code(" + strconv.Quote(code) + ")")
	f.code = code
	return f
}

// Message sets the message of the error body of [Status], [ErrorOK] and
// [StreamError]. Default: the status text, with status 200 a general one.
func (f Fault) Message(text string) Fault {
	f = f.with("Message(…)")
	f.message = text
	return f
}

// Body sets the content type and body of [Status] in place of the service's error: the
// page of a proxy, a problem document.
func (f Fault) Body(contentType, body string) Fault {
	f = f.with("Body(" + strconv.Quote(contentType) + ")")
	f.page = &page{contentType, body}
	return f
}

// AfterWork makes a fault that would come instead of the work come after it: the
// request is executed, billed and, with [WithKeys] of class Replay, its answer
// remembered, and then the fault is all that the client sees. A gateway that timed
// out is Status(504).AfterWork().
func (f Fault) AfterWork() Fault {
	f = f.with("AfterWork()")
	f.noWork = false
	return f
}

// LeaveOpen makes the response never end: where the body would be over, or the
// fault would close the connection, there is silence until the client gives up. A
// stream that stalls after three events is CutEvents(3).LeaveOpen().
func (f Fault) LeaveOpen() Fault {
	f = f.with("LeaveOpen()")
	f.open = true
	return f
}

// WholeConnection makes a fault that closes the connection reset it at once with
// everything on it: over HTTP/2 all streams, not its own alone. Over HTTP/1 that is
// one request anyway. In memory every request has its own connection.
func (f Fault) WholeConnection() Fault {
	f = f.with("WholeConnection()")
	f.whole = true
	return f
}
