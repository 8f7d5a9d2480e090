package llmtest

import (
	"net/http"
	"strconv"
	"time"
)

// OK leaves the request alone: it is worked on and answered. It is the zero Fault.
func OK() Fault { return Fault{} }

// Delay answers after d; see [Fault.Delay].
func Delay(d time.Duration) Fault {
	f := OK().Delay(d)
	f.name = "Delay(" + d.String() + ")"
	return f
}

// Status answers with a status and an error body of the service, without any work. See
// [Fault.Code], [Fault.RetryAfter], [Fault.Body] and [Fault.AfterWork]. The status
// must be one that ends a request, 200 to 999; others are sent as 500.
func Status(code int) Fault {
	f := Fault{name: "Status(" + strconv.Itoa(code) + ")", noWork: true, status: code}
	if code < 200 || code > 999 {
		f.status = http.StatusInternalServerError
	}
	return f
}

// Redirect answers with a redirecting status and a Location, without any work.
func Redirect(code int, url string) Fault {
	f := Status(code).Header("Location", url)
	f.name = "Redirect(" + strconv.Itoa(code) + ")"
	return f
}

// Text answers with this text in place of the built-in one, in the form that was
// asked for; "" is an empty answer. A picture or sound is one made of it. Embeddings
// and moderations ignore it.
func Text(text string) Fault {
	return Fault{name: "Text(" + strconv.Quote(text) + ")", text: &text}
}

// CallTool answers a chat with a call of a function, arguments being JSON text, and
// the finish reason that the service has for it; as a stream with the arguments in
// pieces, where the service sends pieces. Other routes ignore it, OpenAI's Responses
// among them.
func CallTool(function, arguments string) Fault {
	return Fault{name: "CallTool(" + strconv.Quote(function) + ")", tool: &toolCall{function, arguments}}
}

// Block answers with what the service says of a prompt, or an answer, that its
// filters stop: Gemini with promptFeedback and this block reason, such as "SAFETY",
// Anthropic with an empty answer and stop reason refusal, OpenAI with an empty one
// and content_filter. Others ignore it. "" is no block. It is work, and billed.
func Block(reason string) Fault {
	return Fault{name: "Block(" + strconv.Quote(reason) + ")", blocked: reason}
}

// Reply answers with exactly this body and status 200. It is work: executed, and
// billed by the body's usage member if it is JSON with one. A body of type
// text/event-stream goes out event by event, one of application/x-ndjson by line.
func Reply(contentType, body string) Fault {
	return Fault{name: "Reply(" + strconv.Quote(contentType) + ")", reply: &page{contentType, body}}
}

// DropBefore reads the request and closes the connection without working on it.
func DropBefore() Fault { return Fault{name: "DropBefore()", noWork: true, end: endDrop} }

// DropAfter does the work, bills it and closes the connection without an answer.
func DropAfter() Fault { return Fault{name: "DropAfter()", end: endDrop} }

// DropMiddle closes the connection halfway through the body: half of the bytes,
// or of the events of a stream.
func DropMiddle() Fault { return Fault{name: "DropMiddle()", end: endMiddle} }

// CutBody closes the connection after n bytes of the body, which is then shorter
// than its framing says. With 0 the headers arrive alone; with more than there are,
// the whole body arrives and only its end is missing.
func CutBody(n int) Fault {
	return Fault{name: "CutBody(" + strconv.Itoa(n) + ")", end: endCut, cut: max(n, 0)}
}

// CutEvents closes the connection after n events of a stream; with more than there
// are, all events arrive and only the end of the body is missing. Of a body that is
// no stream nothing but the headers arrives for 0, all but the end for others.
func CutEvents(n int) Fault {
	return Fault{name: "CutEvents(" + strconv.Itoa(n) + ")", end: endEvents, after: max(n, 0)}
}

// Refuse refuses the connection: the client can write nothing. It works over
// [Server.Transport] and the transport of [Server.Client]. Over another client the
// request has arrived when the fault is taken, and it is dropped like [DropBefore].
func Refuse() Fault {
	return Fault{name: "Refuse()", noWork: true, refuse: true, end: endDrop}
}

// Hang reads the request and stays silent until the client gives up, or the server
// is closed. No work is done; Hang().AfterWork() does it first.
func Hang() Fault { return Fault{name: "Hang()", noWork: true, end: endHang} }

// HTML answers with status 200 and an HTML page, as a captive portal or a proxy
// does. No work is done.
func HTML() Fault {
	f := Status(http.StatusOK).Body("text/html; charset=utf-8",
		"<!DOCTYPE html>\n<html><head><title>Sign in</title></head><body><h1>Sign in to continue</h1></body></html>\n")
	f.name = "HTML()"
	return f
}

// ErrorOK answers with status 200 and an error body of the service, code server_error
// or what the service calls that, unless set. No work is done.
func ErrorOK() Fault {
	f := Status(http.StatusOK)
	f.name, f.code = "ErrorOK()", generalCode
	return f
}

// CutJSON does the work and sends half of the JSON in a body that is whole by its
// framing. Of a stream it sends half of the events, and half of the next one.
func CutJSON() Fault { return Fault{name: "CutJSON()", damage: cutJSON} }

// MissingChoice does the work and leaves the last choice out; in a stream every
// event of it, and of embeddings, moderations and pictures the last result.
func MissingChoice() Fault { return Fault{name: "MissingChoice()", damage: missingChoice} }

// NoFinish does the work and answers without any finish reason. A stream has its
// text in full and then ends cleanly, without [DONE] or what stands for it.
func NoFinish() Fault { return Fault{name: "NoFinish()", damage: noFinish} }

// ForgedDone does the work, and a stream ends after half of its text, without a
// finish reason but with [DONE] or message_stop, as gateways forge it when their
// upstream is cut. Gemini and Ollama have none to forge: their streams just end. A
// body that is no stream has half of the text and no finish reason.
func ForgedDone() Fault { return Fault{name: "ForgedDone()", damage: forgedDone} }

// StreamError does the work and sends an error frame after n events of the stream,
// with 0 as the first event, in the form of the route; then the body ends cleanly.
// Code server_error, or what the service calls that, unless set. A request that asked
// for no stream is answered like [ErrorOK].
func StreamError(n int) Fault {
	return Fault{name: "StreamError(" + strconv.Itoa(n) + ")", damage: errorFrame, after: max(n, 0), code: generalCode}
}

// generalCode is the code of an error of which nothing is known, in OpenAI's words;
// those of others follow from the status.
const generalCode = "server_error"
