package identity

const hexDigits = "0123456789abcdef"

// appendString appends s as a canonical JSON string (RFC 8785, section 3.2.2.2).
// s must be valid UTF-8.
func appendString[T string | []byte](b []byte, s T) []byte {
	b = append(b, '"')
	b = appendText(b, s)
	return append(b, '"')
}

// appendText appends s as the inside of a canonical JSON string.
func appendText[T string | []byte](b []byte, s T) []byte {
	from := 0
	for i := range len(s) {
		if c := s[i]; c < 0x20 || c == '"' || c == '\\' {
			b = append(b, s[from:i]...)
			b = appendEscape(b, c)
			from = i + 1
		}
	}
	return append(b, s[from:]...)
}

// appendEscape appends the escape of a byte that cannot stand for itself.
func appendEscape(b []byte, c byte) []byte {
	switch c {
	case '"', '\\':
		return append(b, '\\', c)
	case '\b':
		return append(b, '\\', 'b')
	case '\t':
		return append(b, '\\', 't')
	case '\n':
		return append(b, '\\', 'n')
	case '\f':
		return append(b, '\\', 'f')
	case '\r':
		return append(b, '\\', 'r')
	}
	return append(b, '\\', 'u', '0', '0', hexDigits[c>>4], hexDigits[c&15])
}
