# The commands of this repository. `make help` lists them.

GO         ?= go
BENCHTIME  ?= 1x
BENCH      ?= .
FUZZTIME   ?= 10s
ITEMS      ?= 1000000
# The modules of this tree that have tests.
MODULES     = . benchmarks

# Pinned by tools/go.mod, so that no user of the module downloads it.
STATICCHECK = $(GO) tool -modfile=tools/go.mod staticcheck

.DEFAULT_GOAL := help
.PHONY: help test race lint ranks bench fuzz soak examples check

help: ## list these targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

test: ## run all tests
	$(GO) test ./...

race: ## run all tests under the race detector
	$(GO) test -race ./...

lint: ## gofmt, go vet and staticcheck
	@unformatted="$$(git ls-files -z '*.go' | xargs -0 gofmt -l)"; \
		if [ -n "$$unformatted" ]; then echo "gofmt: $$unformatted"; exit 1; fi
	$(GO) vet ./...
	$(STATICCHECK) ./...

ranks: ## check the source itself: import ranks, links, names, comments, lengths
	$(GO) test -count=1 -run '^TestSource' ./llmidem

bench: ## run the benchmarks BENCH for BENCHTIME each (1x: that they work)
	@set -e; for dir in $(MODULES); do \
		$(GO) test -C $$dir -run='^$$' -bench='$(BENCH)' -benchtime=$(BENCHTIME) ./...; \
	done

fuzz: ## run every fuzz target for FUZZTIME
	@set -e; for dir in $(MODULES); do \
		listed="$$($(GO) test -C $$dir -list '^Fuzz' ./...)"; echo "$$listed" | \
		awk '/^Fuzz/ { f[n++] = $$1 } /^ok/ { for (i = 0; i < n; i++) print f[i], $$2; n = 0 }' | \
		while read -r target pkg; do \
			echo "$$target in $$pkg"; \
			$(GO) test -C $$dir -run='^$$' -fuzz="^$$target\$$" -fuzztime=$(FUZZTIME) "$$pkg" </dev/null || exit 1; \
		done; \
	done

soak: ## kill batches of 20,000 items 200 times, and measure one of ITEMS items
	LLMIDEM_SOAK=1 $(GO) test -count=1 -v -timeout=60m -run='^TestB3_Killed$$' ./llmidem/batch
	LLMIDEM_SCALE=$(ITEMS) $(GO) test -count=1 -v -timeout=60m -run='^TestScale$$' ./llmidem/batch

examples: ## run every example and compare its output
	$(GO) test -count=1 ./examples

check: lint race ranks examples ## all that must hold before a commit
