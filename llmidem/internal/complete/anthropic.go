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
	r.usage(m[4], []string{"input_tokens", "cache_creation_input_tokens", "cache_read_input_tokens"}, []string{"output_tokens"})
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
