package main

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// hostile are names that a form's headers have to carry in another form than they are.
var hostileNames = []string{
	"", " a ", `a"b`, `a\b`, `a\\"b`, `\`, `"`, "a\r\nb", "\n", "\r", "\r\n--", "é", "😀", "a;b=c", "a'b", "%22", "utf-8''x", "a/b~c", "\x00\x7f", "; filename=\"x\"",
}

// quoted writes a text as JSON.
func quoted(t testing.TB, s string) string {
	b, err := json.Marshal(s)
	require.NoError(t, err)
	return string(b)
}

// formDocument returns the document of a form beside a part that names the model.
func formDocument(t testing.TB, parts string) (d struct {
	Params      map[string]any
	Attachments []map[string]any
}) {
	r := llmidem(`{"profile":"openai","route":"/v1/images/edits","body":[{"name":"model","text":"m"},`+parts+`]}`, "key", "--calls")
	require.Equal(t, 0, r.status, r.err)
	a := answers(t, r)[0]
	require.Empty(t, a.Refused, parts)
	require.NoError(t, json.Unmarshal([]byte(a.Canonical), &d))
	return d
}

func TestFormNamesAndTextsArriveAsTheyAre(t *testing.T) {
	for _, name := range hostileNames {
		for _, text := range []string{"", "\r\n", "--", "\r\n--x--\r\n", "é\x00", name} {
			d := formDocument(t, fmt.Sprintf(`{"name":%s,"text":%s}`, quoted(t, name), quoted(t, text)))
			require.Equal(t, map[string]any{name: text}, d.Params)
		}
	}
}

func TestFormFilesArriveAsTheyAre(t *testing.T) {
	pointer := strings.NewReplacer("~", "~0", "/", "~1")
	for _, name := range hostileNames {
		d := formDocument(t, fmt.Sprintf(`{"name":%s,"filename":"a.PNG","base64":"DQotLQ==","type":"é;\"x"}`, quoted(t, name)))
		require.Equal(t, map[string]any{name + "@0": "png"}, d.Params)
		require.Equal(t, []map[string]any{{
			"digest": "sha256:a037601762b04773a79020244139e836ed4edd25a5e9d142bd208aed00b390df", "encoding": "multipart", "media_type": `é;"x`,
			"pointer": "/" + pointer.Replace(name) + "/0", "size": 4.0,
		}}, d.Attachments)
	}
}

func TestFileNamesCountByTheirExtension(t *testing.T) {
	for name, want := range map[string]string{
		"": "", "a": "", "a.": "", ".png": "png", "a.b.C": "c", "é.PNG": "png", "a.é": "", `a"b.png`: "png", `C:\x\y.Wav`: "wav", `a.p\ng`: "",
		`a.p"ng`: "", "a\r\n.mp3": "mp3", "a.mp3\n": "mp3", "a.mp3\r\n": "", "a.mp3\n\n": "", "a; filename=b.txt": "txt", "a.png ": "",
	} {
		d := formDocument(t, fmt.Sprintf(`{"name":"f","filename":%s,"base64":""}`, quoted(t, name)))
		require.Equal(t, map[string]any{"f@0": want}, d.Params, name)
		require.Equal(t, "", d.Attachments[0]["media_type"], "a part without a type has none")
	}
}

func TestFormWithoutParts(t *testing.T) {
	r := llmidem(`{"profile":"openai","route":"/v1/images/variations","body":[]}`, "key", "--calls")
	require.Contains(t, r.out, `\"params\":{}`)
}
