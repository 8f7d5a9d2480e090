package identity_test

import (
	"math"
	"net/http"
	"strings"
	"testing"

	"github.com/llmidem/llmidem-go/llmidem/identity"
	"github.com/stretchr/testify/require"
)

func TestRefusalsSayWhere(t *testing.T) {
	for _, c := range []struct {
		body    string
		code    identity.Code
		offset  int64
		pointer string
	}{
		{`{"model":"m","messages":[{"a":1,"secret prompt"}]}`, identity.CodeInvalidJSON, 47, "/messages/0/secret prompt"},
		{`{"model":"m","messages":[{"a":1},{"b/c":[1,tru]}]}`, identity.CodeInvalidJSON, 43, "/messages/1/b~1c/1"},
		{`{"model":"m","messages":["` + "\xff" + `"]}`, identity.CodeInvalidUTF8, 26, "/messages/0"},
		{`{"model":"m","messages":["` + strings.Repeat("é", 50) + "\xff" + `"]}`, identity.CodeInvalidUTF8, 126, "/messages/0"},
		{`{"model":"m","messages":["ab\ud800"]}`, identity.CodeLoneSurrogate, 28, "/messages/0"},
		{`{"model":"m","seed":[1,2,3,4,5,6,7,8,1e999]}`, identity.CodeNumberOverflow, 37, "/seed/8"},
		{`{"model":"m","a":{"b":1,"b":2}}`, identity.CodeDuplicateMember, 28, "/a/b"},
		{`[]`, identity.CodeNotAnObject, 0, ""},
		{`{"model":7}`, identity.CodeNoModel, 9, "/model"},
		{`{"messages":[]}`, identity.CodeNoModel, -1, ""},
		{`{"model":"m"} x`, identity.CodeInvalidJSON, 14, ""},
		{``, identity.CodeInvalidJSON, 0, ""},
		{strings.Repeat(`{"aé":`, 600), identity.CodeTooDeep, 512 * 7, strings.Repeat("/aé", 64) + "…"},
	} {
		_, err := identity.OpenAI().Identify(chatRequest(c.body), identity.Call{})
		var r *identity.Refusal
		require.ErrorAs(t, err, &r, c.body)
		require.Equal(t, c.code, r.Code, c.body)
		require.Equal(t, c.offset, r.Offset, c.body)
		require.Equal(t, c.pointer, r.Pointer, c.body)
		require.Contains(t, err.Error(), string(c.code))
		require.LessOrEqual(t, len(r.Pointer), 260)
	}
}

func TestRefusalsBeforeTheBodyIsRead(t *testing.T) {
	rules := identity.OpenAI()
	for want, c := range map[identity.Code]identity.Call{
		identity.CodeBadExclusion:  {Exclude: []string{"tools.x"}},
		identity.CodeBadOccurrence: {Occurrence: math.MaxInt64 + 1},
		identity.CodeInvalidUTF8:   {User: "\xff"},
	} {
		_, err := rules.Identify(chatRequest(message(`1`)), c)
		var r *identity.Refusal
		require.ErrorAs(t, err, &r)
		require.Equal(t, want, r.Code)
		require.EqualValues(t, -1, r.Offset)
	}
	_, err := rules.Identify(chatRequest(message(`1`)), identity.Call{Occurrence: math.MaxInt64})
	require.NoError(t, err)
	_, err = identity.Function("f\xff", []byte(`1`), identity.Call{})
	require.ErrorContains(t, err, "invalid_utf8")
}

func TestForms(t *testing.T) {
	const field = "Content-Disposition: form-data; name="
	for name, c := range map[string]struct{ body, want string }{
		"usual":             {"--b\r\n" + field + "model\r\n\r\nm\r\n--b--\r\n", "idem_"},
		"preamble, padding": {"hi\r\n--b \t\r\n" + field + "\"model\"\r\n\r\nm\r\n--b--", "idem_"},
		"boundary in text":  {"--b\r\n" + field + "model\r\n\r\nm\r\n--bc\r\n--b--", "idem_"},
		"no end":            {"--b\r\n" + field + "model\r\n\r\nm", "invalid_json"},
		"no boundary":       {"x", "invalid_json"},
		"line feeds only":   {"--b\n" + field + "model\n\nm\n--b--", "invalid_json"},
		"no name":           {"--b\r\nContent-Disposition: form-data\r\n\r\nm\r\n--b--", "invalid_json"},
		"no headers":        {"--b\r\n\r\nm\r\n--b--", "invalid_json"},
		"encoded":           {"--b\r\n" + field + "model\r\nContent-Transfer-Encoding: base64\r\n\r\nbQ==\r\n--b--", "invalid_json"},
		"binary":            {"--b\r\n" + field + "model\r\nContent-Transfer-Encoding: Binary\r\n\r\nm\r\n--b--", "idem_"},
		"two dispositions":  {"--b\r\n" + field + "model\r\n" + field + "model\r\n\r\nm\r\n--b--", "invalid_json"},
		"bad text":          {"--b\r\n" + field + "model\r\n\r\n\xff\r\n--b--", "invalid_utf8"},
		"bad name":          {"--b\r\n" + field + "\"\xff\"\r\n\r\nm\r\n--b--", "invalid_utf8"},
		"no parts":          {"--b--", "idem_"},
		"model twice":       {"--b\r\n" + field + "model\r\n\r\nm\r\n--b\r\n" + field + "model\r\n\r\nm\r\n--b--", "no_model"},
	} {
		req := identity.Request{Path: "/images/variations", Header: http.Header{"Content-Type": {`Multipart/Form-Data; boundary=b`}}, Body: []byte(c.body)}
		require.Contains(t, keyFor(t, identity.OpenAI(), req, identity.Call{}), c.want, name)
	}
	req := identity.Request{Path: "/images/variations", Header: http.Header{"Content-Type": {`multipart/form-data`}}}
	require.Equal(t, "invalid_json", keyFor(t, identity.OpenAI(), req, identity.Call{}))
}
