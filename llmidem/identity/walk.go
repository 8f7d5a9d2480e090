package identity

import "strconv"

// each calls f for every member of a canonical object, with the name as its JSON
// string, and for every element of a canonical array, with no name. Other values
// have none of either. It relies on text that this package wrote itself.
func each(text []byte, f func(name, value []byte)) {
	if text[0] != '{' && text[0] != '[' || len(text) == 2 {
		return
	}
	for i := 1; i < len(text); {
		var name []byte
		if text[0] == '{' {
			end := skipValue(text, i)
			name = text[i:end]
			i = end + 1
		}
		end := skipValue(text, i)
		f(name, text[i:end])
		i = end + 1 // the comma, or the bracket at the end
		if text[end] != ',' {
			return
		}
	}
}

// skipValue returns the offset after the canonical value at i.
func skipValue(text []byte, i int) int {
	depth := 0
	for {
		switch text[i] {
		case '"':
			i = skipString(text, i)
			if depth == 0 {
				return i
			}
			continue
		case '{', '[':
			depth++
		case '}', ']':
			if depth--; depth == 0 {
				return i + 1
			}
			if depth < 0 {
				return i // the end of what the value lies in
			}
		case ',':
			if depth == 0 {
				return i
			}
		}
		if i++; i == len(text) {
			return i
		}
	}
}

func skipString(text []byte, i int) int {
	for i++; text[i] != '"'; i++ {
		if text[i] == '\\' {
			i++
		}
	}
	return i + 1
}

// textOf returns what a canonical JSON string stands for.
func textOf(quoted []byte) string {
	return string(appendUnescaped(nil, quoted[1:len(quoted)-1]))
}

// below returns the pointer of a member, or of the nth element where name is nil.
func below(pointer string, name []byte, n int) string {
	if name == nil {
		return pointer + "/" + strconv.Itoa(n)
	}
	return string(appendPointer(append([]byte(pointer), '/'), textOf(name), false))
}

// pointerOf turns a dotted path into a pointer.
func pointerOf(path string) string {
	var b []byte
	for path != "" {
		var head string
		head, path, _ = cutPath(path)
		b = append(b, '/')
		b = appendPointer(b, head, false)
	}
	return string(b)
}
