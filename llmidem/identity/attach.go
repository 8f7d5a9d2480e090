package identity

// attachment is content that was taken out of the prompt.
type attachment struct {
	sum      [32]byte
	size     int64
	encoding string
	media    span // in the arena, as the inside of a canonical JSON string
	pointer  span // likewise
}

const (
	encodingURI    = "data-uri"
	encodingBase64 = "base64"
	encodingForm   = "multipart"

	scheme    = "data:"
	marker    = ";base64"
	maxMedia  = 255
	maxHeader = maxMedia + len(marker) + 1 // with the comma, without the scheme
)

// attach reads the string at i if it is an attachment (SPEC.md, section 3) or the
// placeholder of one, which is refused with an end of -1 when nothing backs it. If
// it is neither, nothing has changed, and the string is still to be read.
func (s *scanner) attach(i int) (end int, ok bool) {
	if i+1 < len(s.src) && (s.src[i+1] == 'd' || s.src[i+1] == '\\') {
		if end, ok = s.dataURI(i); ok {
			return end, true
		}
	}
	if i+4 <= len(s.src) && mayHold(s.src[i+1:i+4]) {
		if end, ok = s.held(i); ok {
			return end, true
		}
	}
	if !s.atPlace() {
		return 0, false
	}
	end, ok = s.b64.payload(s.src, i+1)
	if !ok || s.b64.size == 0 {
		return 0, false
	}
	s.lifted(i, end, s.b64.attachment(encodingBase64, span{}))
	return end, true
}

// atPlace reports whether the rules say that the string here is base64.
func (s *scanner) atPlace() bool {
	name := s.level(s.depth - 1)
	if s.placed&sieve(name) == 0 {
		return false
	}
	for i := range s.places {
		p := &s.places[i]
		if string(name) == p.Member && (p.Parent == "*" || string(s.level(s.depth-2)) == p.Parent) {
			return true
		}
	}
	return false
}

// element is what an element of an array is called.
var element = []byte("[]")

// level returns the name of a level; what is above the prompt fields is called "".
func (s *scanner) level(i int) []byte {
	if i < 0 {
		return nil
	}
	if st := &s.path[i]; st.kind != stepIndex {
		return s.stepName(st)
	}
	return element
}

func (s *scanner) stepName(st *step) []byte {
	switch st.kind {
	case stepSrc:
		return s.src[st.name.a:st.name.b]
	case stepArena:
		return s.arena[st.name.a:st.name.b]
	}
	return nil
}

// dataURI reads the string at i if it is a base64 data URI.
func (s *scanner) dataURI(i int) (end int, ok bool) {
	media, payload, ok := s.header(i + 1)
	if !ok {
		return 0, false
	}
	if end, ok = s.b64.payload(s.src, payload); !ok {
		return 0, false
	}
	// media may lie in the arena's free room, which cut is about to use
	var buf [maxMedia]byte
	media = buf[:copy(buf[:], media)]
	s.cut(i)
	at := len(s.arena)
	s.arena = appendText(s.arena, media)
	s.lifted(i, end, s.b64.attachment(encodingURI, span{at, len(s.arena)}))
	return end, true
}
