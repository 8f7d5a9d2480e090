package benchmarks

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"strings"
)

// nested costs the square of its depth whoever moves an object's text at every level.
func nested() []byte {
	return []byte(`{"model":"m","messages":[` + strings.Repeat(`{"z":1,"a":`, 256) +
		`"` + strings.Repeat(words, 10<<20/len(words)) + `"` + strings.Repeat("}", 256) + `]}`)
}

// unsorted costs the square of its members whoever inserts them one by one.
func unsorted() []byte {
	var b bytes.Buffer
	b.WriteString(`{"model":"m","messages":[{"z":0`)
	for _, i := range rand.New(rand.NewPCG(1, 2)).Perm(500_000) {
		fmt.Fprintf(&b, `,"%x":1`, i)
	}
	b.WriteString(`}]}`)
	return b.Bytes()
}

// brackets ends the process of whoever recurses without a limit.
func brackets() []byte {
	return []byte(`{"model":"m","messages":` + strings.Repeat("[", 5<<20))
}

func openObjects() []byte {
	return []byte(strings.Repeat(`{"a":`, 120_000))
}

// badLastQuad is an image until its last four letters, and text from then on.
func badLastQuad() []byte {
	b := images(1)
	i := bytes.LastIndexByte(b[:len(b)-5], '"')
	b[i-1] = '!'
	return b
}
