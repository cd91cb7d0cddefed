# Everything a person or CI does here has a target; `make` alone lists them.
# Needs GNU make 3.81 or newer, a POSIX shell and Python 3.11 or newer. Nothing is installed outside $(VENV).

AIRFLOW ?= 3.3.2
GATEWAY ?= whapi
ARGS ?=

CONSTRAINTS = constraints/airflow-$(AIRFLOW).txt
ifeq ($(AIRFLOW),3.3.2)
VENV ?= .venv
else
VENV ?= .venv-$(AIRFLOW)
endif
BIN = $(VENV)/bin
STAMP = $(VENV)/.installed
RESOLVE = build/resolve-$(AIRFLOW)

# The newest Python that is there, is new enough, runs (a version manager's shim may not) and can make a venv.
USABLE = import ensurepip, sys, venv; sys.exit(not (3, 11) <= sys.version_info[:2] < (3, 15))
PYTHON ?= $(shell for python in python3.13 python3.12 python3.11 python3; do \
	if $$python -c '$(USABLE)' >/dev/null 2>&1; then echo $$python; break; fi; done)

define require-python
@test -n "$(PYTHON)" || { \
  echo "No usable Python found. This needs Python 3.11 to 3.14 with its venv module" >&2; \
  echo "(on Debian and Ubuntu: the packages python3 and python3-venv)." >&2; \
  echo "If yours has another name or place: make PYTHON=/path/to/python3" >&2; exit 1; }
@$(PYTHON) -c '$(USABLE)' || { \
  echo "$(PYTHON) can't be used: Python 3.11 to 3.14 with its venv module is needed." >&2; exit 1; }
endef

.DEFAULT_GOAL := help
.PHONY: help venv demo demo-up test kill package-test lint format constraints dist clean

help: ## Show this list
	@echo "Variables: AIRFLOW=$(AIRFLOW)  GATEWAY=$(GATEWAY)  PYTHON=$(PYTHON)  VENV=$(VENV)  ARGS='more arguments'"
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk 'BEGIN {FS = ":.*## "} {printf "  make %-12s %s\n", $$1, $$2}'

venv: $(STAMP) ## Set up the environment in .venv (every target below does it first)

demo: $(STAMP) ## Start Airflow and the emulator, run the example campaign, show what happened, stop
	@$(BIN)/python -m whatsapp_provider.demo --gateway $(GATEWAY) $(ARGS)

demo-up: $(STAMP) ## The same, and leave Airflow's UI running until Ctrl-C
	@$(BIN)/python -m whatsapp_provider.demo --gateway $(GATEWAY) --up $(ARGS)

test: $(STAMP) ## Run the tests (real Airflow, emulator, PostgreSQL and browser included)
	@$(BIN)/python -m pytest -m "not kill and not packaging" $(ARGS)

kill: $(STAMP) ## Run the tests that kill real processes and wait for Airflow to notice (minutes)
	@$(BIN)/python -m pytest -m kill $(ARGS)

package-test: $(STAMP) ## Build the wheel, install it into a bare environment, and ask Airflow what it sees
	@$(BIN)/python -m pytest -m packaging $(ARGS)

lint: $(STAMP) ## Check style, formatting and types
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy

format: $(STAMP) ## Format the code and mend what can be mended
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix .

constraints: ## Resolve anew and write the pinned versions of AIRFLOW into constraints/
	$(require-python)
	@rm -rf $(RESOLVE) && $(PYTHON) -m venv $(RESOLVE)
	@$(RESOLVE)/bin/python -m pip install --quiet --upgrade pip
	@$(RESOLVE)/bin/python -m pip install --quiet "apache-airflow==$(AIRFLOW)" --editable . --group dev
	@{ echo "# What airflow-provider-whatsapp is developed and tested with on Airflow $(AIRFLOW)."; \
	   echo "# Written by 'make constraints AIRFLOW=$(AIRFLOW)'; not edited by hand."; \
	   $(RESOLVE)/bin/python -m pip list --format=freeze --exclude-editable --exclude setuptools \
	   | LC_ALL=C sort -f; } > $(RESOLVE)/constraints.txt
	@mv $(RESOLVE)/constraints.txt $(CONSTRAINTS) && rm -rf $(RESOLVE)
	@echo "$(CONSTRAINTS): $$(grep -c == $(CONSTRAINTS)) packages"

dist: $(STAMP) ## Build the wheel and the source distribution into dist/
	@rm -rf dist && $(BIN)/python -m build

clean: ## Remove the environments and everything else that was made here
	rm -rf .venv .venv-* build dist .cache .mypy_cache .pytest_cache .ruff_cache .hypothesis *.egg-info
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(STAMP): pyproject.toml $(CONSTRAINTS)
	$(require-python)
	@echo "Setting up $(VENV) with Airflow $(AIRFLOW) on $$($(PYTHON) --version) (a minute or two, once)"
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint $(CONSTRAINTS) --upgrade pip
	@$(BIN)/python -m pip install --quiet --constraint $(CONSTRAINTS) --editable . --group dev
	@touch $(STAMP)
