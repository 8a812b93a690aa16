# `make` lists the targets. VENV and PYTHON may be set: make VENV=/tmp/venv PYTHON=python3.12 setup

VENV ?= .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed

# The first interpreter that pyproject.toml allows.
PYTHON ?= $(shell for python in python3 python3.13 python3.12 python3.11; do \
	"$$python" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' 2>/dev/null \
	&& echo "$$python" && break; done)

PACKAGES := verifier retention landing expectations orchestration cli docs

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help setup run test test-slow test-long test-integration lint parse reference up down

help: ## List the targets
	@awk 'BEGIN { FS = ":.*## " } /^[a-z-]+:.*## / { printf "%-18s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: $(STAMP) ## Make the virtual environment from the hashed lock

# Only when the lock or the project's metadata changed: afterwards everything works offline.
$(STAMP): requirements.lock pyproject.toml
	@test -n "$(PYTHON)" || { echo "make: Python 3.11, 3.12 or 3.13 is needed: make PYTHON=/path/to/it" >&2; exit 2; }
	$(PYTHON) -m venv "$(VENV)"
	"$(BIN)/python" -m pip install --quiet --disable-pip-version-check uv
	@# uv does not read pip's configuration: where the index is named only there, pip does it.
	"$(BIN)/uv" pip install --quiet --compile-bytecode --python "$(BIN)/python" --no-deps --require-hashes -r requirements.lock \
		|| "$(BIN)/python" -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r requirements.lock
	"$(BIN)/python" -m pip install --quiet --disable-pip-version-check --no-deps -e .
	@touch "$@"

run: setup ## Land the sample, run the whole daily job, show what came of it
	"$(BIN)/retention" demo

# A server for each process; whole files, so that what a file's tests share is made once.
PYTEST := "$(BIN)/python" -m pytest --numprocesses auto --maxprocesses 4 --dist loadfile --no-loadscope-reorder

test: setup ## Run what takes minutes together, the crash and race suites in their short form
	$(PYTEST) -m "not slow"

test-slow: setup ## Run the tests of whole jobs and builds
	$(PYTEST) -m slow

test-long: setup ## Run the crash and race suites in full, and print their figures
	"$(BIN)/python" -m pytest --long -m crash

test-integration: setup ## Run the tests that need a database
	"$(BIN)/python" -m pytest -m integration

lint: parse ## Check style, types and SQL
	"$(BIN)/ruff" check .
	"$(BIN)/ruff" format --check .
	"$(BIN)/mypy" $(PACKAGES)
	"$(BIN)/sqlfluff" lint --disable-progress-bar dbt_project

parse: setup ## Generate from policy and declarations, then let dbt parse the project
	@"$(BIN)/python" -c "from orchestration.manifest import ensure_manifest; from retention.settings import load_settings; ensure_manifest(load_settings())"

reference: setup ## Write the generated pages of docs/reference anew
	@"$(BIN)/python" -m docs.generate

up: setup ## Start the user interface and the schedules
	@"$(BIN)/retention" up

down: setup ## Stop them, and the embedded database
	@"$(BIN)/retention" down
