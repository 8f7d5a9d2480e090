package audit

import (
	"encoding/hex"
	"strconv"
	"time"
	"unicode/utf8"
)

// The fixed pieces of a line. What reads a line depends on their order.
const (
	lineBegin = `{"v":1,"seq":`
	timeBegin = `,"time":"`
	prevBegin = `","prev":"`
	macBegin  = `","mac":"`
	kindBegin = `","kind":"`
	hashBegin = `,"hash":"`
	lineEnd   = "\"}\n"

	hashLen = 64
	tailLen = len(hashBegin) + hashLen + len(lineEnd)
)

// maxLine is the most bytes that a line has. A reader holds no more of one.
const maxLine = 1 << 20

// appendBegin writes what is before the member kind.
func appendBegin(b []byte, seq uint64, at time.Time, prev []byte, keyID string) []byte {
	b = append(b, lineBegin...)
	b = strconv.AppendUint(b, seq, 10)
	b = append(b, timeBegin...)
	b = at.UTC().AppendFormat(b, time.RFC3339Nano)
	b = append(b, prevBegin...)
	b = append(b, prev...)
	if keyID != "" {
		b = append(b, macBegin...)
		b = append(b, keyID...)
	}
	return b
}

// appendBody writes what is from the member kind to the hash.
func appendBody(b []byte, r *Record) []byte {
	b = append(b, kindBegin...)
	b = append(b, r.Kind...)
	b = append(b, '"')
	b = appendUint(b, `,"intent":`, r.Intent)
	b = appendText(b, `,"key":`, r.Key.LogString())
	b = appendText(b, `,"address":`, r.Address)
	b = appendText(b, `,"scheme":`, r.Scheme)
	b = appendUint(b, `,"document_version":`, uint64(r.Document))
	b = appendText(b, `,"operation":`, r.Operation)
	b = appendText(b, `,"provider":`, r.Provider)
	b = appendText(b, `,"model":`, r.Model)
	b = appendText(b, `,"user":`, r.User)
	b = appendText(b, `,"user_hash":`, r.UserHash)
	b = appendText(b, `,"trace_id":`, r.TraceID)
	b = appendText(b, `,"span_id":`, r.SpanID)
	b = appendText(b, `,"origin_trace_id":`, r.OriginTraceID)
	b = appendAttempts(b, r.Attempts)
	b = appendText(b, `,"source":`, r.Source)
	b = appendUsage(b, `,"usage":`, r.Usage)
	b = appendUsage(b, `,"saved":`, r.Saved)
	b = appendText(b, `,"outcome":`, string(r.Outcome))
	b = appendText(b, `,"error_type":`, r.ErrorType)
	b = appendText(b, `,"file":`, r.File)
	b = appendUint(b, `,"offset":`, uint64(r.Offset))
	b = appendUint(b, `,"length":`, uint64(r.Length))
	if r.Sum != (Hash{}) {
		b = append(b, `,"sha256":"`...)
		b = hex.AppendEncode(b, r.Sum[:])
		b = append(b, '"')
	}
	return b
}

func appendAttempts(b []byte, list []Attempt) []byte {
	if len(list) == 0 {
		return b
	}
	b = append(b, `,"attempts":[`...)
	for i, a := range list {
		if i > 0 {
			b = append(b, ',')
		}
		b = appendText(b, `{"class":`, a.Class)
		b = appendUint(b, `,"status":`, uint64(a.Status))
		b = appendText(b, `,"error_type":`, a.ErrorType)
		b = append(b, '}')
	}
	return append(b, ']')
}

func appendUsage(b []byte, name string, u Usage) []byte {
	if u == (Usage{}) {
		return b
	}
	b = append(b, name...)
	b = append(b, '{')
	begin := len(b)
	b = appendUint(b, `"input_tokens":`, uint64(u.InputTokens))
	if len(b) > begin && u.OutputTokens != 0 {
		b = append(b, ',')
	}
	b = appendUint(b, `"output_tokens":`, uint64(u.OutputTokens))
	return append(b, '}')
}

func appendUint(b []byte, name string, n uint64) []byte {
	if n == 0 {
		return b
	}
	return strconv.AppendUint(append(b, name...), n, 10)
}

// appendText writes a string, in which what is no UTF-8 becomes U+FFFD. It escapes no
// more than it must, and what would end a line for a program that reads the log.
func appendText(b []byte, name, s string) []byte {
	if s == "" {
		return b
	}
	b = append(append(b, name...), '"')
	for i := 0; i < len(s); {
		r, n := rune(s[i]), 1
		if r >= utf8.RuneSelf {
			r, n = utf8.DecodeRuneInString(s[i:])
		}
		switch {
		case r == '"' || r == '\\':
			b = append(b, '\\', byte(r))
		case r < ' ' || r == 0x7f || r == 0x85 || r == 0x2028 || r == 0x2029:
			b = append(b, '\\', 'u', hexDigits[r>>12&15], hexDigits[r>>8&15], hexDigits[r>>4&15], hexDigits[r&15])
		case r < utf8.RuneSelf:
			b = append(b, byte(r))
		default:
			b = utf8.AppendRune(b, r)
		}
		i += n
	}
	return append(b, '"')
}

const hexDigits = "0123456789abcdef"

// MarshalJSON writes the record as its line has it, without the line's end. It never
// fails.
func (r Record) MarshalJSON() ([]byte, error) {
	b := appendBegin(make([]byte, 0, 512), r.Sequence, r.Time, hex.AppendEncode(nil, r.Prev[:]), r.KeyID)
	b = append(appendBody(b, &r), hashBegin...)
	b = hex.AppendEncode(b, r.Hash[:])
	return append(b, '"', '}'), nil
}
