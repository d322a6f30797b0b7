# Every target is one line that calls a tool; the logic is in scripts/ and in `pavane` itself.
# `make help` is made from the sentences after `##`.

PYTHON := .venv/bin/python
PAVANE := $(PYTHON) -m cli

.DEFAULT_GOAL := help
.PHONY: help setup demo demo-down test test-fast check format bench replay sweep compose chart ha proof crds guarantees

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  %-12s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

setup: ## Create .venv and install the pinned dependencies; nothing to do when up to date
	@scripts/setup.sh

demo: setup ## Bring up the full local stack and take a sample from Git commits to a URL
	@$(PYTHON) -m scripts.demo

demo-down: setup ## Remove the demo's stack and its data
	@$(PYTHON) -m scripts.demo --down

test: setup ## Run everything: checks, unit, workflows, replay, then integration, e2e and durability on a full stack
	@$(PYTHON) -m scripts.test

test-fast: setup ## Run what needs no stack: unit, workflows, replay
	@$(PYTHON) -m scripts.test --fast

check: setup ## Format, lint, types and import contracts, without changing a file
	@$(PYTHON) -m scripts.check

format: setup ## Format the code and apply the safe lint fixes
	@$(PYTHON) -m scripts.check --fix

bench: setup ## Measure the budgets of the design on this machine; COMPARE=old.json shows ratios
	@$(PYTHON) -m benchmarks $(if $(COMPARE),--compare $(COMPARE)) $(BENCH)

replay: setup ## Replay the stored workflow histories against the code as it is
	@$(PYTHON) -m pytest tests/replay

sweep: setup ## Kill a worker at every point of every procedure, on a full stack of its own (hours)
	@$(PYTHON) -m scripts.sweep $(SWEEP)

compose: setup ## Build the image, start docker-compose.yml with a Docker engine of its own, kill each container
	@$(PYTHON) -m pytest -q tests/compose

chart: setup ## Render the Helm chart and install, upgrade, roll back and remove it on a full stack of its own
	@$(PYTHON) -m pytest -q tests/chart

ha: setup ## Kill each service of Temporal, PostgreSQL, workers and APIs on a stack of the profile ha
	@$(PYTHON) -m pytest -q tests/ha

proof: setup ## All there is to prove the claims: every test, every fault, every kill, Compose, the budgets
	@$(PYTHON) -m scripts.test --proof && $(PYTHON) -m pytest -q tests/compose tests/chart tests/ha && $(PYTHON) -m scripts.sweep && $(PYTHON) -m benchmarks

crds: setup ## Generate crds/ from the models in domain/resources
	@$(PYTHON) -m scripts.generate_crds

guarantees: setup ## Generate docs/guarantees.md from what the tests of faults say
	@$(PYTHON) -m scripts.generate_guarantees
