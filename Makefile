# The commands of README.md. HOST, PORT, DATA_DIR, DATABASE_URL and EXECUTORS pass through from the environment.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/pip --disable-pip-version-check --quiet install --require-hashes
# The first of these that exists is the Chromium that the browser tests use.
CHROMIUM := $(shell command -v chromium || command -v chromium-browser || command -v google-chrome)
TESTS ?=
# As many test processes as there are processors, each with a database of its own.
JOBS ?= $(shell nproc 2>/dev/null || echo 2)
# A process that has nothing left takes tests over from the others.
PYTEST := sh tests/in_memory.sh $(BIN)/python -m pytest -n $(JOBS) --dist worksteal
SUITE := $(PYTEST) -m "not browser and not nightly" $(TESTS)
BROWSER_SUITE := $(PYTEST) -m "browser and not nightly"
# Where the long tests look for new examples: another place every night, and the same one again by its number.
HYPOTHESIS_SEED ?= $(shell date +%s)
HYPOTHESIS_SEED := $(HYPOTHESIS_SEED)
NIGHTLY := $(PYTEST) -m "nightly and not browser" --hypothesis-seed=$(HYPOTHESIS_SEED)
# What hundreds of processes run is compiled once, whatever the environment says.
unexport PYTHONDONTWRITEBYTECODE
# The server that the long tests use beside SQLite; they make and drop a database of their own there.
SERVER := $(or $(filter postgres%,$(DATABASE_URL)),postgres://postgres@127.0.0.1:5432/postgres)
ISOLATED := env -u DATABASE_URL -u DATA_DIR

.PHONY: help venv run test test-browser test-postgres lint migration nightly bench bench-history bench-scale bench-running bench-loaded bench-claimers bench-lifetime bench-peers paint fuzz simulate sbom audit attack wheel clean

help:
	@echo "make run            set up what is missing and start everything (HOST, PORT, DATA_DIR)"
	@echo "make test           the whole test suite on SQLite; browser tests when Chromium is installed"
	@echo "make test-browser   the browser tests alone; fails without Chromium"
	@echo "make test-postgres  the suite on the server that DATABASE_URL names (CASES=first-cases: one case of each test)"
	@echo "make lint           ruff, mypy, djlint, missing migrations"
	@echo "make migration      the one migration made anew from the models, until a version is released"
	@echo "make nightly        the long tests, on SQLite and on PostgreSQL where a server answers (EXAMPLES, HYPOTHESIS_SEED)"
	@echo "make bench          the measurements: statements and processor time of acts, rounds and readers"
	@echo "make bench-history  what verifying a long history takes, with the state rebuilt from it (ENTRIES)"
	@echo "make bench-scale    statements and time of the main pages with many workstreams (WORKSTREAMS, TASKS)"
	@echo "make bench-running  what an installation takes at rest, and from a completion to the next claim"
	@echo "make bench-loaded   eight executors at work over REST: steps a second, calls, shares, the queue (STEPS, DATABASE_URL)"
	@echo "make bench-claimers sixteen processes that claim and complete on PostgreSQL, beside bare rows (DATABASE_URL)"
	@echo "make bench-lifetime a workstream from its first step to its end: what a step costs, the repository (TASKS)"
	@echo "make bench-peers    what a no-op step costs in DBOS, installed apart, and here"
	@echo "make paint          how long until the largest part of each main page stands in Chromium; on an idle machine"
	@echo "make fuzz           100,000 damaged plans of each format (MUTATIONS, SEED, ONLY); every reader has to answer with findings"
	@echo "make simulate       work under every disturbance at once, in simulated time (SEED, HOURS, RUNS); a seed is one history"
	@echo "make sbom           the bill of materials of requirements.lock, in dist/sbom.json (CycloneDX)"
	@echo "make audit          asks a source of known holes about requirements.lock; says so where none answers (AUDIT_URL)"
	@echo "make attack         attacks a running installation (URL, TOKEN) and says what became of each attack"
	@echo "make wheel          the command line alone, for an agent's machine, in dist/"
	@echo "make venv           only install what is needed to run it; make clean removes that again and keeps the data"

venv: $(VENV)/.installed $(BIN)/orchestrator

# The command line, from wherever it is called.
$(BIN)/orchestrator: Makefile | $(VENV)/bin/python
	@printf '#!/bin/sh\nPYTHONPATH="%s" exec "%s/bin/python" -m orchestrator.client "$$@"\n' \
	  "$(CURDIR)" "$(CURDIR)/$(VENV)" > $@
	@chmod +x $@

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { \
	  echo "Python 3.11 or newer is needed; $(PYTHON) is $$($(PYTHON) --version 2>&1 || echo missing)." \
	  "Name another one: make PYTHON=python3.12 $(MAKECMDGOALS)"; exit 1; }
	@$(PYTHON) -m venv $(VENV) || { \
	  echo "The virtual environment cannot be made. On Debian: apt-get install python3-venv"; rm -rf $(VENV); exit 1; }

$(VENV)/.installed: requirements.lock | $(VENV)/bin/python
	@echo "Installing what requirements.lock names …"
	@$(PIP) -r requirements.lock
	@touch $@

$(VENV)/.installed-test: requirements-test.lock | $(VENV)/.installed
	@echo "Installing what requirements-test.lock names …"
	@$(PIP) -r requirements-test.lock
	@touch $@

$(VENV)/.installed-browser: requirements-browser.lock | $(VENV)/.installed-test
	@echo "Installing what requirements-browser.lock names …"
	@$(PIP) -r requirements-browser.lock
	@touch $@

run: venv
	@exec $(BIN)/python manage.py serve --demo

ifeq ($(CHROMIUM),)
test: $(VENV)/.installed-test
	@echo "Browser tests are skipped: there is no Chromium. On Debian: apt-get install chromium"
	$(ISOLATED) $(SUITE)
else
test: $(VENV)/.installed-browser
	$(ISOLATED) $(SUITE)
	$(if $(TESTS),,$(ISOLATED) $(BROWSER_SUITE) tests/browser)
endif

test-browser: $(VENV)/.installed-browser
	@test -n "$(CHROMIUM)" || { echo "There is no Chromium. On Debian: apt-get install chromium"; exit 1; }
	$(ISOLATED) $(BROWSER_SUITE) $(or $(TESTS),tests/browser)

test-postgres: $(VENV)/.installed-test
	@case "$${DATABASE_URL:-}" in postgres*) ;; *) \
	  echo "Name the server: DATABASE_URL=postgres://user@host:5432/name make test-postgres" \
	  "(the tests make and drop a database of their own beside it)"; exit 1;; esac
	env -u DATA_DIR DATABASE_TESTS_ONLY=$(or $(CASES),all) $(SUITE)

lint: $(VENV)/.installed-browser
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/djlint --check --lint templates
	DATA_DIR=$$(mktemp -d) $(BIN)/python manage.py makemigrations --check --dry-run --skip-checks

nightly: $(if $(CHROMIUM),$(VENV)/.installed-browser,$(VENV)/.installed-test)
	@echo "The examples of this night are those of HYPOTHESIS_SEED=$(HYPOTHESIS_SEED): make nightly HYPOTHESIS_SEED=$(HYPOTHESIS_SEED)" \
	  "tries them again."
	$(if $(TESTS)$(if $(CHROMIUM),,none),,$(ISOLATED) $(BIN)/python -m pytest -m "nightly and browser" tests/browser)
	$(ISOLATED) ENGINE_EXAMPLES=$(or $(EXAMPLES),2000) $(NIGHTLY) $(TESTS)
	@if $(BIN)/python -c 'import psycopg, sys; psycopg.connect(sys.argv[1], connect_timeout=3)' "$(SERVER)" 2>/dev/null; \
	then env -u DATA_DIR DATABASE_TESTS_ONLY=all DATABASE_URL="$(SERVER)" ENGINE_EXAMPLES=$(or $(EXAMPLES),500) $(NIGHTLY) $(TESTS) && \
	$(if $(TESTS),true,env -u DATA_DIR DATABASE_TESTS_ONLY=all DATABASE_URL="$(SERVER)" $(SUITE)); \
	else echo "Skipped on PostgreSQL: no server answers at $(SERVER). Name one in DATABASE_URL."; fi

migration: $(VENV)/.installed-test
	DATA_DIR=$$(mktemp -d) DJANGO_SETTINGS_MODULE=tests.settings $(BIN)/python -m tests.remade_migration

bench: $(VENV)/.installed-test
	DJANGO_SETTINGS_MODULE=tests.settings $(BIN)/python -m tests.benchmarks.measure

bench-history: $(VENV)/.installed-test
	DJANGO_SETTINGS_MODULE=tests.settings $(BIN)/python -m tests.benchmarks.lives $(or $(ENTRIES),1000000)

bench-scale: $(VENV)/.installed-test
	DJANGO_SETTINGS_MODULE=tests.settings $(BIN)/python -m tests.benchmarks.scale $(or $(WORKSTREAMS),10000) $(or $(TASKS),1000000)

bench-running: $(VENV)/.installed-test
	$(BIN)/python -m tests.benchmarks.running

bench-loaded: $(VENV)/.installed-test
	DJANGO_SETTINGS_MODULE=tests.settings $(BIN)/python -m tests.benchmarks.loaded $(or $(STEPS),1000)

bench-claimers: $(VENV)/.installed-test
	DJANGO_SETTINGS_MODULE=tests.settings DATABASE_URL="$(SERVER)" $(BIN)/python -m tests.benchmarks.claimers

bench-lifetime: $(VENV)/.installed-test
	DJANGO_SETTINGS_MODULE=tests.settings $(BIN)/python -m tests.benchmarks.lifetime $(or $(TASKS),10000)

bench-peers: $(VENV)/.installed-test
	DJANGO_SETTINGS_MODULE=tests.settings $(BIN)/python -m tests.benchmarks.peers

paint: $(VENV)/.installed-browser
	$(ISOLATED) $(BIN)/python -m tests.benchmarks.paint

fuzz: $(VENV)/.installed-test
	$(BIN)/python -m tests.fuzz_readers --mutations $(or $(MUTATIONS),100000) --seed $(or $(SEED),0) $(if $(ONLY),--only $(ONLY))

simulate: $(VENV)/.installed-test
	$(ISOLATED) SEED=$(or $(SEED),1) HOURS=$(or $(HOURS),1000) RUNS=$(or $(RUNS),1) \
	  $(BIN)/python -m pytest -m nightly -k histories_come -s tests/simulation/test_simulation.py

sbom:
	@mkdir -p dist
	@$(PYTHON) deploy/sbom.py requirements.lock > dist/sbom.json
	@echo "dist/sbom.json"

audit:
	@$(PYTHON) deploy/audit.py requirements.lock

attack:
	@$(PYTHON) deploy/attack.py $(or $(URL),http://127.0.0.1:8000)

# From a copy, because the package that it is part of is no package of its own there.
wheel: $(VENV)/.installed-test
	@rm -rf build/client && mkdir -p build/client/orchestrator
	@cp -R orchestrator/client build/client/orchestrator/client
	@mv build/client/orchestrator/client/pyproject.toml build/client/
	@$(BIN)/python -m flit_core.wheel --outdir dist build/client
	@rm -rf build/client

# Data are kept: remove var/ by hand if they are not wanted any more.
clean:
	rm -rf $(VENV) build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis test-artifacts
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
