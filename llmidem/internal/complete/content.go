package complete

import "bytes"

// Content is what an answer says, apart from how it was sent: for each choice the
// whole text of each sort (text, refusal, reasoning, names and arguments of tool
// calls, finish reason), and which frames were put around it. Ids, times, padding
// and where one event ended and the next began do not count.
//
// It is a value: what its stream reads later does not change it. The zero value
// is that of a stream that said nothing.
type Content struct {
	parts []said
	size  int
	over  bool // more was said than is kept
}

// said is all of one sort that one choice said so far.
type said struct {
	key  key
	text []byte // only ever appended to
}

// key says what a text is.
type key struct {
	choice  int64
	tool    int64 // or content block, or part
	channel channel
}

// channel is a sort of text.
type channel uint8

const (
	channelText channel = iota
	channelRefusal
	channelReasoning
	channelSummary
	channelTool
	channelArguments
	channelAudio
	channelTranscript
	channelRole   // said once, however often it is sent
	channelFinish // likewise
	channelMark   // the types of frames, a line each
)

// allChoices is the number of the choice where something is said of the answer.
const allChoices = -1

const (
	maxSaid  = 64 << 20 // bytes
	maxParts = 4096
)

// HasPrefix reports whether everything that p says is said here too, in each
// choice and sort of text from the beginning on. It is false if one of the two
// said more than 64 MiB, or in more than 4,096 parts, which is not kept.
func (c Content) HasPrefix(p Content) bool {
	if c.over || p.over {
		return false
	}
	for _, part := range p.parts {
		if !bytes.HasPrefix(c.text(part.key), part.text) {
			return false
		}
	}
	return true
}

// Len is how many bytes are said in all.
func (c Content) Len() int { return c.size }

// text is what was said of a sort, nil if nothing.
func (c *Content) text(k key) []byte {
	if i := c.find(k); i >= 0 {
		return c.parts[i].text
	}
	return nil
}

// find returns the place of a part, -1 if there is none.
func (c *Content) find(k key) int {
	for i := len(c.parts) - 1; i >= 0; i-- { // what was said last goes on
		if c.parts[i].key == k {
			return i
		}
	}
	return -1
}

// snapshot is a copy that shares the texts: they are appended to, not changed.
func (c *Content) snapshot() Content {
	out := *c
	out.parts = make([]said, len(c.parts))
	for i, p := range c.parts {
		out.parts[i] = said{p.key, p.text[:len(p.text):len(p.text)]}
	}
	return out
}
