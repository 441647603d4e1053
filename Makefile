# `make` alone lists the targets. Every target first sets up .venv where it is missing or out of date.
# PYTHON=python3.12  the interpreter that .venv is made with (3.11 or newer)
# ARGS=...           passed on by study, test and bench, e.g.  make test ARGS="-k strength"

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help study test test-slow lint format bench docs clean

PYTHON ?= python3
ARGS ?=
BIN := .venv/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt
RESULTS := results/scabini

help:  ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-11s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

study: .venv/.runtime  ## run the main job: train, measure and report a population of digits networks
	$(BIN)/synaplex study scabini --out $(RESULTS) $(ARGS)
	@echo "The report lies in $(RESULTS)/report.html"

# One process a core, one thread a process: the matrices are small, and threads that compete cost more than they give.
test: .venv/.installed  ## run the tests
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n auto $(ARGS)

test-slow: .venv/.installed  ## run the tests that take longer
	$(BIN)/python -m pytest -m slow $(ARGS)

lint: .venv/.installed  ## check style, format and types, changing nothing
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

format: .venv/.installed  ## mend style and format
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: .venv/.installed  ## print how fast the measures are beside their peers
	$(BIN)/python -m benchmarks $(ARGS)

docs: .venv/.installed  ## build the documentation into site/
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict

clean:  ## remove what can be made again, except .venv and results
	rm -rf site dist build .mypy_cache .pytest_cache .ruff_cache .hypothesis
	find src tests benchmarks -name __pycache__ -prune -exec rm -rf {} +

# What the study needs; then, for the other targets, everything.
.venv/.runtime: pyproject.toml constraints.txt
	@$(BIN)/python -m pip --version >/dev/null 2>&1 || { \
	  command -v $(PYTHON) >/dev/null || { echo "No $(PYTHON) here. Say: make PYTHON=/path/to/python" >&2; exit 1; }; \
	  $(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	    echo "Synaplex needs Python 3.11 or newer; $(PYTHON) is $$($(PYTHON) -V 2>&1). Say: make PYTHON=python3.12" >&2; \
	    exit 1; }; \
	  $(PYTHON) -m venv .venv; }
	@echo "Installing Synaplex and what it needs into .venv (PyTorch is a large download)"
	@$(PIP) -e .
	@touch $@

.venv/.installed: .venv/.runtime
	@echo "Installing the tools for tests, benchmarks and documentation into .venv"
	@$(PIP) -e '.[dev,interop,keras,onnx,encoders,lightning,ray,bench,docs]'
	@touch $@
