# Every target sets itself up; all that is needed is Python 3.11 or newer, make and a package index.
.POSIX:
.SUFFIXES:
.DEFAULT_GOAL := help
PYTHON := $(shell for p in python3.13 python3.12 python3.11 python3.14 python3 python; do \
	"$$p" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && { echo "$$p"; break; }; done)
BIN := .venv/bin
STAMP := .venv/.ready
WORKERS ?= auto

help: ## what can be done
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-14s %s\n", $$1, $$2}' Makefile

setup: $(STAMP) ## install everything into .venv, from the lock file

$(STAMP): requirements.lock pyproject.toml
	@test -n "$(PYTHON)" || { echo "Colloquy needs Python 3.11 or newer; none was found."; exit 1; }
	@echo "Setting up .venv with $$($(PYTHON) --version) ..."
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv 2>/dev/null || { rm -rf .venv; \
		$(PYTHON) -m venv --without-pip .venv && $(PYTHON) -m pip --version >/dev/null 2>&1 || { \
		echo "This Python can make no virtual environment with pip; install its venv package."; exit 1; }; }
	@if test -x $(BIN)/pip; then PIP="$(BIN)/python -m pip"; else PIP="$(PYTHON) -m pip --python $(BIN)/python"; fi; \
		$$PIP install --quiet --disable-pip-version-check --require-hashes -r requirements.lock && \
		$$PIP install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $(STAMP)

demo: $(STAMP) ## run a whole review in build/demo (DOCS=DIR uses your own files)
	@$(BIN)/python -m exchange.demo $(if $(DOCS),--docs "$(DOCS)")

test: $(STAMP) ## run the tests
	@$(BIN)/python -m pytest -q -n $(WORKERS) --dist loadgroup

test-heavy: $(STAMP) ## run the long tests with killed processes
	@$(BIN)/python -m pytest -q -m heavy

check: $(STAMP) ## lint, types, architecture, generated files
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-cache
	@$(BIN)/python -m exchange.generate --check

generate: $(STAMP) ## write the generated files anew
	@$(BIN)/python -m exchange.generate

bench: $(STAMP) ## measure; writes build/bench.json (MILLION=1 for the long ones)
	@$(BIN)/python -m benchmarks $(if $(MILLION),--million)

lock: $(STAMP) ## pin the newest allowed versions with their hashes
	@$(BIN)/python -m pip install --quiet uv
	@$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header \
		--no-emit-index-url --no-annotate --extra dev -o requirements.lock pyproject.toml

clean: ## remove what was built
	@rm -rf build .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis

.PHONY: help setup demo test test-heavy check generate bench lock clean
