# Every target sets up what it needs. All it takes is make and any Node.js from 20 on, with npm.
SHELL := /bin/sh
export PATH := $(CURDIR)/node_modules/.bin:$(PATH)

# Types are stripped once and not with each start, which also saves the memory of what strips them.
export NODE_COMPILE_CACHE := $(CURDIR)/node_modules/.cache/node

# One collector thread and a small young generation keep the longest pauses short: see docs/performance.md.
NODE_FLAGS := --single-threaded-gc --max-semi-space-size=2

.DEFAULT_GOAL := help

.PHONY: help
help: ## Show this list
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: setup
setup:
	@scripts/setup.sh

.PHONY: parts
parts: setup
	@scripts/install-parts.sh

.PHONY: run
run: setup ## Start the scaler (settings: docs/configuration.md)
	@exec node $(NODE_FLAGS) src/main.ts --hints

.PHONY: demo
demo: parts ## Scale on a real Prometheus, nothing to configure, until Ctrl-C
	@exec node demo/main.ts

.PHONY: ask
ask: setup ## Ask a running scaler as KEDA would: make ask FILE=examples/http-requests/scaledobject.yaml
	@exec node demo/ask.ts $(FILE)

.PHONY: image
image: ## Build the image with docker, podman or buildah: docs/supply-chain.md
	@scripts/image.sh

.PHONY: image-proof
image-proof: setup ## Build the image without a registry, run it and call it (Linux, podman)
	@scripts/prove-image.sh

.PHONY: sbom
sbom: setup ## Write the bill of materials (SPDX) to dist/
	@node scripts/sbom.ts

URL ?= http://127.0.0.1:8080/
RATE ?= 180
DURATION ?= 180
.PHONY: load
load: setup ## Press examples/podlist: make load [URL=…] [RATE=180] [DURATION=180]
	@exec autocannon --connections 10 --overallRate $(RATE) --duration $(DURATION) $(URL)

.PHONY: test
test: parts ## Lint, check the types and run all tests
	@$(MAKE) --no-print-directory lint
	@exec node scripts/test.ts

.PHONY: e2e
e2e: parts ## Scale real workloads through a real Kubernetes and KEDA: make e2e [CASE=e2e/cases/push.test.ts]
	@e2e/build-programs.sh >/dev/null
	@exec node e2e/main.ts $(CASE)

.PHONY: lint
lint: setup ## Lint, check the format, the types and the generated files
	@biome check --error-on-warnings .
	@tsc --project .
	@scripts/generate.sh --check

.PHONY: format
format: setup ## Format, and mend what the linter can mend
	@biome check --write .

.PHONY: generate
generate: setup ## Write the generated types and tables anew
	@scripts/generate.sh

.PHONY: bench
bench: parts ## Measure, as ratios side by side; JSON at the end
	@exec node $(NODE_FLAGS) bench/main.ts

.PHONY: bench-queries bench-attacks
bench-queries bench-attacks: parts ## Measure one half of it
	@exec node $(NODE_FLAGS) bench/main.ts $(@:bench-%=%)

.PHONY: clean
clean: ## Remove what was installed and made
	@rm -rf node_modules .setup.lock bench/results dist
