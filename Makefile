# Every target sets up its own virtual environment (.venv) when it is missing or out of date.
#   make run ARGS="--port 9000"     make test ARGS="-m 'not slow'"     make bench ARGS=soak
# Another interpreter: make clean run PYTHON=python3.13

PYTHON ?= python3
ARGS ?=
BIN := .venv/bin
READY := .venv/ready
READY_TO_BENCH := .venv/ready-to-bench

TOO_OLD = Newswire needs Python 3.11 or newer, but "$(PYTHON)" is \
	$(or $(shell command -v $(PYTHON) >/dev/null && $(PYTHON) --version 2>&1),not there). \
	Name another one: make run PYTHON=python3.13

# The first is read by every pip, the second by those that build in an isolation of their own.
export PIP_CONSTRAINT := constraints.txt
export PIP_BUILD_CONSTRAINT := constraints.txt
export PIP_DISABLE_PIP_VERSION_CHECK := 1

.PHONY: run test lint bench clean

run: $(READY)
	@$(BIN)/newswire demo $(ARGS)

test: $(READY)
	$(BIN)/pytest -n 2 $(ARGS)

lint: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo
	$(BIN)/check-jsonschema --builtin-schema vendor.compose-spec docker-compose.yml

bench: $(READY_TO_BENCH)
	@$(BIN)/python -m bench $(ARGS)

clean:
	rm -rf .venv .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis build dist

$(READY): pyproject.toml constraints.txt
	$(if $(shell $(PYTHON) -c 'import sys; print(sys.version_info >= (3, 11) or "")' 2>/dev/null),,$(error $(TOO_OLD)))
	@echo "Setting up .venv (once; a minute or two) ..."
	@$(BIN)/python -m pip --version >/dev/null 2>&1 || $(PYTHON) -m venv --clear .venv
	@$(BIN)/python -m pip install --editable ".[dev]"
	@touch $@
	@echo "Ready."

$(READY_TO_BENCH): $(READY)
	@echo "Setting up what Newswire is measured beside (once) ..."
	@$(BIN)/python -m pip install --editable ".[dev,bench]"
	@touch $@
