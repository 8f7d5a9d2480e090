package semconv

import "strings"

// The operation names of the convention, the values of [GenAIOperationName].
const (
	OperationChat            = "chat"
	OperationTextCompletion  = "text_completion"
	OperationEmbeddings      = "embeddings"
	OperationGenerateContent = "generate_content"
	OperationExecuteTool     = "execute_tool"
)

// Operation returns the convention's name for an operation of package identity.
// What the convention has no name for keeps its own.
func Operation(identityOperation string) string {
	switch identityOperation {
	case "responses", "messages", "ollama.chat":
		return OperationChat
	case "ollama.generate":
		return OperationTextCompletion
	case "ollama.embed":
		return OperationEmbeddings
	case "stream_generate_content":
		return OperationGenerateContent
	}
	if strings.HasPrefix(identityOperation, "do:") {
		return OperationExecuteTool
	}
	return identityOperation
}
