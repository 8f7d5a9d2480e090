package llmtest

import "net/http"

// A form is how a route writes the pieces of a choice, and its end.
type form struct {
	pieces func(*result, item) []choice
	last   func(item) choice
}

var (
	chatForm = form{chatPieces, func(it item) choice {
		return choice{Index: it.index, Delta: &chatMessage{}, Finish: &it.finish}
	}}
	textForm = form{textPieces, func(it item) choice {
		return choice{Index: it.index, Text: new(string), Finish: &it.finish}
	}}
)

// streamAnswer renders a result as events: the pieces of all choices in turn, their
// finish reasons, the usage if it was asked for, and [DONE].
func streamAnswer(r *result, head completion, f form) answer {
	a := answer{status: http.StatusOK, contentType: streamType, stream: true}
	send := func(u *usageBody, choices ...choice) {
		e := head
		e.Choices, e.Usage = append(e.Choices, choices...), u
		a.chunks = append(a.chunks, event(encode(e)))
	}
	queues := make([][]choice, len(r.items))
	longest := 0
	for i, it := range r.items {
		queues[i] = f.pieces(r, it)
		longest = max(longest, len(queues[i]))
	}
	for step := range longest {
		for _, q := range queues {
			if step < len(q) {
				send(nil, q[step])
			}
		}
	}
	finished := false
	for _, it := range r.items {
		if it.finish != "" {
			send(nil, f.last(it))
			finished = true
		}
	}
	if r.call.includeUsage && finished {
		send(usageMember(r.usage))
	}
	if !r.noDone {
		a.chunks = append(a.chunks, event([]byte("[DONE]")))
	}
	return a
}

// chatPieces are the deltas of a choice: the role, then word by word, or a tool
// call with its arguments in two halves.
func chatPieces(r *result, it item) []choice {
	empty := ""
	delta := func(m chatMessage) choice { return choice{Index: it.index, Delta: &m} }
	out := []choice{delta(chatMessage{Role: "assistant", Content: &empty})}
	if it.tool != nil {
		zero := 0
		head := r.tool(it)
		args := head.Function.Arguments
		head.Index, head.Function.Arguments = &zero, ""
		out = append(out, delta(chatMessage{ToolCalls: []toolBody{head}}))
		for _, part := range halves(args) {
			out = append(out, delta(chatMessage{ToolCalls: []toolBody{{Index: &zero, Function: functionBody{Arguments: part}}}}))
		}
		return out
	}
	for _, word := range pieces(it.text) {
		out = append(out, delta(chatMessage{Content: &word}))
	}
	return out
}

// textPieces are the pieces of a choice of completions.
func textPieces(_ *result, it item) []choice {
	var out []choice
	for _, word := range pieces(it.text) {
		out = append(out, choice{Index: it.index, Text: &word})
	}
	return out
}

// halves splits the arguments of a tool call, not inside a character.
func halves(args string) []string {
	half := len(args) / 2
	for half > 0 && args[half]&0xC0 == 0x80 {
		half--
	}
	return []string{args[:half], args[half:]}
}
