// Key makes the key of one request twice, from bodies that differ in all that does
// not matter, and prints what it is made of.
package main

import (
	"fmt"
	"log"

	"github.com/llmidem/llmidem-go/llmidem/identity"
)

var bodies = []string{
	`{"model":"gpt-4o-mini","messages":[{"role":"user","content":"Why is the sky blue?"}],"stream":false}`,
	`{ "stream": false, "request_id": "7", "messages": [ {"content": "Why is the sky bl\u0075e?", "role": "user"} ], "model": "gpt-4o-mini" }`,
}

func main() {
	for i, body := range bodies {
		req := identity.Request{Path: "/v1/chat/completions", Body: []byte(body)}
		doc, err := identity.OpenAI().Identify(req, identity.Call{User: "u-42"})
		if err != nil {
			log.Fatal(err)
		}
		key, err := identity.SHA256("idem_").Key(doc)
		if err != nil {
			log.Fatal(err)
		}
		if i == 0 {
			fmt.Printf("%s\n", doc.Canonical())
		}
		fmt.Println(key)
	}
}
