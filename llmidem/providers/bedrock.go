package providers

import (
	"fmt"
	"net/http"
	"regexp"
	"strings"

	"github.com/llmidem/llmidem-go/llmidem"
	"github.com/llmidem/llmidem-go/llmidem/identity"
	"github.com/llmidem/llmidem-go/llmidem/internal/fold"
)

// tokenPattern is what CreateModelInvocationJob takes as clientRequestToken.
// StartAsyncInvoke takes more: 1 to 256 printable ASCII characters.
const tokenPattern = `[a-zA-Z0-9]{1,256}(-*[a-zA-Z0-9]){0,256}`

// maxToken is its length in bytes, of both.
const maxToken = 256

var token = regexp.MustCompile(`^(?:` + tokenPattern + `)$`)

// Bedrock is Amazon Bedrock: its asynchronous operations, whose requests have an
// idempotency token, and its OpenAI-compatible routes.
//
// CreateModelInvocationJob and StartAsyncInvoke take a clientRequestToken in the
// body, under which a repeated request starts nothing; that of the former is ignored
// without an error. How long a token is remembered is not documented. It has to be
// there before the SDK signs the request, so no transport can add it: make the call
// in [llmidem.Do] and give its key to the input, by [BedrockToken]. Left empty, the
// SDK draws a random token for every call, and a program that is started again pays
// again. Keys of the default scheme have an underscore, which the pattern refuses;
// [llmidem.New] says so, and wants llmidem.WithScheme(identity.UUID5(namespace)).
// Who uses the OpenAI-compatible routes alone may clear Keys. Do knows no
// credentials: for several AWS accounts on one store name the tenant
// ([llmidem.WithTenant]).
//
// The OpenAI-compatible routes (bedrock-runtime and bedrock-mantle) are calls like
// OpenAI's, and ignore keys: the reference names none. Below /anthropic
// bedrock-mantle speaks Anthropic's API, for which [Detect] gives the rules. The
// account is the Bedrock API key in Authorization or X-Api-Key, or of a signed
// request the access key id: the signature changes with every request. Whoever
// forwards requests of others must have verified them, since a recorded answer is
// given out without asking AWS. Session credentials rotate: name the tenant then.
// InvokeModel and Converse are not identified and pass untouched; they have no token.
//
// Sources, read 2026-11:
// docs.aws.amazon.com/bedrock/latest/APIReference/API_CreateModelInvocationJob.html,
// docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_StartAsyncInvoke.html,
// github.com/aws/aws-sdk-go-v2/blob/main/service/bedrock/api_op_CreateModelInvocationJob.go
// (the SDK's own token),
// docs.aws.amazon.com/bedrock/latest/userguide/inference-responses-api.html and
// portkey.ai/docs/integrations/llms/bedrock-mantle (routes),
// docs.aws.amazon.com/bedrock/latest/userguide/troubleshooting-api-error-codes.html.
func Bedrock() llmidem.Provider {
	return llmidem.Provider{
		Name:    "aws.bedrock",
		Rules:   identity.OpenAI(),
		Dialect: "openai",
		Keys:    llmidem.Keys{MaxLen: maxToken, Pattern: tokenPattern},
		Account: awsAccount,
		Errors: llmidem.ErrorCodes{
			Quota:      []string{"ServiceQuotaExceededException"},
			Overload:   []string{"ServiceUnavailableException", "ModelNotReadyException"},
			InProgress: []string{}, // not documented
			TooLarge:   []string{}, // not documented
			Filtered:   []string{}, // not documented
		},
	}
}

// BedrockToken is a key as the clientRequestToken of CreateModelInvocationJob and
// StartAsyncInvoke. The error is about a key that they do not take: one of a scheme
// other than UUIDv5, or a caller's own with other characters.
func BedrockToken(key identity.Key) (string, error) {
	text := key.String()
	if len(text) > maxToken || !token.MatchString(text) {
		return "", fmt.Errorf("providers: Bedrock takes no such key as clientRequestToken: "+
			"letters, digits and inner hyphens only, at most %d; use llmidem.WithScheme(identity.UUID5(namespace))", maxToken)
	}
	return text, nil
}

// awsAccount is the access key of a signed request, else the whole header.
func awsAccount(req *http.Request) string {
	var b strings.Builder
	b.WriteString(header("X-Api-Key")(req)) // of Anthropic's SDKs
	for _, v := range fold.Values(req.Header, "Authorization") {
		if id, ok := accessKey(v); ok {
			add(&b, "aws", id)
		} else {
			add(&b, "Authorization", v)
		}
	}
	if req.URL != nil && strings.Contains(req.URL.RawQuery, "X-Amz-Credential") {
		if id, _, _ := strings.Cut(req.URL.Query().Get("X-Amz-Credential"), "/"); id != "" {
			add(&b, "aws", id)
		}
	}
	return b.String()
}

// accessKey reads the access key id out of the Authorization header of Signature
// Version 4: AWS4-HMAC-SHA256 Credential=ID/date/region/service/aws4_request, ….
func accessKey(header string) (string, bool) {
	rest, ok := strings.CutPrefix(header, "AWS4-")
	if !ok {
		return "", false
	}
	_, rest, ok = strings.Cut(rest, "Credential=")
	if !ok {
		return "", false
	}
	id, _, ok := strings.Cut(rest, "/")
	return id, ok && id != ""
}
