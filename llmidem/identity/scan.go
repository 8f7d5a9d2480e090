package identity

import (
	"context"
	"unicode/utf8"
)

const maxDepth = 512

// step is one level of where the scanner is.
type step struct {
	name  span
	index int
	kind  stepKind
}

type stepKind uint8

const (
	stepNone  stepKind = iota // in an object, before its first name
	stepIndex                 // in an array
	stepSrc                   // at the member whose name lies in the input
	stepArena                 // at the member whose name lies in the arena
)

// scanner reads one JSON text, once, refuses what has no canonical form, and
// leaves the canonical text on the tape. Its slices are scratch memory.
type scanner struct {
	src   []byte
	segs  []seg
	mem   []member // of the objects that are open, a stack
	ord   []member // of the objects on record
	keys  []sortKey
	arena []byte
	atts  []attachment
	order []int // the attachments as the document lists them

	raw   int // where the raw range that is pending begins
	floor int // segments below it are closed for additions
	dirty int // grows whenever text turns out not to be canonical
	depth int // arrays and objects that are open
	path  [maxDepth]step

	top    bool     // the text is an object of which prompt and heads are known
	prompt []string // members in which attachments are looked for
	heads  []string // members whose objects must be on record
	places []Place
	placed uint64 // sieve of the members that places name
	seen   uint64 // sieve of the top-level names
	lift   bool   // inside a prompt member
	keep   bool   // inside a head
	last   int    // the segment of the object that went on record last

	handles []*Attachment
	ctx     context.Context // of the looks at handles
	splices []splice        // where they go
	texts   []textAt        // of a form
	room    [codedLen + 4]byte

	code   Code
	offset int
	reason string
	cause  error

	b64 decoder
}

// scan reads the whole of the input. It returns false with code, offset and reason
// set when it is refused. Bytes that are no text at all are told as that, wherever
// they stand: "no value begins like this" would send the reader the wrong way.
func (s *scanner) scan() bool {
	if s.whole() {
		return true
	}
	if s.code == CodeInvalidJSON {
		if at := notUTF8(s.src); at >= 0 {
			s.code, s.offset, s.reason = CodeInvalidUTF8, at, "a byte that is not UTF-8"
		}
	}
	return false
}

// notUTF8 is where the first byte lies that is not UTF-8, -1 when there is none.
func notUTF8(src []byte) int {
	if utf8.Valid(src) {
		return -1
	}
	i := 0
	for {
		r, size := utf8.DecodeRune(src[i:])
		if r == utf8.RuneError && size == 1 {
			return i
		}
		i += size
	}
}

func (s *scanner) whole() bool {
	i := s.value(s.space(0))
	if i < 0 {
		return false
	}
	s.cut(i)
	if i = s.space(i); i < len(s.src) {
		s.fail(CodeInvalidJSON, i, "text after the JSON value")
		return false
	}
	return true
}

// fail notes the first reason to refuse the text. It returns -1, which every
// method that reads returns instead of the next offset then.
func (s *scanner) fail(c Code, at int, reason string) int {
	if s.code == "" {
		s.code, s.offset, s.reason = c, at, reason
	}
	return -1
}

// space skips white space from i and takes it out of the text.
func (s *scanner) space(i int) int {
	if i < len(s.src) && s.src[i] > ' ' {
		return i
	}
	return s.skip(i)
}

func (s *scanner) skip(i int) int {
	j := blanks(s.src, i)
	if j > i {
		s.cut(i)
		s.raw = j
		s.dirty++
	}
	return j
}

// between skips white space between the members of an object, where no raw range
// is pending.
func (s *scanner) between(i int) int {
	if i < len(s.src) && s.src[i] > ' ' {
		return i
	}
	j := blanks(s.src, i)
	if j > i {
		s.dirty++
	}
	return j
}

func blanks(src []byte, i int) int {
	for i < len(src) && (src[i] == ' ' || src[i] == '\n' || src[i] == '\t' || src[i] == '\r') {
		i++
	}
	return i
}

// value reads the value at i and returns the offset after it.
func (s *scanner) value(i int) int {
	if i >= len(s.src) {
		return s.fail(CodeInvalidJSON, i, "the text ends where a value should be")
	}
	switch c := s.src[i]; c {
	case '"':
		return s.text(i)
	case '{':
		return s.object(i)
	case '[':
		return s.array(i)
	case 't':
		return s.word(i, "true")
	case 'f':
		return s.word(i, "false")
	case 'n':
		return s.word(i, "null")
	default:
		if c == '-' || c-'0' < 10 {
			return s.number(i)
		}
	}
	return s.fail(CodeInvalidJSON, i, "no value begins like this")
}

func (s *scanner) word(i int, w string) int {
	if end := i + len(w); end <= len(s.src) && string(s.src[i:end]) == w {
		return end
	}
	return s.fail(CodeInvalidJSON, i, "no value begins like this")
}

// open goes one level down.
func (s *scanner) open(i int, kind stepKind) bool {
	if s.depth == maxDepth {
		s.fail(CodeTooDeep, i, "more than 512 arrays and objects inside one another")
		return false
	}
	s.path[s.depth] = step{kind: kind}
	s.depth++
	return true
}

func (s *scanner) array(i int) int {
	if !s.open(i, stepIndex) {
		return -1
	}
	at := &s.path[s.depth-1]
	i = s.space(i + 1)
	if i < len(s.src) && s.src[i] == ']' {
		s.depth--
		return i + 1
	}
	for {
		if i < len(s.src) && s.src[i]-'0' < 10 {
			var n int
			i, n = integers(s.src, i)
			at.index += n
			i = s.space(i)
		}
		if i = s.value(i); i < 0 {
			return -1
		}
		if i = s.space(i); i >= len(s.src) {
			return s.fail(CodeInvalidJSON, i, "the text ends inside an array")
		}
		switch s.src[i] {
		case ',':
			at.index++
			i = s.space(i + 1)
		case ']':
			s.depth--
			return i + 1
		default:
			return s.fail(CodeInvalidJSON, i, "neither , nor ] after an element")
		}
	}
}
