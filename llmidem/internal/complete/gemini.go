package complete

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
	g.r.usage(m[3], []string{"promptTokenCount", "toolUsePromptTokenCount"}, []string{"candidatesTokenCount", "thoughtsTokenCount"})
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
