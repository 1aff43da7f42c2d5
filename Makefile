# Every target makes the environment it needs, in .venv: with uv where it is found, with venv and pip where not.
# `make demo` and `make test` are all the set-up there is. ARGS are passed on: `make test ARGS="-k migrate"`.

PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
UV     := $(shell command -v uv 2>/dev/null)
ARGS   ?=

.PHONY: demo test check bench soak docs lock clean

demo: $(VENV)/demo.stamp
	@$(BIN)/python -m bot demo $(ARGS)

test: $(VENV)/dev.stamp
	$(BIN)/python -m pytest $(ARGS)

check: $(VENV)/dev.stamp
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m docs.generate --check

bench: $(VENV)/dev.stamp
	@$(BIN)/python -m tests.bench $(ARGS)

# Three days' work at full speed: does anything grow that should not? ARGS="--days 1 --minutes 5" makes it shorter.
soak: $(VENV)/dev.stamp
	@$(BIN)/python -m tests.bench.soak $(ARGS)

docs: $(VENV)/dev.stamp
	$(BIN)/python -m docs.generate

# Resolve the dependencies anew. The files name versions and hashes, and no registry.
lock: $(VENV)/dev.stamp
	$(BIN)/uv --version >/dev/null 2>&1 || $(BIN)/python -m pip install --quiet uv
	for set in build:run sandbox:sandbox dev:dev; do \
	  $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header \
	    --upgrade --extra $${set%:*} --output-file requirements/$${set#*:}.txt pyproject.toml || exit 1; \
	done

clean:
	rm -rf $(VENV) build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit("Xenia needs Python 3.11 or newer") if sys.version_info < (3, 11) else None'
ifneq ($(UV),)
	@$(UV) venv --quiet --allow-existing --python $(PYTHON) $(VENV)
else
	@$(PYTHON) -m venv $(VENV)
endif

# $(call install,SET): the locked packages of requirements/SET.txt, and the project itself, without looking for anything else.
ifneq ($(UV),)
install = $(UV) pip install --quiet --python $(BIN)/python --require-hashes -r requirements/$(1).txt && \
          $(UV) pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation -e .
else
install = $(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/$(1).txt && \
          $(BIN)/python -m pip install -qq --disable-pip-version-check --no-deps --no-build-isolation -e .
endif

$(VENV)/demo.stamp: requirements/sandbox.txt pyproject.toml | $(VENV)/bin/python
	@echo "Setting up $(VENV) (once)"
	@$(call install,sandbox)
	@touch $@

$(VENV)/dev.stamp: requirements/dev.txt pyproject.toml | $(VENV)/bin/python
	@echo "Setting up $(VENV) for development (once)"
	@$(call install,dev)
	@touch $@
