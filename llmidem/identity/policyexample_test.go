package identity_test

import (
	"fmt"

	"github.com/llmidem/llmidem-go/llmidem/identity"
)

func ExamplePolicy() {
	agreed := identity.Policy{Scheme: "sha256", Prefix: "acme_", MaxLen: 128}
	_, err := agreed.Parse("acme_eaa2236d14ca0114fdf6ec964c013691087f53739a99270d8a72976381d63a7c")
	fmt.Println(err)
	_, err = agreed.Parse("idem_eaa2236d14ca0114fdf6ec964c013691087f53739a99270d8a72976381d63a7c")
	fmt.Println(err)
	_, err = agreed.Parse("2026-11-23/order 7")
	fmt.Println(err)
	// Output:
	// <nil>
	// identity: bad key (prefix): it does not begin with "acme_"
	// identity: bad key (alphabet): a blank, quote, comma, control character or one beyond ASCII at byte 16
}
