# make demo builds cginit and shows what it does. make test runs all tests that this machine can run.
GO       ?= go
LINTER   := github.com/golangci/golangci-lint/v2/cmd/golangci-lint
LINTED   := v2.10.1
BOMTOOL  := github.com/CycloneDX/cyclonedx-gomod/cmd/cyclonedx-gomod
BOMTOOLV := v1.10.0
MODULE   := github.com/cginit/cginit

# Another platform is chosen by GOOS, GOARCH and GOARM: make build GOARCH=arm64.
GOARCH   := $(shell $(GO) env GOARCH)
PROGRAMS := ./cmd/...

# The entry of cginit makes signals count from the first instruction on (internal/birth), where it exists.
ENTRY    := $(if $(filter amd64 arm64,$(GOARCH)),-E=$(MODULE)/internal/birth.entry)

# Inlining is off for what runs once: that makes the binary 150 KB smaller, and the start no slower.
COLD     := $(MODULE)/init/config $(MODULE)/init/config/programs go.yaml.in/yaml/v3 net regexp/syntax
BIN      := bin/
BUILD    := CGO_ENABLED=0 $(GO) build -trimpath -buildvcs=false \
            -ldflags="-s -w" -ldflags="$(MODULE)/cmd/cginit=-s -w $(ENTRY)" \
            $(COLD:%=-gcflags=%=-l)

# The race detector needs a C compiler. Without one, go env reports CGO_ENABLED=0.
RACE     := $(if $(filter 1,$(shell $(GO) env CGO_ENABLED)),-race)

# The linter is compiled again when its version or the Go version in go.mod changes, and so is what writes SBOMs.
FOR_GO   := go$(shell sed -n 's/^go //p' go.mod)
LINT     := bin/golangci-lint-$(LINTED)-$(FOR_GO)
SBOM     := bin/cyclonedx-gomod-$(BOMTOOLV)-$(FOR_GO)

# What releases are built for. Other systems than Linux get cginitctl alone.
PLATFORMS := $(addprefix linux/,386 amd64 arm/v6 arm/v7 arm64 loong64 ppc64le riscv64 s390x) \
             darwin/amd64 darwin/arm64 windows/amd64 windows/arm64
DIST     := dist

.PHONY: build demo test test-vet test-units test-386 test-suites test-daemons test-vm lint lint-quick vet-all release release-tools image bench bench-short bench-build bench-vm fuzz matrix

build:
	$(BUILD) -o $(BIN) $(PROGRAMS)

demo: build
	@sh examples/demo/demo.sh bin/cginit

test: test-vet test-units test-suites

test-vet:
	$(GO) vet ./...

# All packages but the suites run under the race detector, so that a new package does from its first
# day. With the detector a process waits for a second before it exits, unless GORACE forbids it.
# init/config has no goroutines; its large inputs are tested in the run without the detector.
test-units:
	GORACE=atexit_sleep_ms=0 $(GO) test -count=1 $(RACE) $$($(GO) list ./... | grep -v /test/)
	$(GO) test -count=1 ./init/config

# amd64 runs programs of 386 as they are, which have words of 32 bits.
test-386:
	GOARCH=386 CGO_ENABLED=0 $(GO) test -count=1 ./cgroup ./init/... ./internal/birth ./internal/catch ./internal/self ./internal/threads

# The suites build the program themselves, so Go's test cache does not see when it changes.
test-suites:
	$(GO) test -count=1 -timeout 60m -p 1 ./test/...

# The daemons that are installed, sealed and not sealed. It is no part of make test, because it needs 70 packages.
test-daemons:
	CGINIT_DAEMONS=1 $(GO) test -count=1 -v -timeout 30m -parallel 4 ./test/daemons

# ARCH=arm64 and ARCH=s390x run it on an emulated machine of that architecture.
ARCH     ?=

test-vm:
	CGINIT_VM=$(ARCH) $(GO) test -count=1 -v -timeout 15m ./test/vm

# The full proof of the teardown matrix: 20 runs of each cell, as one command and with jobs side by
# side. Every wait in it is bounded, so it needs no timeout.
matrix:
	CGINIT_RUNS=20 $(GO) test -count=1 -v -timeout 0 -p 1 ./test/matrix
	CGINIT_RUNS=20 $(GO) test -count=1 -v -timeout 0 -p 1 -run SideBySide ./test/levels ./test/docker ./test/podman

lint: lint-quick $(LINT)
	$(LINT) run

# The checks that do not need the linter.
lint-quick:
	@files=$$(gofmt -l .) && [ -z "$$files" ] || { echo "not formatted: $$files"; exit 1; }
	$(GO) vet ./...
	$(GO) mod tidy -diff
	$(GO) run ./internal/tools/rooms

$(LINT):
	GOBIN=$(CURDIR)/bin CGO_ENABLED=0 $(GO) install -trimpath -ldflags="-s -w" $(LINTER)@$(LINTED)
	mv bin/golangci-lint $@

$(SBOM):
	GOBIN=$(CURDIR)/bin CGO_ENABLED=0 $(GO) install -trimpath -ldflags="-s -w" $(BOMTOOL)@$(BOMTOOLV)
	mv bin/cyclonedx-gomod $@

# The archives of all platforms, their checksums and the notes. The same commit and the same Go give the same bytes.
release: release-tools
	$(GO) run ./internal/tools/release -o $(DIST) -sbom $(SBOM) $(PLATFORMS)

release-tools: $(SBOM)

# Vets and builds every platform: vet/linux/arm64 is one of them.
vet-all: $(PLATFORMS:%=vet/%)

part      = $(word $1,$(subst /, ,$2))
ON        = GOOS=$(call part,1,$*) GOARCH=$(call part,2,$*) GOARM=$(patsubst v%,%,$(call part,3,$*))
vet/%:
	$(ON) $(GO) vet $(if $(filter linux/%,$*),./...,./cmd/cginitctl/...)
	@$(ON) $(MAKE) -s build BIN=bin/all/$*/ $(if $(filter linux/%,$*),,PROGRAMS=./cmd/cginitctl)

image:
	docker build -t cginit .

# BEFORE=PROGRAM is another build of cginit to compare with. OUT=bench replaces what bench/README.md shows.
# "make bench ARGS='-only bomb,orphans'" measures these parts again.
BEFORE   ?=
OUT      ?= bin/bench
ARGS     ?=

bench: bench-build
	bin/bench/bench -before "$(BEFORE)" -o $(OUT) $(ARGS)

bench-short: bench-build
	bin/bench/bench -short -before "$(BEFORE)" -o $(OUT) $(ARGS)

bench-build: build
	@mkdir -p $(BIN)bench
	$(BUILD) -ldflags="$(MODULE)/bench/sleeper=-s -w $(if $(ENTRY),-E=main.entry)" -o $(BIN)bench/ ./bench/...

# The start, the memory and the sizes on an emulated machine: make bench-vm ARCH=arm64.
bench-vm:
	CGINIT_VM=$(ARCH) $(GO) test -count=1 -run '^$$' -bench VM -benchtime 1x -timeout 30m ./test/vm

fuzz:
	$(GO) test -fuzz FuzzParse -fuzztime 1m ./init/config
	$(GO) test -fuzz FuzzLoad -fuzztime 10m ./init/config
	$(GO) test -fuzz FuzzMessage -fuzztime 10m ./init/control
	$(GO) test -fuzz FuzzParseStat -fuzztime 1m ./init/proc
	$(GO) test -fuzz FuzzNotification -fuzztime 1m ./init
	$(GO) test -fuzz FuzzParseEvents -fuzztime 1m ./cgroup
