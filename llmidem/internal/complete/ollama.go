package complete

// ollama judges one object of Ollama's own API; a stream of lines is none.
func ollama(q Query, r *Result) string {
	var m [7][]byte
	if err := pick(q.Body, m[:], "model", "done", "done_reason", "embeddings", "error", "prompt_eval_count", "eval_count"); err != nil {
		return reasonNotJSON
	}
	r.Model = text(m[0], maxName)
	r.bill(m[5:6], m[6:7])
	if present(m[4]) {
		return reasonError
	}
	switch q.Operation {
	case "ollama.chat", "ollama.generate":
		r.finish(text(m[2], maxReason))
		if string(m[1]) != "true" {
			return reasonNotDone
		}
		return ""
	case "ollama.embed":
		got := 0
		_ = Elements(m[3], func(_ int, value []byte) bool {
			if filled(value) {
				got++
			}
			return true
		})
		if got < q.inputs() {
			return reasonInputs
		}
		return ""
	}
	return reasonUnknown
}
