package storetest_test

import (
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/llmidem/llmidem-go/llmidem/store"
	"github.com/llmidem/llmidem-go/llmidem/store/storetest"
)

const flawVariable = "STORETEST_FLAW"

// TestFlawed runs the suite over the plain store: without a flaw it passes.
func TestFlawed(t *testing.T) {
	var mu sync.Mutex
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	advance := func(d time.Duration) {
		mu.Lock()
		defer mu.Unlock()
		now = now.Add(d)
	}
	shared := &table{records: map[string]record{}}
	storetest.Run(t, func(*testing.T) store.Store {
		records := shared
		if os.Getenv(flawVariable) == "shares nothing" {
			records = &table{records: map[string]record{}}
		}
		return &flawed{
			flaw:  os.Getenv(flawVariable),
			limit: 2 << 20,
			table: records,
			now: func() time.Time {
				mu.Lock()
				defer mu.Unlock()
				return now
			},
		}
	}, storetest.Advance(advance), storetest.Limit(2<<20))
}

// TestRun_FindsFlaws runs the suite, in a process of its own, over the store with
// each flaw: the case that is there for it fails.
func TestRun_FindsFlaws(t *testing.T) {
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	for flaw, name := range map[string]string{
		"lease is a TTL":           "S4_LeaseRunsOut",
		"lease never ends":         "S4_ClaimSeesLeaseRunOut",
		"TTL never ends":           "P6_ExpiredIsAbsent",
		"zero TTL is a default":    "AgeAndLeft",
		"nothing left":             "S1_FirstRun",
		"age since the claim":      "AgeAndLeft",
		"empty is absent":          "P5_BodiesIntact",
		"keeps text only":          "P5_BodiesIntact",
		"shares its room":          "P8_BodiesIndependent",
		"keeps half an answer":     "P3_NoBodyBeforeCompletion",
		"folds case":               "IDsAreComparedAsTheyAre",
		"trims ids":                "IDsAreComparedAsTheyAre",
		"ignores the context":      "ContextEnded",
		"takes any claim":          "InvalidIsRefused",
		"takes any outcome":        "InvalidIsRefused",
		"doubt is absence":         "S13_UnknownIsNeverAbsent",
		"doubt takes answers":      "TakeoverKinds",
		"takes what is in flight":  "S3_DuplicateInFlight",
		"keeps the fingerprint":    "S12_LateFinisherAfterTakeover",
		"keeps the body":           "S7_Forgotten",
		"no prior":                 "TakeoverKinds",
		"keeps the claim's origin": "S1_FirstRun",
		"claim is not atomic":      "S11_ThousandClaimants",
		"anybody renews":           "S13_StrangersWriteNothing",
		"anybody settles":          "S12_LateFinisherAfterTakeover",
		"late renews":              "S4_FinisherAfterLease",
		"late settles":             "S4_FinisherAfterLease",
		"settles twice":            "S13_SettledOnce",
		"renew adds":               "S4a_RenewFromNow",
		"renew only lengthens":     "S4a_RenewShortens",
		"release is doubt":         "S7_Released",
		"size before owner":        "P10_TooLarge",
		"too large stays claimed":  "P10_TooLarge",
		"shares nothing":           "S10_TwoProcesses",
	} {
		t.Run(flaw, func(t *testing.T) {
			cmd := exec.Command(self, "-test.run=^TestFlawed$/^"+name+"$")
			cmd.Env = append(os.Environ(), flawVariable+"="+flaw)
			out, err := cmd.CombinedOutput()
			if err == nil || !strings.Contains(string(out), "--- FAIL: TestFlawed/"+name) {
				t.Errorf("%s does not fail: %v\n%s", name, err, out)
			}
		})
	}
}
