# Every target does its own set-up, once. `make help` lists them.

PYTHON ?= python3.11
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
CHROMIUM := $(shell command -v chromium || command -v chromium-browser || command -v google-chrome)

.DEFAULT_GOAL := help
.PHONY: help install demo demo-fast test test-slow check format docs lock calibration chaos clean browser

help:  ## This list
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-14s %s\n", $$1, $$2}'

install: $(READY)  ## The virtual environment with what requirements.lock pins

$(READY): pyproject.toml requirements.lock
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info[:2] != (3, 11))' || { \
	  echo "Python 3.11 is needed: apt-get install python3.11 python3.11-venv, or PYTHON=… make"; exit 1; }
	@command -v g++ >/dev/null || { echo "A C++ compiler is needed: apt-get install build-essential"; exit 1; }
	$(PYTHON) -m venv $(VENV)
	@echo "Installing; the first time llama-cpp-python is compiled, about 6 minutes on 2 cores."
	$(BIN)/pip install --quiet --requirement requirements.lock
	$(BIN)/pip install --quiet --no-deps --editable .
	@touch $(READY)

demo: $(READY)  ## Four simulated weeks of a channel; reports and memes in demo-out/
	$(BIN)/publisher demo

demo-fast: $(READY)  ## One simulated week, in under two minutes
	$(BIN)/publisher demo --fast

test: $(READY)  ## The tests to run all the time
	$(BIN)/pytest -m "not slow" --numprocesses auto --maxprocesses 4 --dist worksteal

test-slow: $(READY) browser  ## The slow tests: real model, browser, chaos
	$(BIN)/pytest -m slow

browser:
	@test -n "$(CHROMIUM)" || { test "$$(id -u)" = 0 && apt-get update -qq && apt-get install -qq -y chromium >/dev/null; } \
	  || echo "No Chromium: the browser tests will say that they were skipped."

check: $(READY)  ## ruff, mypy, import contracts, docs in step with the commands
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy publisher jobs experiments
	$(BIN)/lint-imports
	$(BIN)/python -m docs.commands --check

format: $(READY)  ## Let ruff mend what it can
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

docs: $(READY)  ## Write docs/commands.md anew from the commands' own help
	$(BIN)/python -m docs.commands

lock: $(READY)  ## Pin what is installed now, after a change of pyproject.toml
	$(BIN)/pip install --quiet --editable '.[dev]'
	$(BIN)/pip freeze --exclude-editable --exclude pip | sed 's/+cpu//' > requirements.lock

calibration: $(READY)  ## docs/calibration.md anew: 20,000 simulated experiments a cell
	$(BIN)/python -m experiments.calibration

chaos: $(READY)  ## N=100 kills and faults, from SEED=1
	$(BIN)/python -m tests.chaos --kills $(or $(N),100) --seed $(or $(SEED),1)

clean:  ## Everything that make made
	rm -rf $(VENV) demo-out build *.egg-info
