package semconv_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"slices"
	"strconv"
	"strings"
	"testing"

	"go.opentelemetry.io/otel/attribute"
	genai "go.opentelemetry.io/otel/semconv/v1.41.0"
	"go.opentelemetry.io/otel/semconv/v1.41.0/genaiconv"
	web "go.opentelemetry.io/otel/semconv/v1.43.0"

	"github.com/llmidem/llmidem-go/llmidem/internal/semconv"
)

// conventional pairs each name of ours that is the convention's with theirs.
var conventional = []struct{ ours, theirs attribute.Key }{
	{semconv.GenAIOperationName, genai.GenAIOperationNameKey},
	{semconv.GenAIProviderName, genai.GenAIProviderNameKey},
	{semconv.GenAIRequestModel, genai.GenAIRequestModelKey},
	{semconv.GenAIRequestStream, genai.GenAIRequestStreamKey},
	{semconv.GenAIRequestChoiceCount, genai.GenAIRequestChoiceCountKey},
	{semconv.GenAIRequestEncodingFormats, genai.GenAIRequestEncodingFormatsKey},
	{semconv.GenAIRequestFrequencyPenalty, genai.GenAIRequestFrequencyPenaltyKey},
	{semconv.GenAIRequestMaxTokens, genai.GenAIRequestMaxTokensKey},
	{semconv.GenAIRequestPresencePenalty, genai.GenAIRequestPresencePenaltyKey},
	{semconv.GenAIRequestSeed, genai.GenAIRequestSeedKey},
	{semconv.GenAIRequestStopSequences, genai.GenAIRequestStopSequencesKey},
	{semconv.GenAIRequestTemperature, genai.GenAIRequestTemperatureKey},
	{semconv.GenAIRequestTopK, genai.GenAIRequestTopKKey},
	{semconv.GenAIRequestTopP, genai.GenAIRequestTopPKey},
	{semconv.GenAIEmbeddingsDimensions, genai.GenAIEmbeddingsDimensionCountKey},
	{semconv.GenAIOutputType, genai.GenAIOutputTypeKey},
	{semconv.GenAIToolName, genai.GenAIToolNameKey},
	{semconv.GenAIResponseID, genai.GenAIResponseIDKey},
	{semconv.GenAIResponseModel, genai.GenAIResponseModelKey},
	{semconv.GenAIResponseFinishReasons, genai.GenAIResponseFinishReasonsKey},
	{semconv.GenAIResponseTimeToFirstChunk, genai.GenAIResponseTimeToFirstChunkKey},
	{semconv.GenAIUsageInputTokens, genai.GenAIUsageInputTokensKey},
	{semconv.GenAIUsageOutputTokens, genai.GenAIUsageOutputTokensKey},
	{semconv.GenAIInputMessages, genai.GenAIInputMessagesKey},
	{semconv.GenAIOutputMessages, genai.GenAIOutputMessagesKey},
	{semconv.GenAISystemInstructions, genai.GenAISystemInstructionsKey},
	{semconv.GenAITokenType, genai.GenAITokenTypeKey},
	{semconv.ServerAddress, web.ServerAddressKey},
	{semconv.ServerPort, web.ServerPortKey},
	{semconv.ErrorType, web.ErrorTypeKey},
	{semconv.HTTPRequestMethod, web.HTTPRequestMethodKey},
	{semconv.URLFull, web.URLFullKey},
	{semconv.HTTPResponseStatusCode, web.HTTPResponseStatusCodeKey},
	{semconv.HTTPRequestResendCount, web.HTTPRequestResendCountKey},
	{semconv.HTTPRequestIdempotencyKey, web.HTTPRequestHeader("idempotency-key").Key},
	{semconv.HTTPResponseIdempotentReplayed, web.HTTPResponseHeader("idempotent-replayed").Key},
}

func TestAttributes_AreTheConventions(t *testing.T) {
	compared := map[string]bool{}
	for _, p := range conventional {
		compared[string(p.ours)] = true
		if p.ours != p.theirs {
			t.Errorf("%q, the convention says %q", p.ours, p.theirs)
		}
	}
	for _, name := range attributes(t) {
		if !compared[name] && !strings.HasPrefix(name, "llmidem.") {
			t.Errorf("%q is neither ours nor compared with the convention", name)
		}
	}
}

// attributes are the values of all constants in attribute.go.
func attributes(t *testing.T) []string {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), "attribute.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	ast.Inspect(file, func(n ast.Node) bool {
		call, ok := n.(*ast.CallExpr)
		if !ok {
			return true
		}
		lit, ok := call.Args[0].(*ast.BasicLit)
		if !ok {
			t.Fatal("an attribute that is no literal")
		}
		name, _ := strconv.Unquote(lit.Value)
		if slices.Contains(names, name) {
			t.Errorf("%q stands there twice", name)
		}
		names = append(names, name)
		return true
	})
	if len(names) < 40 {
		t.Fatalf("found %d attributes", len(names))
	}
	return names
}

func TestMetrics_AreTheConventions(t *testing.T) {
	for _, m := range []struct{ ours, theirs, unit, theirUnit string }{
		{semconv.GenAIClientOperationDuration, genaiconv.ClientOperationDuration{}.Name(), semconv.UnitSeconds, genaiconv.ClientOperationDuration{}.Unit()},
		{semconv.GenAIClientTokenUsage, genaiconv.ClientTokenUsage{}.Name(), semconv.UnitTokens, genaiconv.ClientTokenUsage{}.Unit()},
		{semconv.GenAIClientTimeToFirstChunk, genaiconv.ClientOperationTimeToFirstChunk{}.Name(), semconv.UnitSeconds, genaiconv.ClientOperationTimeToFirstChunk{}.Unit()},
		{semconv.GenAIClientTimePerOutputChunk, genaiconv.ClientOperationTimePerOutputChunk{}.Name(), semconv.UnitSeconds, genaiconv.ClientOperationTimePerOutputChunk{}.Unit()},
	} {
		if m.ours != m.theirs || m.unit != m.theirUnit {
			t.Errorf("%s (%s), the convention says %s (%s)", m.ours, m.unit, m.theirs, m.theirUnit)
		}
	}
}

func TestValues_AreTheConventions(t *testing.T) {
	for ours, theirs := range map[string]attribute.KeyValue{
		semconv.OperationChat:            genai.GenAIOperationNameChat,
		semconv.OperationTextCompletion:  genai.GenAIOperationNameTextCompletion,
		semconv.OperationEmbeddings:      genai.GenAIOperationNameEmbeddings,
		semconv.OperationGenerateContent: genai.GenAIOperationNameGenerateContent,
		semconv.OperationExecuteTool:     genai.GenAIOperationNameExecuteTool,
		semconv.TokenTypeInput:           genai.GenAITokenTypeInput,
		semconv.TokenTypeOutput:          genai.GenAITokenTypeOutput,
		semconv.ErrorOther:               web.ErrorTypeOther,
		semconv.SpanAttempt:              web.HTTPRequestMethodPost,
	} {
		if ours != theirs.Value.AsString() {
			t.Errorf("%q, the convention says %q", ours, theirs.Value.AsString())
		}
	}
}

func TestOperation(t *testing.T) {
	for in, want := range map[string]string{
		"chat": "chat", "responses": "chat", "messages": "chat", "ollama.chat": "chat",
		"text_completion": "text_completion", "ollama.generate": "text_completion",
		"embeddings": "embeddings", "ollama.embed": "embeddings",
		"generate_content": "generate_content", "stream_generate_content": "generate_content",
		"do:charge": "execute_tool", "moderations": "moderations", "images.edits": "images.edits", "audio.speech": "audio.speech", "": "", "do": "do",
	} {
		if got := semconv.Operation(in); got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
}

func TestSpanCall(t *testing.T) {
	if got := semconv.SpanCall("chat", "gpt-4o-mini"); got != "chat gpt-4o-mini" {
		t.Error(got)
	}
	if got := semconv.SpanCall("execute_tool", ""); got != "execute_tool" {
		t.Error(got)
	}
}

func TestBuckets(t *testing.T) {
	for _, c := range []struct {
		got         []float64
		first, last float64
	}{{semconv.DurationBuckets(), 0.01, 81.92}, {semconv.TokenBuckets(), 1, 67108864}} {
		if len(c.got) != 14 || c.got[0] != c.first || c.got[13] != c.last {
			t.Errorf("%v, want 14 from %v to %v", c.got, c.first, c.last)
		}
	}
	semconv.TokenBuckets()[0] = 5
	if semconv.TokenBuckets()[0] != 1 {
		t.Error("who changes the list he got changes everybody's")
	}
}
