package complete

// choices judges a chat or text completion: every choice has a finish reason, and
// of the n × prompts that were asked for, none is missing. content is the member
// that has the choice's text.
func choices(q Query, r *Result, content string, prompts int) string {
	var m [5][]byte
	if err := pick(q.Body, m[:], "id", "model", "choices", "usage", "error"); err != nil {
		return reasonNotJSON
	}
	r.ID, r.Model = text(m[0], maxName), text(m[1], maxName)
	r.promptUsage(m[3])
	if present(m[4]) {
		return reasonError
	}
	return finished(m[2], r, content, uint64(asked(q, "n"))*uint64(prompts))
}

// finished looks at the choices one by one. It counts an index once: a choice
// sent twice does not stand for one that is missing.
func finished(list []byte, r *Result, content string, want uint64) string {
	if want > uint64(len(list)) {
		return reasonChoices // not even a byte for each; this bounds what is allocated
	}
	seen := make([]uint64, (want+63)/64)
	distinct, reason := uint64(0), ""
	_ = Elements(list, func(_ int, value []byte) bool { // valid: part of a body that was
		var c [5][]byte
		_ = pick(value, c[:], "index", "finish_reason", "error", "delta", content)
		why := text(c[1], maxReason)
		r.finish(why)
		switch {
		case present(c[2]) || why == "error":
			reason = reasonError // a gateway's word for an upstream that broke off
		case reason != "":
		case why == "":
			reason = reasonUnfinished
		case present(c[3]) && c[4] == nil:
			reason = reasonChunk
		}
		index, _ := Int(c[0]) // absent is 0
		if i := uint64(index); i < want && seen[i/64]>>(i%64)&1 == 0 {
			seen[i/64] |= 1 << (i % 64)
			distinct++
		}
		return true
	})
	if reason == "" && distinct < want {
		return reasonChoices
	}
	return reason
}

// responses judges an object of the Responses API by its status.
func responses(q Query, r *Result) string {
	var m [6][]byte
	if err := pick(q.Body, m[:], "id", "model", "status", "usage", "error", "incomplete_details"); err != nil {
		return reasonNotJSON
	}
	r.ID, r.Model = text(m[0], maxName), text(m[1], maxName)
	r.inputUsage(m[3])
	status := text(m[2], maxReason)
	switch status {
	case "failed", "cancelled":
		r.finish(status)
		return reasonFailed // its error member says why, and is no doubt about that
	case "completed", "incomplete":
		if present(m[4]) {
			return reasonError
		}
		if why := text(Get(m[5], "reason"), maxReason); why != "" {
			status = why
		}
		r.finish(status)
		return ""
	case "queued", "in_progress":
		return reasonRunning
	}
	if present(m[4]) {
		return reasonError
	}
	return reasonNoStatus
}

// embeddings judges a list of embeddings: one with something in it for each input.
func embeddings(q Query, r *Result) string {
	return results(q, r, "data", "embedding")
}

// moderations judges a list of moderation results.
func moderations(q Query, r *Result) string {
	return results(q, r, "results", "")
}

// results counts the entries of a list against the request's inputs. An entry
// counts if it is an object and its member of that name, if one is named, is
// neither absent nor empty.
func results(q Query, r *Result, list, member string) string {
	var m [5][]byte
	if err := pick(q.Body, m[:], "id", "model", list, "usage", "error"); err != nil {
		return reasonNotJSON
	}
	r.ID, r.Model = text(m[0], maxName), text(m[1], maxName)
	r.promptUsage(m[3])
	if present(m[4]) {
		return reasonError
	}
	want, got := q.inputs(), 0
	_ = Elements(m[2], func(_ int, value []byte) bool {
		if KindOf(value) == KindObject && (member == "" || filled(Get(value, member))) {
			got++
		}
		return true
	})
	if got < want {
		return reasonInputs
	}
	return ""
}
