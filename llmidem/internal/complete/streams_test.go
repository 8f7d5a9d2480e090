package complete

import "strings"

// The streams of the tests, as services send them. Blocks are separated by blank
// lines; what is not in an event line is data.
const (
	chatStream = `
{"id":"chatcmpl-B9","object":"chat.completion.chunk","created":1741569952,"model":"gpt-4.1-2025-04-14","service_tier":"default","system_fingerprint":"fp_1","choices":[{"index":0,"delta":{"role":"assistant","content":"","refusal":null},"logprobs":null,"finish_reason":null}],"usage":null,"obfuscation":"aB3"}

{"id":"chatcmpl-B9","object":"chat.completion.chunk","created":1741569952,"model":"gpt-4.1-2025-04-14","choices":[{"index":0,"delta":{"content":"Caf\u00e9 \"au lait\""},"logprobs":null,"finish_reason":null}],"usage":null,"obfuscation":"q"}

{"id":"chatcmpl-B9","object":"chat.completion.chunk","created":1741569952,"model":"gpt-4.1-2025-04-14","choices":[{"index":0,"delta":{"content":", bitte"},"logprobs":null,"finish_reason":null}],"usage":null,"obfuscation":"zz91"}

{"id":"chatcmpl-B9","object":"chat.completion.chunk","created":1741569952,"model":"gpt-4.1-2025-04-14","choices":[{"index":0,"delta":{},"logprobs":null,"finish_reason":"stop"}],"usage":null,"obfuscation":""}

{"id":"chatcmpl-B9","object":"chat.completion.chunk","created":1741569952,"model":"gpt-4.1-2025-04-14","choices":[],"usage":{"prompt_tokens":19,"completion_tokens":10,"total_tokens":29,"completion_tokens_details":{"reasoning_tokens":0}},"obfuscation":"x"}

[DONE]`

	toolStream = `
{"id":"c","model":"m","choices":[{"index":0,"delta":{"role":"assistant","content":null,"tool_calls":[{"index":0,"id":"call_1","type":"function","function":{"name":"weather","arguments":""}}]},"finish_reason":null}]}

{"id":"c","model":"m","choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"function":{"arguments":"{\"city\":"}}]},"finish_reason":null}]}

{"id":"c","model":"m","choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"function":{"arguments":"\"Kyiv\"}"}}]},"finish_reason":null}]}

{"id":"c","model":"m","choices":[{"index":0,"delta":{"tool_calls":[{"index":1,"id":"call_2","type":"function","function":{"name":"time","arguments":"{}"}}]},"finish_reason":null}]}

{"id":"c","model":"m","choices":[{"index":0,"delta":{},"finish_reason":"tool_calls"}]}

[DONE]`

	twoStream = `
{"id":"c","model":"m","choices":[{"index":1,"delta":{"role":"assistant","content":"bb"},"finish_reason":null}]}

{"id":"c","model":"m","choices":[{"index":0,"delta":{"role":"assistant","content":"aa"},"finish_reason":null},{"index":1,"delta":{"content":"B"},"finish_reason":null}]}

{"id":"c","model":"m","choices":[{"index":1,"delta":{},"finish_reason":"length"}]}

{"id":"c","model":"m","choices":[{"index":0,"delta":{"content":"A"},"finish_reason":"stop"}]}

[DONE]`

	reasoningStream = `
{"id":"","model":"","choices":[],"prompt_filter_results":[{"prompt_index":0}]}

{"id":"d","model":"deepseek-reasoner","choices":[{"index":0,"delta":{"role":"assistant","content":null,"reasoning_content":"Hm"},"finish_reason":null}]}

{"id":"d","model":"deepseek-reasoner","choices":[{"index":0,"delta":{"content":null,"reasoning_content":"mm."},"finish_reason":null}]}

{"id":"d","model":"deepseek-reasoner","choices":[{"index":0,"delta":{"content":"42","reasoning_content":null},"finish_reason":null}]}

{"id":"d","model":"deepseek-reasoner","choices":[{"index":0,"delta":{"content":""},"finish_reason":"stop"}],"usage":{"prompt_tokens":5,"completion_tokens":7,"total_tokens":12}}

[DONE]`

	textStream = `
{"id":"cmpl-1","object":"text_completion","created":1,"model":"gpt-3.5-turbo-instruct","choices":[{"text":"One","index":0,"logprobs":null,"finish_reason":null}]}

{"id":"cmpl-1","object":"text_completion","created":1,"model":"gpt-3.5-turbo-instruct","choices":[{"text":"Two","index":1,"logprobs":null,"finish_reason":null}]}

{"id":"cmpl-1","object":"text_completion","created":1,"model":"gpt-3.5-turbo-instruct","choices":[{"text":"","index":1,"logprobs":null,"finish_reason":"stop"}]}

{"id":"cmpl-1","object":"text_completion","created":1,"model":"gpt-3.5-turbo-instruct","choices":[{"text":"!","index":0,"logprobs":null,"finish_reason":"length"}]}

[DONE]`

	responsesBegin = `
event: response.created
{"type":"response.created","sequence_number":0,"response":{"id":"resp_1","object":"response","status":"in_progress","error":null,"incomplete_details":null,"model":"gpt-5-2025-08-07","output":[],"usage":null}}

event: response.in_progress
{"type":"response.in_progress","sequence_number":1,"response":{"id":"resp_1","status":"in_progress","error":null,"model":"gpt-5-2025-08-07"}}

event: response.output_item.added
{"type":"response.output_item.added","sequence_number":2,"output_index":0,"item":{"id":"msg_1","type":"message","status":"in_progress","content":[],"role":"assistant"}}

event: response.content_part.added
{"type":"response.content_part.added","sequence_number":3,"item_id":"msg_1","output_index":0,"content_index":0,"part":{"type":"output_text","annotations":[],"text":""}}

event: response.output_text.delta
{"type":"response.output_text.delta","sequence_number":4,"item_id":"msg_1","output_index":0,"content_index":0,"delta":"Hel","logprobs":[],"obfuscation":"Rk2"}

event: response.output_text.delta
{"type":"response.output_text.delta","sequence_number":5,"item_id":"msg_1","output_index":0,"content_index":0,"delta":"lo","logprobs":[],"obfuscation":"0a"}

event: response.output_text.done
{"type":"response.output_text.done","sequence_number":6,"item_id":"msg_1","output_index":0,"content_index":0,"text":"Hello"}

event: response.output_item.done
{"type":"response.output_item.done","sequence_number":7,"output_index":0,"item":{"id":"msg_1","type":"message","status":"completed","content":[{"type":"output_text","text":"Hello"}]}}

`
	responsesStream = responsesBegin + `
event: response.completed
{"type":"response.completed","sequence_number":8,"response":{"id":"resp_1","status":"completed","error":null,"incomplete_details":null,"model":"gpt-5-2025-08-07","output":[{"type":"message","content":[{"type":"output_text","text":"Hello"}]}],"usage":{"input_tokens":36,"output_tokens":87,"output_tokens_details":{"reasoning_tokens":64},"total_tokens":123}}}`

	responsesCall = `
{"type":"response.created","response":{"id":"resp_2","status":"queued","model":"gpt-5"}}

{"type":"response.queued","response":{"id":"resp_2","status":"queued","model":"gpt-5"}}

{"type":"keepalive","sequence_number":1}

{"type":"response.output_item.added","output_index":0,"item":{"type":"function_call","id":"fc_1","call_id":"call_1","name":"weather","arguments":""}}

{"type":"response.function_call_arguments.delta","item_id":"fc_1","output_index":0,"delta":"{\"city\""}

{"type":"response.function_call_arguments.delta","item_id":"fc_1","output_index":0,"delta":":\"Kyiv\"}"}

{"type":"response.function_call_arguments.done","item_id":"fc_1","output_index":0,"arguments":"{\"city\":\"Kyiv\"}"}

{"type":"response.incomplete","response":{"id":"resp_2","status":"incomplete","incomplete_details":{"reason":"max_output_tokens"},"model":"gpt-5","usage":{"input_tokens":3,"output_tokens":4}}}`

	anthropicStream = `
event: message_start
{"type":"message_start","message":{"id":"msg_01","type":"message","role":"assistant","model":"claude-sonnet-4-20250514","content":[],"stop_reason":null,"stop_sequence":null,"usage":{"input_tokens":25,"cache_creation_input_tokens":0,"cache_read_input_tokens":100,"output_tokens":1}}}

event: content_block_start
{"type":"content_block_start","index":0,"content_block":{"type":"thinking","thinking":"","signature":""}}

event: ping
{"type": "ping"}

event: content_block_delta
{"type":"content_block_delta","index":0,"delta":{"type":"thinking_delta","thinking":"Let me see"}}

event: content_block_delta
{"type":"content_block_delta","index":0,"delta":{"type":"signature_delta","signature":"EqQBCgIYAhIM"}}

event: content_block_stop
{"type":"content_block_stop","index":0}

event: content_block_start
{"type":"content_block_start","index":1,"content_block":{"type":"text","text":""}}

event: content_block_delta
{"type":"content_block_delta","index":1,"delta":{"type":"text_delta","text":"Okay"}}

event: content_block_stop
{"type":"content_block_stop","index":1}

event: content_block_start
{"type":"content_block_start","index":2,"content_block":{"type":"tool_use","id":"toolu_1","name":"weather","input":{}}}

event: content_block_delta
{"type":"content_block_delta","index":2,"delta":{"type":"input_json_delta","partial_json":"{\"city\":"}}

event: content_block_delta
{"type":"content_block_delta","index":2,"delta":{"type":"input_json_delta","partial_json":"\"Kyiv\"}"}}

event: content_block_stop
{"type":"content_block_stop","index":2}

event: message_delta
{"type":"message_delta","delta":{"stop_reason":"tool_use","stop_sequence":null},"usage":{"output_tokens":89}}

event: message_stop
{"type":"message_stop"}`

	geminiStream = `
{"candidates":[{"content":{"parts":[{"text":"Thinking","thought":true}],"role":"model"},"index":0}],"usageMetadata":{"promptTokenCount":10,"totalTokenCount":10},"modelVersion":"gemini-2.5-pro","responseId":"r1"}

{"candidates":[{"content":{"parts":[{"text":"Hello"}],"role":"model"},"index":0}],"usageMetadata":{"promptTokenCount":10,"candidatesTokenCount":2,"thoughtsTokenCount":30},"modelVersion":"gemini-2.5-pro","responseId":"r1"}

{"candidates":[{"content":{"parts":[{"text":" there"},{"functionCall":{"name":"f","args":{"a":1}}}],"role":"model"},"finishReason":"STOP","index":0}],"usageMetadata":{"promptTokenCount":10,"candidatesTokenCount":4,"thoughtsTokenCount":30},"modelVersion":"gemini-2.5-pro","responseId":"r1"}`

	ollamaChatStream = `
{"model":"llama3.2","created_at":"2025-07-08T14:11:04Z","message":{"role":"assistant","content":"","thinking":"Hm"},"done":false}

{"model":"llama3.2","created_at":"2025-07-08T14:11:05Z","message":{"role":"assistant","content":"The"},"done":false}

{"model":"llama3.2","created_at":"2025-07-08T14:11:06Z","message":{"role":"assistant","content":" sky"},"done":false}

{"model":"llama3.2","created_at":"2025-07-08T14:11:07Z","message":{"role":"assistant","content":""},"done":true,"done_reason":"stop","total_duration":4883583458,"prompt_eval_count":26,"eval_count":282}`

	ollamaTextStream = `
{"model":"llama3.2","response":"The","done":false}

{"model":"llama3.2","response":"","done":true,"done_reason":"length","context":[1,2],"prompt_eval_count":1,"eval_count":2}`
)

// event is one event of a stream.
type event struct{ name, data string }

// eventsOf takes a stream of the tests apart.
func eventsOf(stream string) (out []event) {
	for block := range strings.SplitSeq(stream, "\n\n") {
		block = strings.TrimSpace(block)
		if block == "" {
			continue
		}
		var e event
		if rest, ok := strings.CutPrefix(block, "event: "); ok {
			e.name, block, _ = strings.Cut(rest, "\n")
		}
		e.data = block
		out = append(out, e)
	}
	return out
}
