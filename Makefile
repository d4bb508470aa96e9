# make demo    see the whole line run          make test    run the tests
# make lint    ruff and mypy                   make bench   run every benchmark there is
# make lock    write the lock files anew (uv)  make clean   remove what these commands made

PYTHON ?= python3
VENV   := .venv
PY     := $(VENV)/bin/python
PIP    := $(PY) -m pip --disable-pip-version-check install --quiet --no-deps
OUT    ?= demo-out
ARGS   ?=

.DEFAULT_GOAL := help
.PHONY: help setup demo test lint bench lock clean

help:
	@sed -n 's/^# \(make .*\)/\1/p' Makefile

setup: $(VENV)/.ready

# Made once; made again when the lock or the project's description changes.
$(VENV)/.ready: requirements.lock pyproject.toml
	@command -v "$(PYTHON)" >/dev/null || { \
		echo "setup: no $(PYTHON) here; install Python 3.11 or newer, or: make PYTHON=/path/to/python3" >&2; exit 1; }
	@"$(PYTHON)" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
		echo "setup: $(PYTHON) is older than 3.11; give a newer one: make PYTHON=/path/to/python3.11" >&2; exit 1; }
	@"$(PYTHON)" -c 'import ensurepip, venv' 2>/dev/null || { \
		if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
			echo "setup: installing python3-venv" && \
			apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends python3-venv >/dev/null; \
		else \
			echo "setup: Python's venv module is missing; as root: apt-get install python3-venv" >&2; exit 1; \
		fi; }
	@echo "setup: $$(grep -c '==' requirements.lock) locked packages into $(VENV) (about a minute)"
	@"$(PYTHON)" -m venv $(VENV)
	@$(PIP) --require-hashes -r requirements.lock
	@$(PIP) --no-build-isolation --editable .
	@touch $@
	@echo "setup: done"

demo: setup
	@$(VENV)/bin/sealine --home $(OUT)/home demo -o $(OUT)

test: setup
	@$(PY) -m pytest -n auto --maxprocesses 4 --dist loadfile $(ARGS)

# No cache: ruff sorts imports by which rooms exist, and would not look again when one has come since.
lint: setup
	@$(PY) -m ruff check --no-cache .
	@$(PY) -m ruff format --check .
	@$(PY) -m mypy

bench: setup
	@found=no; for run in benchmarks/*/run.py; do \
		[ -f "$$run" ] || continue; found=yes; echo "bench: $$run"; $(PY) "$$run" || exit 1; \
	done; [ $$found = yes ] || echo "bench: there is no benchmark (benchmarks/*/run.py) yet"

# requirements.lock is what `setup` installs; the runtime lock is its part without the tools, for the image.
LOCK := uv pip compile pyproject.toml --quiet --generate-hashes --no-emit-index-url --no-annotate --no-header --python-version 3.11
lock:
	@command -v uv >/dev/null || { echo "lock: uv is needed: pip install uv" >&2; exit 1; }
	$(LOCK) --all-extras -o requirements.lock
	$(LOCK) --extra postgres -c requirements.lock -o requirements.runtime.lock

clean:
	@rm -rf $(VENV) demo-out build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +
