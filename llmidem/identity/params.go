package identity

import "slices"

// The members that a request body may have beside model, prompt and user, by
// operation: what [Rules.Params] is set to by the constructors. Each list was read
// from the provider's API reference in November 2026; a member that came later is
// refused by whoever asks for strictness, until somebody has decided what it means.

// openAIParams: platform.openai.com/docs/api-reference, the page of each operation.
func openAIParams() map[string][]string {
	return map[string][]string{
		"chat": {"audio", "frequency_penalty", "function_call", "functions", "logit_bias", "logprobs",
			"max_completion_tokens", "max_tokens", "metadata", "modalities", "n", "parallel_tool_calls", "prediction",
			"presence_penalty", "prompt_cache_key", "prompt_cache_retention", "reasoning_effort", "response_format",
			"safety_identifier", "seed", "service_tier", "stop", "store", "stream", "stream_options", "temperature",
			"tool_choice", "tools", "top_logprobs", "top_p", "user", "verbosity", "web_search_options"},
		"text_completion": {"best_of", "echo", "frequency_penalty", "logit_bias", "logprobs", "max_tokens", "n",
			"presence_penalty", "seed", "stop", "stream", "stream_options", "temperature", "top_p", "user"},
		"responses": {"background", "conversation", "include", "max_output_tokens", "max_tool_calls", "metadata",
			"parallel_tool_calls", "previous_response_id", "prompt_cache_key", "prompt_cache_retention", "reasoning",
			"safety_identifier", "service_tier", "store", "stream", "stream_options", "temperature", "text",
			"tool_choice", "tools", "top_logprobs", "top_p", "truncation", "user"},
		"embeddings":  {"dimensions", "encoding_format", "user"},
		"moderations": {},
		"images.generations": {"background", "moderation", "n", "output_compression", "output_format", "partial_images",
			"quality", "response_format", "size", "stream", "style", "user"},
		"images.edits": {"background", "input_fidelity", "n", "output_compression", "output_format", "partial_images",
			"quality", "response_format", "size", "stream", "user"},
		"images.variations": {"n", "response_format", "size", "user"},
		"audio.speech":      {"response_format", "speed", "stream_format", "voice"},
		"audio.transcriptions": {"chunking_strategy", "include", "known_speaker_names", "known_speaker_references",
			"language", "response_format", "stream", "temperature", "timestamp_granularities"},
		"audio.translations": {"response_format", "temperature"},
	}
}

// anthropicParams: docs.anthropic.com/en/api/messages.
func anthropicParams() map[string][]string {
	return map[string][]string{
		"messages": {"container", "context_management", "max_tokens", "mcp_servers", "metadata", "output_config",
			"service_tier", "stop_sequences", "stream", "temperature", "thinking", "tool_choice", "tools", "top_k", "top_p"},
	}
}

// geminiParams: ai.google.dev/api/generate-content.
func geminiParams() map[string][]string {
	members := []string{"cachedContent", "cached_content", "generationConfig", "generation_config",
		"safetySettings", "safety_settings", "toolConfig", "tool_config", "tools"}
	return map[string][]string{"generate_content": members, "stream_generate_content": slices.Clone(members)}
}

// ollamaParams: github.com/ollama/ollama/blob/main/docs/api.md.
func ollamaParams() map[string][]string {
	return map[string][]string{
		"ollama.chat":     {"format", "keep_alive", "logprobs", "options", "stream", "think", "tools", "top_logprobs"},
		"ollama.generate": {"context", "format", "keep_alive", "logprobs", "options", "raw", "stream", "template", "think", "top_logprobs"},
		"ollama.embed":    {"dimensions", "keep_alive", "options", "truncate"},
	}
}
