# Every command that a person or CI runs; `make help` lists them.
SHELL := bash
.DEFAULT_GOAL := help

PYTHON ?= python3
VENV := .venv
PY := $(VENV)/bin/python

.PHONY: help
help: ## list the commands
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-12s %s\n", $$1, $$2}'

$(VENV)/.runtime: requirements.lock
	@echo "Setting up Python packages (about a minute the first time) ..."
	@test -x $(PY) || $(PYTHON) -m venv $(VENV)
	@$(PY) -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	@touch $@

$(VENV)/.dev: requirements-dev.lock $(VENV)/.runtime
	@echo "Setting up the tools for tests ..."
	@$(PY) -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.lock
	@touch $@

.PHONY: setup
setup: $(VENV)/.dev ## virtual environment from the hash-locked requirements

.PHONY: test
test: $(VENV)/.dev ## all tests
	@$(PY) -m pytest -q $(if $(k),-k "$(k)")

.PHONY: test-fast
test-fast: $(VENV)/.dev ## tests without the slow ones
	@$(PY) -m pytest -q -m "not slow" $(if $(k),-k "$(k)")

.PHONY: format
format: $(VENV)/.dev ## format the code
	@$(VENV)/bin/ruff format -q . && $(VENV)/bin/ruff check -q --fix .

.PHONY: check
check: $(VENV)/.dev ## format, lint, types, imports, tests
	@$(VENV)/bin/ruff format --check -q . && $(VENV)/bin/ruff check -q .
	@$(VENV)/bin/mypy
	@$(VENV)/bin/lint-imports
	@$(PY) -m pytest -q
