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

// InputsOf is how many prompts or inputs the body of a request has, of each of
// which there is an answer; one for operations that have no lists of them.
func InputsOf(operation string, request []byte) int {
	switch operation {
	case "text_completion":
		return inputs(Get(request, "prompt"), countPrompts)
	case "embeddings", "ollama.embed":
		return inputs(Get(request, "input"), countPrompts)
	case "moderations":
		return inputs(Get(request, "input"), countModerated)
	}
	return 1
}

func (q Query) inputs() int {
	if q.Inputs > 0 {
		return q.Inputs
	}
	return InputsOf(q.Operation, q.Request)
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

// usage reads token counts from a usage object: the sums of the members that
// together are input and output. Some services have one number for each, others
// tell parts (cached, reasoning) that are not in the first.
func (r *Result) usage(value []byte, input, output []string) {
	var in, out [4][]byte
	if pick(value, in[:], input...) == nil && pick(value, out[:], output...) == nil {
		r.bill(in[:], out[:])
	}
}

// promptUsage reads the usage of OpenAI's older operations, inputUsage that of
// the newer ones.
func (r *Result) promptUsage(value []byte) {
	r.usage(value, []string{"prompt_tokens"}, []string{"completion_tokens"})
}

func (r *Result) inputUsage(value []byte) {
	r.usage(value, []string{"input_tokens"}, []string{"output_tokens"})
}

// bill adds up the counts; there is a usage if there is one of them.
func (r *Result) bill(input, output [][]byte) {
	in, hasIn := sum(input)
	out, hasOut := sum(output)
	if hasIn || hasOut {
		r.Input, r.Output, r.HasUsage = in, out, true
	}
}

// maxTokens is beyond all reason for one answer. Counts go into counters, and
// must not overflow there.
const maxTokens = 1 << 40

func sum(values [][]byte) (total int64, ok bool) {
	for _, v := range values {
		if n, is := Int(v); is && n >= 0 && n <= maxTokens {
			total, ok = total+n, true
		}
	}
	return total, ok
}
