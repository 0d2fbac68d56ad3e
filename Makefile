# Everything that is done to this checkout. `make test` needs nothing but Go.
#
#   make test     test what can be tested here; the last lines name what could not
#   make deps     install what tests use: the distribution's packages, and bin/
#   make accept   full sizes; writes doc/acceptance.md (hours)
#   make bench    measure (bench-guard: guard beside nginx, CPU per request;
#                 bench-offers: trace --deep beside sslscan; bench-call: a
#                 collection beside newman)
#   make fuzz     fuzz every target for FUZZTIME each
#   make ui       build the console's bundle again
#   make lint     gofmt, vet, staticcheck, known vulnerabilities

SHELL = /bin/bash
FUZZTIME ?= 30s
STATICCHECK = honnef.co/go/tools/cmd/staticcheck@v0.8.2
GOVULNCHECK = golang.org/x/vuln/cmd/govulncheck@v1.9.0

# The program that shows a package is there, and the package.
DEPS = chromium:chromium nginx:nginx-light curl:curl openssl:openssl sslscan:sslscan
DEPS_UI = npm:npm
MODULES = $(shell find . -name go.mod -not -path '*/node_modules/*' -not -path '*/testdata/*' -printf '%h\n' | sort)

.PHONY: all build test race accept bench bench-guard bench-offers bench-call fuzz ui lint deps clean

all: build

build:
	go build -trimpath -o bin/ ./cmd/...

# TESTFLAGS are for go test, such as TESTFLAGS='-run TestArrows'.
test:
	@go run ./internal/needs/gotest $(TESTFLAGS)

race:
	@go run ./internal/needs/gotest -race $(TESTFLAGS)

accept:
	PARLEY_ACCEPT=1 go run ./internal/needs/gotest -record doc/acceptance.md -count=1 -timeout=12h
	cd bench && go run ./guard -rounds 7 -requests 60000 -markdown >> ../doc/acceptance.md

bench: bench-guard
	go test -run='^$$' -bench=. -benchmem ./...

bench-guard:
	cd bench && go run ./guard $(BENCHFLAGS)

bench-offers:
	cd bench && go run ./offers $(BENCHFLAGS)

bench-call:
	cd bench && go run ./call $(BENCHFLAGS)

fuzz:
	@set -euo pipefail; \
	go test -list '^Fuzz' ./... | awk '/^Fuzz/ {t[n++]=$$1} /^ok/ {for (i=0;i<n;i++) print $$2, t[i]; n=0} /no test files/ {n=0}' | \
	while read -r package target; do \
		echo "== $$package $$target ($(FUZZTIME))"; \
		go test -run='^$$' -fuzz="^$$target\$$" -fuzztime=$(FUZZTIME) "$$package"; \
	done

ui:
	cd console/web && npm ci --no-audit --no-fund
	cd internal/webbuild && go run . ../../console

lint:
	@files=$$(gofmt -l $$(git ls-files '*.go')); test -z "$$files" || { echo "gofmt: $$files"; exit 1; }
	@set -e; for dir in $(MODULES); do echo "== $$dir"; (cd $$dir && go vet ./... && go run $(STATICCHECK) ./...); done
	@if curl -fsS -o /dev/null --max-time 10 https://vuln.go.dev/index/modules.json 2>/dev/null; \
	then go run $(GOVULNCHECK) ./...; \
	else echo "govulncheck: not run, https://vuln.go.dev cannot be reached"; fi

# What no distribution packs is built into bin/. Of the rest only what is missing
# is installed, so a second run needs neither network nor root.
deps:
	@mkdir -p bin; cd internal/tools && GOBIN=$(CURDIR)/bin go install tool
	@set -euo pipefail; want=(); \
	for pair in $(DEPS) $(if $(filter true,$(CI)),$(DEPS_UI)); do \
		PATH="$$PATH:/usr/sbin" command -v "$${pair%%:*}" >/dev/null || want+=("$${pair##*:}"); \
	done; \
	if [ $${#want[@]} -eq 0 ]; then echo "deps: all there"; exit 0; fi; \
	if ! command -v apt-get >/dev/null; then \
		echo "deps: error: this is not Debian or Ubuntu; install: $${want[*]}" >&2; exit 3; fi; \
	sudo=; if [ "$$(id -u)" -ne 0 ]; then sudo=sudo; fi; \
	echo "deps: installing $${want[*]}"; \
	$$sudo apt-get update -q; \
	$$sudo env DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends "$${want[@]}"
	@if [ "$${CI:-}" = true ] || command -v npm >/dev/null; then \
		[ -x bin/newman ] || { cd internal/tools/newman && npm ci --no-audit --no-fund && \
		ln -sf ../internal/tools/newman/node_modules/.bin/newman $(CURDIR)/bin/newman; }; \
	else echo "deps: newman is left out, there is no npm"; fi

clean:
	rm -rf bin
