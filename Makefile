# Every target sets up the virtual environment that it needs (.venv) when it is missing or out of date:
# `make run` installs what running needs, the others add what development or the comparisons need.
#   make run ARGS="--port 9000"     make test ARGS="-m 'not slow'"     make bench ARGS=soak
# Another interpreter: make clean run PYTHON=python3.13
# The same beside the existing environment: make test PYTHON=python3.13 VENV=.venv-3.13

PYTHON ?= python3
ARGS ?=
VENV ?= .venv
# The folder `src` of a checkout of Flask, for `make test-next`.
FLASK_SOURCE ?=
BIN := $(VENV)/bin
READY := $(VENV)/ready
READY_TO_DEVELOP := $(VENV)/ready-to-develop
READY_TO_BENCH := $(VENV)/ready-to-bench

TOO_OLD = Newswire needs Python 3.11 or newer, but "$(PYTHON)" is \
	$(or $(shell command -v $(PYTHON) >/dev/null && $(PYTHON) --version 2>&1),not there). \
	Name another one: make run PYTHON=python3.13
NO_VENV = "$(PYTHON)" cannot make virtual environments: its modules venv and ensurepip are not installed. \
	On Debian and Ubuntu: apt-get install python3-venv

# $(call succeeds,STATEMENT) is empty unless the interpreter runs the statement without an error.
succeeds = $(shell $(PYTHON) -c '$(1)' >/dev/null 2>&1 && echo yes)

# The first is read by every pip, the second by those that build in an isolation of their own.
export PIP_CONSTRAINT := constraints.txt
export PIP_BUILD_CONSTRAINT := constraints.txt
export PIP_DISABLE_PIP_VERSION_CHECK := 1

.PHONY: run test test-next judge-clients lint bench clean

run: $(READY)
	@$(BIN)/newswire demo $(ARGS)

# Three processes for two cores: a third of the time each waits, for a server, a lock or a deadline.
test: $(READY_TO_DEVELOP)
	$(BIN)/pytest -n 3 --dist worksteal $(ARGS)

# The HTTP tests with the coming Flask, so that a change of its API is known before its release.
test-next: $(READY_TO_DEVELOP)
	@FLASK_SOURCE="$(FLASK_SOURCE)" .ci/test-next $(BIN)/python $(ARGS)

# Clients that are generated from the OpenAPI document, on a demo; needs npm and Java, and takes 0.5 GB once.
judge-clients: $(READY_TO_DEVELOP)
	@$(BIN)/python -m tests.clients $(ARGS)

lint: $(READY_TO_DEVELOP)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo
	$(BIN)/check-jsonschema --builtin-schema vendor.compose-spec docker-compose.yml

bench: $(READY_TO_BENCH)
	@$(BIN)/python -m bench $(ARGS)

clean:
	rm -rf .venv .venv-* .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis build dist

$(READY): pyproject.toml constraints.txt
	$(if $(call succeeds,import sys; assert sys.version_info >= (3, 11)),,$(error $(TOO_OLD)))
	$(if $(call succeeds,import venv; import ensurepip),,$(error $(NO_VENV)))
	@echo "Setting up $(VENV) (once; half a minute or so) ..."
	@$(BIN)/python -m pip --version >/dev/null 2>&1 || $(PYTHON) -m venv --clear $(VENV)
	@$(BIN)/python -m pip install --editable .
	@touch $@
	@echo "Ready."

$(READY_TO_DEVELOP): $(READY)
	@echo "Setting up what the tests and checks need (once; a minute or so) ..."
	@$(BIN)/python -m pip install --editable ".[dev]"
	@touch $@

$(READY_TO_BENCH): $(READY_TO_DEVELOP)
	@echo "Setting up what Newswire is measured beside (once) ..."
	@$(BIN)/python -m pip install --editable ".[dev,bench]"
	@touch $@
