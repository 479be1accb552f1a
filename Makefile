# Tollgate. `make` alone lists what can be made.

SHELL := bash
GO    ?= go

.PHONY: help
help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: test
test: vet ## everything, race detector on
	$(GO) test -race ./...

.PHONY: vet
vet: ## formatting and go vet
	@unformatted=$$(gofmt -l $$(git ls-files '*.go')); \
	  if [ -n "$$unformatted" ]; then echo "gofmt would change: $$unformatted"; exit 1; fi
	$(GO) vet ./...

# What is deployed holds no path of the machine that built it.
BUILD := -trimpath -ldflags "-s -w"

.PHONY: build
build: ## bin/tollgate, bin/azure-handler, and the app as it is deployed in dist/azure
	CGO_ENABLED=0 $(GO) build $(BUILD) -o bin/azure-handler ./functions/azure
	$(GO) build -trimpath -o bin/tollgate ./localrun
	@rm -rf dist/azure && mkdir -p dist/azure
	@cp host.json bin/azure-handler dist/azure/
	@cp -R contracts dist/azure/contracts
	@for f in functions/azure/*/function.json; do \
	  d=dist/azure/$$(basename $$(dirname $$f)); mkdir -p $$d && cp $$f $$d/; done

.PHONY: run
run: build ## the whole local run, until Ctrl-C
	@exec bin/tollgate up

.PHONY: schema
schema: ## contracts/schema.json from the Go types
	$(GO) run ./tests/schema > contracts/schema.json

.PHONY: bench
bench: ## speed, as ratios and counts; the machine is shared, so compare within one run
	$(GO) test -run '^$$' -bench . -benchmem ./shared/... ./tests/bench/...
