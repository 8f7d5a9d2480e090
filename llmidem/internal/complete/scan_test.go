package complete

import (
	"bytes"
	"encoding/json"
	"errors"
	"strconv"
	"strings"
	"testing"
)

// texts are JSON and near misses of it; what encoding/json says of each is right.
var texts = []string{
	``, ` `, `{}`, `[]`, `{ }`, `[ ]`, ` {} `, `{}x`, `{} {}`, `null`, `nul`, `nullx`, `true`, `false`, `tru`, `fals`,
	`0`, `-0`, `-`, `01`, `-01`, `1.`, `.5`, `1.5`, `1e5`, `1E+5`, `1e-`, `1e`, `1.e5`, `1e5.5`, `+1`, `0x1`, `1_000`, `NaN`, `Infinity`,
	`""`, `"`, `"a`, `"\"`, `"\\"`, `"\n"`, `"\x"`, `"\u12"`, `"\u123g"`, `"\u00e9"`, `"\ud83d\ude00"`, `"\ud83d"`, `"\/"`, `"\`,
	"\"\x00\"", "\"\x1f\"", "\"\x7f\"", "\"\xff\xfe\"", "\"a\nb\"", "\"1234567\n\"", "\"12345678\t\"", "\"abcdefghijklmnop\x01qrstuvwx\"",
	`"1234567"`, `"12345678"`, `"123456\\8"`, `"1234567\"9"`, `'a'`, `{'a':1}`, `{a:1}`,
	`{"a":1}`, `{"a":1,}`, `{,"a":1}`, `{"a"}`, `{"a":}`, `{"a" :1}`, `{"a": 1 , "b":2 }`, `{"a":1 "b":2}`, `{"a":1}}`, `{"a":1`, `{"a`, `{"a"`, `{"a":`,
	`[1,2]`, `[1,]`, `[,1]`, `[1 2]`, `[1}`, `{"a":1]`, `[[[]]]`, `[{}]`, `[{},[]]`, `[{"a":[{"b":[]}]}]`, `[{"a":1},[1]]`, `[{"a":1},["b":1]]`, `[[1],{"a":1}]`, `[[1],{1}]`, `[`, `]`, `{`, `}`, `[1`, `[[`, `[]]`,
	"\ufeff{}", "{}\x00", "{\v}", "\u00a0{}", `{"a":1}//`, `/**/{}`,
}

func TestValid_AgreesWithEncodingJSON(t *testing.T) {
	for _, s := range texts {
		if got, want := Valid([]byte(s)), json.Valid([]byte(s)); got != want {
			t.Errorf("Valid(%q) = %v, encoding/json says %v", s, got, want)
		}
	}
}

// nested is an array in an array in …, or an object, or both in turn.
func nested(kind string, depth int) []byte {
	var b bytes.Buffer
	closers := make([]byte, depth)
	for i := range depth {
		object := kind == "objects" || kind == "mixed" && i%3 == 0
		b.WriteString(map[bool]string{true: `{"a":`, false: `[`}[object])
		closers[depth-1-i] = map[bool]byte{true: '}', false: ']'}[object]
	}
	b.WriteString("1")
	b.Write(closers)
	return b.Bytes()
}

func TestValid_Depth(t *testing.T) {
	for _, kind := range []string{"arrays", "objects", "mixed"} {
		for _, depth := range []int{1, 63, 64, 65, 127, 128, 129, 9999, MaxDepth, MaxDepth + 1, 20000} {
			data := nested(kind, depth)
			if got, want := Valid(data), json.Valid(data); got != want {
				t.Errorf("%s, depth %d: %v, encoding/json says %v", kind, depth, got, want)
			}
			if broken := data[:len(data)-1]; Valid(broken) {
				t.Errorf("%s, depth %d: valid without its last bracket", kind, depth)
			}
		}
	}
	if Valid(bytes.Repeat([]byte("["), 10_000_000)) || Valid(bytes.Repeat([]byte(`{"":`), 10_000_000)) {
		t.Error("ten million open brackets are valid")
	}
	deep := append(append([]byte(`{"a":`), nested("arrays", MaxDepth)...), '}')
	if err := Members(deep, func(_, _ []byte) bool { return true }); !errors.Is(err, ErrDepth) {
		t.Errorf("Members: %v, want ErrDepth", err)
	}
	if err := Elements([]byte("["+string(deep)+"]"), func(int, []byte) bool { return true }); !errors.Is(err, ErrDepth) {
		t.Errorf("Elements: %v, want ErrDepth", err)
	}
}

// members collects an object as name=value.
func members(data string) ([]string, error) {
	var out []string
	err := Members([]byte(data), func(name, value []byte) bool {
		out = append(out, string(name)+"="+string(value))
		return true
	})
	return out, err
}

func TestMembers(t *testing.T) {
	for _, c := range []struct {
		data, want string
		err        error
	}{
		{`{}`, "", nil},
		{` { } `, "", nil},
		{"{ \"a\" :\t1 , \"b\\u0041\\n\":[ 1 , {} ] ,\"\":\"x\"}\n", "a=1|bA\n=[ 1 , {} ]|=\"x\"", nil},
		{`{"a":1,"a":2}`, "a=1|a=2", nil},
		{`[]`, "", ErrKind}, {`null`, "", ErrKind}, {`"a"`, "", ErrKind}, {``, "", ErrSyntax}, {`x`, "", ErrSyntax},
		{`{"a":1}x`, "a=1", ErrSyntax}, {`{"a":1,}`, "a=1", ErrSyntax}, {`{"a":1]`, "a=1", ErrSyntax}, {`{"a":1`, "a=1", ErrSyntax},
		{`{"a":1;"b":2}`, "a=1", ErrSyntax}, {`{"a":01}`, "a=0", ErrSyntax}, {`{}x`, "", ErrSyntax}, {`{"a" 1}`, "", ErrSyntax}, {`{"a":`, "", ErrSyntax},
	} {
		got, err := members(c.data)
		if s := strings.Join(got, "|"); s != c.want || err != c.err {
			t.Errorf("%s: %q, %v; want %q, %v", c.data, s, err, c.want, c.err)
		}
	}
	calls := 0
	if err := Members([]byte(`{"a":1,"b":!`), func(_, _ []byte) bool { calls++; return false }); err != nil || calls != 1 {
		t.Errorf("stopped at once: %d calls, %v", calls, err)
	}
}

func TestElements(t *testing.T) {
	for _, c := range []struct {
		data, want string
		err        error
	}{
		{`[]`, "", nil}, {" [ 1 , \"a\",[2],{\"b\":3} ] ", `0:1 1:"a" 2:[2] 3:{"b":3} `, nil},
		{`{}`, "", ErrKind}, {`[1,]`, "0:1 ", ErrSyntax}, {`[1`, "0:1 ", ErrSyntax}, {`[1]]`, "0:1 ", ErrSyntax}, {`[`, "", ErrSyntax}, {`[,]`, "", ErrSyntax},
	} {
		got := ""
		err := Elements([]byte(c.data), func(i int, v []byte) bool {
			got += strconv.Itoa(i) + ":" + string(v) + " "
			return true
		})
		if got != c.want || err != c.err {
			t.Errorf("%s: %q, %v; want %q, %v", c.data, got, err, c.want, c.err)
		}
	}
}

func TestGet(t *testing.T) {
	const doc = `{"a":{"b":1,"b":{"c":[2]}},"A":3,"\u0062":4,"n":null,"a":{"b":{"c":5}}}`
	for _, c := range []struct{ path, want string }{
		{"a b c", "5"}, {"A", "3"}, {"b", "4"}, {"n", "null"}, {"a x", ""}, {"A x", ""}, {"n x", ""}, {"x", ""},
	} {
		if got := string(Get([]byte(doc), strings.Fields(c.path)...)); got != c.want {
			t.Errorf("%s: %q, want %q", c.path, got, c.want)
		}
	}
	if got := Get([]byte(doc[:len(doc)-1]), "A"); got != nil {
		t.Errorf("from half a text: %q", got)
	}
}

func TestMembers_GivesOutNoRoomToWriteInto(t *testing.T) {
	data := []byte(`{"a":1,"b":2}`)
	_ = append(Get(data, "a"), "XXXX"...)
	if string(data) != `{"a":1,"b":2}` {
		t.Errorf("an append to a value changed the text: %s", data)
	}
}
