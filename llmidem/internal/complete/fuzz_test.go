package complete

import (
	"encoding/json"
	"testing"
)

// FuzzScan holds the scanner against encoding/json.
func FuzzScan(f *testing.F) {
	for _, s := range texts {
		f.Add([]byte(s))
	}
	f.Add(nested("mixed", 130))
	f.Fuzz(func(t *testing.T, data []byte) {
		want := json.Valid(data)
		if got := Valid(data); got != want {
			t.Fatalf("Valid(%q) = %v, encoding/json says %v", data, got, want)
		}
		var object map[string]json.RawMessage
		isObject := json.Unmarshal(data, &object) == nil && object != nil
		seen := map[string]string{}
		err := Members(data, func(name, value []byte) bool {
			quoted := append(append([]byte{'"'}, name...), '"')
			if s, ok := String(quoted); ok {
				name = []byte(s) // what was not escaped is raw, and may be no UTF-8
			}
			seen[string(name)] = string(value)
			return true
		})
		if (err == nil) != isObject {
			t.Fatalf("Members(%q): %v, encoding/json says object: %v", data, err, isObject)
		}
		for name, value := range object {
			if _, escaped := seen[name]; escaped && seen[name] != string(value) {
				t.Fatalf("%q: member %q is %q, encoding/json says %q", data, name, seen[name], value)
			}
		}
		var s string
		if want && KindOf(data) == KindString && data[len(data)-1] == '"' && json.Unmarshal(data, &s) == nil {
			if got, ok := String(data); !ok || got != s {
				t.Fatalf("String(%q) = %q, %v; encoding/json says %q", data, got, ok, s)
			}
		}
	})
}
