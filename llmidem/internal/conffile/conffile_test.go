package conffile

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// shown writes what was read in one line an entry.
func shown(entries []Entry) (out []string) {
	for _, e := range entries {
		items := ""
		for _, i := range e.Value.Items {
			items += fmt.Sprintf(" %d:%s@%d:%d", i.Kind, i.Text, i.At.Line, i.At.Column)
		}
		out = append(out, fmt.Sprintf("%s@%d:%d %d:%s%s@%d:%d", e.Name, e.At.Line, e.At.Column,
			e.Value.Kind, e.Value.Text, items, e.Value.At.Line, e.Value.At.Column))
	}
	return out
}

func TestRead(t *testing.T) {
	yaml := "# settings\ncache_ttl: 10m # ten\nretry:\n  max_attempts: 3\n  refill: 0.5\nstrict: true\nretry.budget: 7\n" +
		"tenant: \"é \\u00e9\"\nexcluded_fields: [a, 'b', 1]\nrecall: off\nstore:\n"
	entries, problems := Read([]byte(yaml), false)
	require.Empty(t, problems)
	require.Equal(t, []string{
		"cache_ttl@2:1 1:10m@2:12", "retry.max_attempts@4:3 2:3@4:17", "retry.refill@5:3 2:0.5@5:11", "strict@6:1 3:true@6:9",
		"retry.budget@7:1 2:7@7:15", "tenant@8:1 1:é é@8:9", "excluded_fields@9:1 4: 1:a@9:19 1:b@9:22 2:1@9:27@9:18",
		"recall@10:1 1:off@10:9", "store@11:1 0:@11:7",
	}, shown(entries))

	json := "{\r\n\t\"cache_ttl\": \"10m\",\n  \"retry\": {\"max_attempts\":3,\"refill\" : 5e-1},\n\n\"strict\": true, \"ün\": \"\\/\\ud83d\\ude00\",\n" +
		" \"excluded_fields\": [ \"a\" ,\"b\"], \"store\": null, \"none\": []}\n"
	entries, problems = Read([]byte(json), true)
	require.Empty(t, problems)
	require.Equal(t, []string{
		"cache_ttl@2:2 1:10m@2:15", "retry.max_attempts@3:13 2:3@3:28", "retry.refill@3:30 2:5e-1@3:41", "strict@5:1 3:true@5:11",
		"ün@5:17 1:/😀@5:23", "excluded_fields@6:2 4: 1:a@6:23 1:b@6:28@6:21", "store@6:34 0:@6:43", "none@6:49 4:@6:57",
	}, shown(entries))
}

func TestRead_Nothing(t *testing.T) {
	for _, text := range []string{"", "# nothing\n", "---\n", "{}", "\ufeff{}", "retry: {}\n"} {
		entries, problems := Read([]byte(text), false)
		require.Empty(t, entries, text)
		require.Empty(t, problems, text)
	}
	_, problems := Read([]byte("\ufeff{ }\n"), true)
	require.Empty(t, problems)
}

func TestRead_Problems(t *testing.T) {
	for _, c := range []struct {
		text string
		json bool
		want []string
	}{
		{"a: 1\nb: 2\na: 3\n", false, []string{"3:1: a was set before, in line 1; keep one of them"}},
		{"retry: {a: 1}\nretry.a: 2\nretry: {b: 1}\n", false, []string{"2:1: retry.a was set before, in line 1; keep one of them", "3:1: retry was set before, in line 1; keep one of them"}},
		{"a: &x 1\nb: *x\n<<: {c: 1}\n", false, []string{
			"1:4: anchors and aliases are not taken; write the value itself", "2:4: anchors and aliases are not taken; write the value itself",
			"3:1: merge keys (<<) are not taken; write the settings themselves"}},
		{"a: *secret\n", false, []string{"1:4: this is no YAML: an alias without an anchor"}},
		{"a: !!str 1\n!!str b: 1\n? [c]\n: 1\n", false, []string{"1:4: tags are not taken; write the value alone", "2:1: a name is plain text", "3:3: a name is plain text"}},
		{"a: b: c\n", false, []string{"1:5: this is no YAML: mapping values are not allowed in this context"}},
		{"a: [1\nb: 2\n", false, []string{"2:2: this is no YAML: while parsing a flow sequence did not find expected ',' or ']'"}},
		{"- a\n", false, []string{"1:1: the file is no list of settings; write name: value, a line each"}},
		{"a: 1\n---\nb: 2\n", false, []string{"2:1: a second document begins; settings are one"}},
		{"a: [[1], {b: 2}]\n", false, []string{"1:5: an element of a list is plain text", "1:10: an element of a list is plain text"}},
		{"a:\n b:\n  c:\n   d:\n    e:\n     f:\n      g:\n       h:\n        i: {j: 1}\n", false, []string{"9:12: this is nested too deeply"}},
		{"a: 1\n\tb: \x01", false, []string{"2:5: a control character; settings are text"}},
		{"a: 1\nü: \xff", false, []string{"2:4: the file is not UTF-8"}},
		{strings.Repeat("#", MaxBytes+1), false, []string{"0:0: the file has more than 256 KiB; this is no file of settings"}},
		{"", true, []string{"1:1: the file is empty; JSON without settings is {}"}},
		{"[]", true, []string{"1:1: the file is no list of settings; write name: value, a line each"}},
		{"{\"a\": 1,\n \"a\": 2}", true, []string{"2:2: a was set before, in line 1; keep one of them"}},
		{"{\"a\": 1,\n # no\n \"b\": 2}", true, []string{"2:2: this is no JSON"}},
		{"{\"a\": tru }", true, []string{"1:7: this is no JSON"}},
		{"{\"a\": 1,}", true, []string{"1:9: this is no JSON"}},
		{"{\"a\": [1 2]}", true, []string{"1:10: this is no JSON"}},
		{"{\"a\": 1", true, []string{"1:8: this is no JSON: it ends too early"}},
		{"{\"a\": 1} {}", true, []string{"1:10: something follows the JSON value; settings are one object"}},
		{"{\"a\": [[]]}", true, []string{"1:8: an element of a list is plain text"}},
		{strings.Repeat("[", 1000), true, []string{"1:10: this is nested too deeply"}},
	} {
		_, problems := Read([]byte(c.text), c.json)
		var got []string
		for _, p := range problems {
			got = append(got, fmt.Sprintf("%d:%d: %s", p.At.Line, p.At.Column, p.Text))
			require.NotContains(t, p.Text, "secret")
		}
		require.Equal(t, c.want, got, "%.60q", c.text)
	}
}

func TestQuote(t *testing.T) {
	require.Equal(t, "cache_ttl", Quote("cache_ttl"))
	require.Equal(t, `""`, Quote(""))
	require.Equal(t, `"a b\n"`, Quote("a b\n"))
	require.Equal(t, `"`+strings.Repeat("x", 64)+`…"`, Quote(strings.Repeat("x", 100)))
}

// Foreign bytes give entries or problems, and never hang: what a few aliases stand
// for is not made.
func FuzzRead(f *testing.F) {
	bomb := "a: &a [x,x,x,x,x,x,x,x,x]\n"
	for c := 'b'; c < 'z'; c++ {
		bomb += fmt.Sprintf("%c: &%c [*%c,*%c,*%c,*%c,*%c,*%c,*%c,*%c,*%c]\n", c, c, c-1, c-1, c-1, c-1, c-1, c-1, c-1, c-1, c-1)
	}
	for _, s := range []string{bomb, "a: 1\nretry:\n  b: [x, 'y']\n", "{\"a\": {\"b\": [1, true, null]}}", "\ufeff{}", "---\n---\n", strings.Repeat("[", 300),
		strings.Repeat("{\"a\":", 300), "? a\n: b\n", "%YAML 1.1\n---\na: yes\n", "a: |\n  text\n"} {
		f.Add([]byte(s), true)
		f.Add([]byte(s), false)
	}
	f.Fuzz(func(t *testing.T, data []byte, asJSON bool) {
		entries, problems := Read(data, asJSON)
		names := map[string]bool{}
		for _, e := range entries {
			require.False(t, names[e.Name], "twice: %q", e.Name)
			names[e.Name] = true
			require.GreaterOrEqual(t, e.At.Line, 1)
			require.GreaterOrEqual(t, e.At.Column, 1)
			require.GreaterOrEqual(t, e.Value.At.Column, 1)
		}
		for _, p := range problems {
			require.NotEmpty(t, p.Text)
			require.NotContains(t, p.Text, "\n")
		}
	})
}
