# Tollgate. `make` alone lists what can be made.

SHELL := bash
GO    ?= go
BIN   ?= bin
DIST  ?= dist

.PHONY: help
help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: build
build: tools ## bin/tollgate, bin/azure-handler, and the app as it is deployed in dist/azure
	CGO_ENABLED=0 $(HANDLER) -o $(BIN)/azure-handler ./functions/azure
	@$(STAGE)

.PHONY: run
run: build ## the whole local run, until Ctrl-C
	@exec $(BIN)/tollgate up

.PHONY: test
test: vet deps ## everything, race detector on
	set -o pipefail; $(GO) test -race -json ./... | $(GO) run ./tests/report

.PHONY: prove
prove: deps ## what takes long: 500 kills under load; its figures go into documents
	TOLLGATE_KILLS=500 $(GO) test -race -count 1 -run 'Killed' -v ./tests/faults

# What tests need besides Go. Without Node those tests are skipped, and counted.
.PHONY: deps
deps:
	@if command -v npm >/dev/null; then $(MAKE) --no-print-directory tests/idp/node_modules/.package-lock.json; \
	  else echo "npm is not installed; the tests that need it are skipped"; fi

tests/idp/node_modules/.package-lock.json: tests/idp/package-lock.json
	cd tests/idp && npm ci --no-audit --no-fund --loglevel=error

.PHONY: bench
bench: ## speed, as ratios and counts; the machine is shared, so compare within one run
	$(GO) test -run '^$$' -bench . -benchmem ./shared/... ./tests/bench/...

.PHONY: package
package: tools ## dist/azure.zip for a Function App: Linux, x86-64, reproducible, checked; SNAPSHOT=prod adds prod's key sets
	GOOS=linux GOARCH=amd64 CGO_ENABLED=0 $(HANDLER) -o $(BIN)/azure-handler ./functions/azure
	@$(STAGE)
	@if [ -n "$(SNAPSHOT)" ]; then $(BIN)/tollgate snapshot --environment $(SNAPSHOT) --out $(DIST)/azure/snapshot; fi
	$(BIN)/tollgate package --app $(DIST)/azure --out $(DIST)/azure.zip

.PHONY: schema
schema: ## contracts/schema.json from the Go types
	$(GO) run ./tests/schema > contracts/schema.json

.PHONY: vet
vet: ## formatting and go vet
	@unformatted=$$(gofmt -l $$(git ls-files '*.go')); \
	  if [ -n "$$unformatted" ]; then echo "gofmt would change: $$unformatted"; exit 1; fi
	$(GO) vet ./...

.PHONY: tools
tools:
	$(GO) build -trimpath -o $(BIN)/tollgate ./localrun

# The handler holds neither a path of the machine that built it nor the state of
# its working copy: equal sources give equal bytes.
HANDLER = $(GO) build -trimpath -buildvcs=false -ldflags "-s -w"

define STAGE
rm -rf $(DIST)/azure && mkdir -p $(DIST)/azure && \
cp host.json $(BIN)/azure-handler $(DIST)/azure/ && \
cp -R contracts $(DIST)/azure/contracts && \
for f in functions/azure/*/function.json; do \
  d=$(DIST)/azure/$$(basename $$(dirname $$f)) && mkdir -p $$d && cp $$f $$d/ || exit 1; done
endef
