package audit_test

import (
	"bytes"
	"os"
	"testing"

	"github.com/llmidem/llmidem-go/llmidem/audit"
)

// FuzzRead reads foreign bytes: what Verify takes has records that can be read, or is one
// broken at a place that is in it; and Open leaves a log that holds, or the file as it was.
func FuzzRead(f *testing.F) {
	content, _ := sample(f)
	for _, line := range linesOf(content) {
		f.Add(line)
	}
	f.Add(content)
	f.Add(content[:len(content)-10])
	f.Add(append(bytes.Clone(content), make([]byte, 40)...))
	f.Fuzz(func(t *testing.T, b []byte) {
		report, err := verify(b, audit.Check{})
		n := uint64(0)
		for r, err := range audit.Read(bytes.NewReader(b), audit.Check{}) {
			if err == nil {
				if n++; r.Sequence != n {
					t.Fatalf("record %d is the one at %d", r.Sequence, n)
				}
			}
		}
		if n > report.Records || err == nil && report.Head.Sequence != report.Records {
			t.Fatalf("%d records read, %+v verified", n, report)
		}
		path := memoryPath(t)
		if err := os.WriteFile(path, b, 0o600); err != nil {
			t.Fatal(err)
		}
		l, openErr := audit.Open(path)
		if openErr != nil {
			if now, err := os.ReadFile(path); err != nil || !bytes.Equal(now, b) {
				t.Fatal("Open failed and changed the file")
			}
			return
		}
		if err := l.Close(); err != nil {
			t.Fatal(err)
		}
		if after, err := os.ReadFile(path); err == nil && report.Records > 0 {
			if r, err := verify(after, audit.Check{Head: report.Head}); err != nil || r.Head != l.Head() {
				t.Fatalf("%+v: %v", r, err)
			}
		}
	})
}
