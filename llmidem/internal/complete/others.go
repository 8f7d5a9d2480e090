package complete

// anthropic judges a message.
func anthropic(q Query, r *Result) string {
	if q.Operation != "messages" {
		return reasonUnknown
	}
	var m [6][]byte
	if err := pick(q.Body, m[:], "id", "model", "type", "stop_reason", "usage", "error"); err != nil {
		return reasonNotJSON
	}
	r.ID, r.Model = text(m[0], maxName), text(m[1], maxName)
	r.usage(m[4], "input_tokens", "output_tokens")
	stop := text(m[3], maxReason)
	r.finish(stop)
	switch kind := text(m[2], maxReason); {
	case present(m[5]), kind == "error":
		return reasonError
	case kind != "message", stop == "":
		return reasonNoStop
	}
	return ""
}

// gemini judges generated content: one object, or, for a stream that was not
// asked for as events, the array of its chunks.
func gemini(q Query, r *Result) string {
	if q.Operation != "generate_content" && q.Operation != "stream_generate_content" {
		return reasonUnknown
	}
	g := generated{r: r, finish: make(map[int64]string)}
	if err := Elements(q.Body, func(_ int, value []byte) bool { g.add(value); return true }); err == ErrKind {
		if Members(q.Body, func(_, _ []byte) bool { return true }) != nil {
			return reasonNotJSON
		}
		g.add(q.Body)
	} else if err != nil {
		return reasonNotJSON
	}
	return g.judge(asked(q, "generationConfig", "candidateCount"))
}

// generated adds up the chunks of one answer.
type generated struct {
	r       *Result
	finish  map[int64]string // candidate → finish reason, "" while it has none
	blocked bool
	failed  bool
}

func (g *generated) add(chunk []byte) {
	var m [6][]byte
	_ = pick(chunk, m[:], "responseId", "modelVersion", "candidates", "usageMetadata", "promptFeedback", "error")
	if id := text(m[0], maxName); id != "" {
		g.r.ID = id
	}
	if model := text(m[1], maxName); model != "" {
		g.r.Model = model
	}
	g.r.usage(m[3], "promptTokenCount", "candidatesTokenCount")
	g.failed = g.failed || present(m[5])
	if why := text(Get(m[4], "blockReason"), maxReason); named(why) {
		g.blocked = true
		g.r.finish(why)
	}
	_ = Elements(m[2], func(_ int, value []byte) bool {
		var c [2][]byte
		_ = pick(value, c[:], "index", "finishReason")
		index, _ := Int(c[0]) // absent is 0
		why := text(c[1], maxReason)
		if g.finish[index] == "" {
			g.finish[index] = ""
			if named(why) {
				g.finish[index] = why
				g.r.finish(why)
			}
		}
		return true
	})
}

func (g *generated) judge(want int) string {
	if g.failed {
		return reasonError
	}
	if g.blocked {
		return ""
	}
	for _, why := range g.finish {
		if why == "" {
			return reasonUnfinished
		}
	}
	if len(g.finish) < want {
		return reasonChoices
	}
	return ""
}

// named tells a reason from the zero value of its enumeration.
func named(reason string) bool {
	return reason != "" && reason != "FINISH_REASON_UNSPECIFIED" && reason != "BLOCK_REASON_UNSPECIFIED" &&
		reason != "BLOCKED_REASON_UNSPECIFIED"
}

// ollama judges one object of Ollama's own API; a stream of lines is none.
func ollama(q Query, r *Result) string {
	var m [5][]byte
	if err := pick(q.Body, m[:], "model", "done", "done_reason", "embeddings", "error"); err != nil {
		return reasonNotJSON
	}
	r.Model = text(m[0], maxName)
	r.usage(q.Body, "prompt_eval_count", "eval_count")
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
		if got < inputs(Get(q.Request, "input"), countPrompts) {
			return reasonInputs
		}
		return ""
	}
	return reasonUnknown
}
