# Tollgate. `make` alone lists what can be made.

SHELL := bash
GO    ?= go
BIN   ?= bin
DIST  ?= dist

.PHONY: help
help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: build
build: tools ## bin/tollgate, and the apps as they are deployed, for this machine: dist/azure, dist/lambda-here
	CGO_ENABLED=0 $(HANDLER) -o $(BIN)/azure-handler ./functions/azure
	@$(STAGE)
	@rm -rf $(DIST)/lambda-here && mkdir -p $(DIST)/lambda-here && cp -R contracts $(DIST)/lambda-here/contracts
	CGO_ENABLED=0 $(BOOTSTRAP) -o $(DIST)/lambda-here/bootstrap ./functions/lambda

.PHONY: run
run: build ## the whole local run, until Ctrl-C
	@exec $(BIN)/tollgate up

.PHONY: test
test: vet deps ## everything, race detector on, and each fuzz target for some seconds
	set -o pipefail; $(GO) test -race -timeout 20m -json ./... | $(GO) run ./tests/report
	@$(MAKE) --no-print-directory fuzz

# A target's seeds run in every `go test`; this looks for more.
FUZZTIME ?= 3s

# On a loaded machine Go's fuzzer now and then takes the end of its own time for a
# failure, and says "context deadline exceeded" without an input that failed.
.PHONY: fuzz
fuzz: ## each fuzz target for FUZZTIME
	@set -e; grep -rl --include='*_test.go' '^func Fuzz' shared infra localrun tests | while read -r file; do \
	  for target in $$(sed -n 's/^func \(Fuzz[A-Za-z0-9]*\)(.*/\1/p' "$$file"); do \
	    printf '%-24s %s\n' "$$(dirname "$$file")" "$$target"; \
	    $(GO) test -run '^$$' -fuzz "^$$target\$$" -fuzztime $(FUZZTIME) -fuzzminimizetime 10x "./$$(dirname "$$file")" >/tmp/tollgate-fuzz.$$$$ 2>&1 || \
	      { grep -q '^ *context deadline exceeded' /tmp/tollgate-fuzz.$$$$ && ! grep -q 'Failing input' /tmp/tollgate-fuzz.$$$$; } || \
	      { cat /tmp/tollgate-fuzz.$$$$; rm -f /tmp/tollgate-fuzz.$$$$; exit 1; }; \
	    grep -E 'execs|PASS' /tmp/tollgate-fuzz.$$$$ | tail -2 | head -1; rm -f /tmp/tollgate-fuzz.$$$$; \
	  done; done

.PHONY: prove
prove: deps ## what takes long: 500 kills under load, a million tokens and values, a quota of a million, gigabytes, aborted requests, every attack through every front's processes, ten minutes of freeze and thaw and of each fuzz target
	TOLLGATE_KILLS=500 $(GO) test -race -count 1 -run 'Killed' -v ./tests/faults
	TOLLGATE_GIGABYTES=1 $(GO) test -count 1 -run 'NoTraceInMemory' -timeout 30m -v ./tests/flow
	TOLLGATE_TOKENS=1000000 $(GO) test -count 1 -run 'H142' -timeout 60m -v ./shared/token
	TOLLGATE_VALUES=1000000 $(GO) test -count 1 -run 'FloodOfValues' -timeout 30m -v ./shared/limit/tables
	TOLLGATE_ABORTED=100000 $(GO) test -count 1 -run 'Abort|Slow|Head' -timeout 60m -v ./shared/wire
	TOLLGATE_QUOTA=1000000 $(GO) test -count 1 -run 'Sixteen|Million' -timeout 60m -v ./tests/limits
	$(MAKE) --no-print-directory $(DIST)/collector/otelcol
	TOLLGATE_COLLECTOR=$(CURDIR)/$(DIST)/collector/otelcol $(GO) test -tags collector -count 1 -run 'RealCollector' -v ./shared/telemetry
	TOLLGATE_QUOTA=1000000 TOLLGATE_CURVE=$(CURDIR)/docs/limits.svg $(GO) test -count 1 -run 'Simulated|Edges|Curve' -v ./tests/limits
	TOLLGATE_PARITY=processes $(GO) test -count 1 -run 'AnsweredAlike' -timeout 60m -v ./tests/adversarial
	TOLLGATE_FREEZE=10m TOLLGATE_INVOCATIONS=100000 $(GO) test -count 1 -run 'Thaws|LeaveNothing' -timeout 60m -v ./tests/parity
	$(MAKE) fuzz FUZZTIME=10m

# A collector of OpenTelemetry's own, of the newest set of modules that is whole
# (the builder's own way to them asks for test modules that the proxy doesn't have).
COLLECTOR = go.opentelemetry.io/collector
COLLECTOR_PARTS = otelcol receiver/otlpreceiver exporter/debugexporter processor/batchprocessor
COLLECTOR_PROVIDERS = envprovider fileprovider yamlprovider

$(DIST)/collector/otelcol: tests/collector/ocb.yaml
	mkdir -p $(DIST)/collector
	GOBIN=$(CURDIR)/$(DIST)/collector $(GO) install $(COLLECTOR)/cmd/builder@v0.164.0
	$(DIST)/collector/builder --config $< --skip-get-modules --skip-compilation
	cd $(DIST)/collector/src && rm -f go.mod go.sum && $(GO) mod init $(COLLECTOR)/cmd/builder && \
	  $(GO) mod edit $(foreach p,$(COLLECTOR_PARTS),-require $(COLLECTOR)/$p@v0.160.0) $(foreach p,$(COLLECTOR_PROVIDERS),-require $(COLLECTOR)/confmap/provider/$p@v1.66.0) && \
	  GOFLAGS=-mod=mod CGO_ENABLED=0 $(GO) build -trimpath -ldflags "-s -w" -o ../otelcol .

# What tests need besides Go. Without Node or a browser those tests are skipped, and counted.
.PHONY: deps
deps:
	@if [ "$$CI" = true ] && ! command -v chromium >/dev/null && command -v apt-get >/dev/null; then \
	  apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=120 install -y -qq --no-install-recommends chromium fonts-dejavu-core >/dev/null; fi
	@if command -v npm >/dev/null; then $(MAKE) --no-print-directory $(patsubst %/package-lock.json,%/node_modules/.package-lock.json,$(wildcard tests/*/package-lock.json)); \
	  else echo "npm is not installed; the tests that need it are skipped"; fi

tests/%/node_modules/.package-lock.json: tests/%/package-lock.json
	cd tests/$* && npm ci --no-audit --no-fund --loglevel=error

.PHONY: bench
bench: ## speed, as ratios and counts; the machine is shared, so compare within one run
	$(GO) test -run '^$$' -bench . -benchmem ./shared/... ./tests/bench/...

.PHONY: package
package: tools ## dist/azure.zip, dist/lambda.zip (arm64) and dist/lambda-x86_64.zip: reproducible, checked; SNAPSHOT=prod adds prod's key sets
	GOOS=linux GOARCH=amd64 CGO_ENABLED=0 $(HANDLER) -o $(BIN)/azure-handler ./functions/azure
	@rm -f $(DIST)/azure.zip
	@$(STAGE)
	@if [ -n "$(SNAPSHOT)" ]; then $(BIN)/tollgate snapshot --environment $(SNAPSHOT) --out $(DIST)/azure/snapshot; fi
	$(BIN)/tollgate package --app $(DIST)/azure --out $(DIST)/azure.zip
	@for arch in arm64 amd64; do \
	  out=$(DIST)/lambda$$([ $$arch = amd64 ] && echo -x86_64); rm -rf $$out $$out.zip && mkdir -p $$out && \
	  GOOS=linux GOARCH=$$arch CGO_ENABLED=0 $(BOOTSTRAP) -o $$out/bootstrap ./functions/lambda && cp -R contracts $$out/contracts && \
	  { [ -z "$(SNAPSHOT)" ] || cp -R $(DIST)/azure/snapshot $$out/snapshot; } && \
	  $(BIN)/tollgate package --app $$out --out $$out.zip || exit 1; done

.PHONY: schema
schema: ## contracts/schema.json and contracts/event.schema.json from the Go types
	$(GO) run ./tests/schema > contracts/schema.json
	$(GO) run ./tests/schema event > contracts/event.schema.json

.PHONY: infra-docs
infra-docs: ## READMEs of the Terraform modules out of their files, and what they read of the Go types
	$(GO) run ./infra/moduledoc

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

# Without the tag, the library for AWS Lambda links its RPC mode too.
BOOTSTRAP = $(HANDLER) -tags lambda.norpc

define STAGE
rm -rf $(DIST)/azure && mkdir -p $(DIST)/azure && \
cp host.json $(BIN)/azure-handler $(DIST)/azure/ && \
cp -R contracts $(DIST)/azure/contracts && \
for f in functions/azure/*/function.json; do \
  d=$(DIST)/azure/$$(basename $$(dirname $$f)) && mkdir -p $$d && cp $$f $$d/ || exit 1; done
endef
