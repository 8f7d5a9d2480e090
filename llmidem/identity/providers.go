package identity

// defaultExclude are the top-level members that say how a call is delivered and
// not what is asked (SPEC.md, section 2).
var defaultExclude = [...]string{"timestamp", "trace_id", "request_id", "retry_count"}

func defaultExclusions() []string { return append([]string(nil), defaultExclude[:]...) }

// OpenAI returns the rules of the OpenAI API and of all services that speak it.
// Each call returns a fresh copy that the caller owns.
func OpenAI() *Rules {
	return &Rules{
		Name: "openai",
		Routes: []Route{
			{Suffix: "/chat/completions", Operation: "chat", Prompt: []string{"messages"}},
			{Suffix: "/completions", Operation: "text_completion", Prompt: []string{"prompt", "suffix"}},
			{Suffix: "/embeddings", Operation: "embeddings", Prompt: []string{"input"}},
			{Suffix: "/responses", Operation: "responses", Prompt: []string{"input", "instructions", "prompt"}, Modelless: true},
			{Suffix: "/moderations", Operation: "moderations", Prompt: []string{"input"}, Modelless: true},
			{Suffix: "/images/generations", Operation: "images.generations", Prompt: []string{"prompt"}, Modelless: true},
			{Suffix: "/images/edits", Operation: "images.edits", Prompt: []string{"prompt"}, Modelless: true},
			{Suffix: "/images/variations", Operation: "images.variations", Modelless: true},
			{Suffix: "/audio/speech", Operation: "audio.speech", Prompt: []string{"input", "instructions"}},
			{Suffix: "/audio/transcriptions", Operation: "audio.transcriptions", Prompt: []string{"prompt"}},
			{Suffix: "/audio/translations", Operation: "audio.translations", Prompt: []string{"prompt"}},
		},
		UserFields: []string{"user", "safety_identifier"},
		Base64:     []Place{{Parent: "input_audio", Member: "data"}, {Parent: "*", Member: "file_data"}},
		Headers:    []string{"openai-beta", "openai-organization", "openai-project"},
		Exclude:    defaultExclusions(),
		Params:     openAIParams(),
	}
}

// Anthropic returns the rules of Anthropic's Messages API.
// Each call returns a fresh copy that the caller owns.
func Anthropic() *Rules {
	return &Rules{
		Name: "anthropic",
		Routes: []Route{
			{Suffix: "/messages", Operation: "messages", Prompt: []string{"messages", "system"}},
		},
		UserFields: []string{"metadata.user_id"},
		Base64:     []Place{{Parent: "source", Member: "data"}},
		Headers:    []string{"anthropic-beta", "anthropic-user-profile-id", "anthropic-version", "anthropic-workspace-id"},
		Exclude:    defaultExclusions(),
		Params:     anthropicParams(),
	}
}

// Gemini returns the rules of Google's Gemini API, direct and through Vertex AI.
// Each call returns a fresh copy that the caller owns.
func Gemini() *Rules {
	prompt := func() []string { return []string{"contents", "systemInstruction", "system_instruction"} }
	return &Rules{
		Name: "gemini",
		Routes: []Route{
			{Suffix: ":generateContent", Operation: "generate_content", Prompt: prompt()},
			{Suffix: ":streamGenerateContent", Operation: "stream_generate_content", Prompt: prompt()},
		},
		Base64:    []Place{{Parent: "inline_data", Member: "data"}, {Parent: "inlineData", Member: "data"}},
		Headers:   []string{"x-goog-user-project"},
		Exclude:   defaultExclusions(),
		Params:    geminiParams(),
		PathModel: true,
	}
}

// Ollama returns the rules of Ollama's own API; its OpenAI-compatible one is [OpenAI]'s.
// Each call returns a fresh copy that the caller owns.
func Ollama() *Rules {
	return &Rules{
		Name: "ollama",
		Routes: []Route{
			{Suffix: "/api/chat", Operation: "ollama.chat", Prompt: []string{"messages"}},
			{Suffix: "/api/generate", Operation: "ollama.generate", Prompt: []string{"prompt", "suffix", "system", "images"}},
			{Suffix: "/api/embed", Operation: "ollama.embed", Prompt: []string{"input"}},
		},
		Base64:  []Place{{Parent: "images", Member: "[]"}},
		Exclude: defaultExclusions(),
		Params:  ollamaParams(),
	}
}
