package complete

// inputRule says for how many answers an array as prompt or input asks, by the
// kind of its first element.
type inputRule func(elements int, first Kind) int

// countPrompts: an array of strings or of token arrays is a list, one of token
// numbers is one text.
func countPrompts(elements int, first Kind) int {
	if first == KindNumber {
		return 1
	}
	return elements
}

// countModerated: an array of strings is a list, one of parts (text and images)
// is one input with one result.
func countModerated(elements int, first Kind) int {
	if first == KindObject {
		return 1
	}
	return elements
}

// inputs is for how many answers a request asks, at least one.
func inputs(value []byte, rule inputRule) int {
	if KindOf(value) != KindArray {
		return 1
	}
	elements, first := 0, KindInvalid
	_ = Elements(value, func(i int, v []byte) bool {
		if i == 0 {
			first = KindOf(v)
		}
		elements = i + 1
		return true
	})
	return max(1, rule(elements, first))
}

// length is the number of elements of an array, 0 for anything else.
func length(value []byte) int {
	n := 0
	_ = Elements(value, func(i int, _ []byte) bool { n = i + 1; return true })
	return n
}

// usage reads token counts from a usage object. Where a service tells parts that
// others include in one number, the parts are added up.
func (r *Result) usage(value []byte, input, output string) {
	var m [6][]byte
	if pick(value, m[:], input, output, "cache_creation_input_tokens", "cache_read_input_tokens",
		"thoughtsTokenCount", "toolUsePromptTokenCount") != nil {
		return
	}
	in, hasIn := tokens(m[0])
	out, hasOut := tokens(m[1])
	if !hasIn && !hasOut {
		return
	}
	for _, i := range []int{2, 3, 5} {
		more, _ := tokens(m[i])
		in += more
	}
	more, _ := tokens(m[4])
	r.Input, r.Output, r.HasUsage = in, out+more, true
}

// tokens reads one count. One that is negative or beyond all reason is none: sums
// of them go into counters, and must not overflow there.
func tokens(value []byte) (int64, bool) {
	n, ok := Int(value)
	if !ok || n < 0 || n > 1<<40 {
		return 0, false
	}
	return n, true
}
