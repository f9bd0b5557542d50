# connect-router. Needs: make, Python >= 3.11 with venv, and the package index that pip is set up for.
#
#   make demo                 the product in one command, no AWS account
#   make fast                 the tests that need no thread, socket or process, in some 15 seconds
#   make test                 everything that CI checks
#   make PYTHON=python3.13 VENV=.venv-3.13 test

VENV    ?= .venv
# Tests wait more than they work: six at a time keep two cores busy.
WORKERS ?= 6
# The first Python that is new enough: `python3` of Ubuntu 22.04 and RHEL 9 is not, and has a younger one beside it.
ifndef PYTHON
PYTHON := $(shell for p in python3 python3.14 python3.13 python3.12 python3.11; do \
	$$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$p && break; done)
else
PYTHON_WANTED := $(PYTHON)
endif

PY      := $(VENV)/bin/python
# What is installed is kept in stamps inside the environment, so that they go when it goes.
ENV     := $(VENV)/.connect-router-environment
RUNTIME := $(VENV)/.connect-router-runtime
DEV     := $(VENV)/.connect-router-dev
WHEEL   := $(VENV)/.connect-router-wheel
# Folders too: a file that was deleted leaves no other trace.
SOURCES := $(shell find router -name __pycache__ -prune -o -print) $(wildcard pyproject.toml connect_router.py LICENSE README.md \
	config.toml Containerfile requirements.lock docs/messages.md rules rules/* systemd systemd/* monitoring monitoring/*)

# What the caller's shell has set must not decide which `router` is tested.
unexport PYTHONPATH PYTHONHOME
# Without bytecode, each process of a run compiles every test and module again, which takes twice the time of their import.
unexport PYTHONDONTWRITEBYTECODE
export PIP_DISABLE_PIP_VERSION_CHECK = 1

# $(call step,what it does,command): one line, and what the command printed only when it failed.
define step
	@mkdir -p build; printf '%s\n' '-- $(1)'; \
	{ $(2) ; } >build/step.log 2>&1 || { status=$$?; cat build/step.log; echo 'make: failed: $(1)' >&2; exit $$status; }
endef
# Wheels only: building one from source would fetch what it is built with, unpinned and unchecked.
PIP_INSTALL = $(PY) -m pip install --quiet --require-hashes --only-binary :all:

.DEFAULT_GOAL := help
.NOTPARALLEL:
.DELETE_ON_ERROR:
.PHONY: help setup demo test lint imports types suite fast unit measures bench chaos routers api-diff pictures acceptance-worlds fuzz proofs simulation mutants lock lowest bounds clean distclean FORCE

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: $(WHEEL) ## the environment, the locked packages, and connect-router's wheel in it

demo: $(WHEEL) ## sandbox and service together, enforcing, with live traffic; no AWS account
	@rm -rf build/demo-journal
	@$(VENV)/bin/connect-router demo --set journal.path=build/demo-journal --set journal.attributes=true $(ARGS)
	@echo 'try a changed copy of the rules on it: connect-router backtest --journal build/demo-journal --against RULES'

# The tests wait often, and mypy uses that time. Its failure is printed last, where it is seen.
test: lint imports bounds $(WHEEL) ## everything: lint, imports, types, and the tests against the installed wheel
	@$(MAKE) --no-print-directory types >build/types.log 2>&1 & types=$$!; \
	$(MAKE) --no-print-directory suite; tests=$$?; \
	wait $$types || { cat build/types.log; exit 1; }; exit $$tests

lint: $(DEV) ## ruff: the checks and the format
	$(call step,lint,$(VENV)/bin/ruff check . && $(VENV)/bin/ruff format --check .)

imports: $(DEV) ## which package may import which
	$(call step,imports,$(VENV)/bin/lint-imports)

types: $(DEV) ## mypy, strict
	$(call step,types,$(VENV)/bin/mypy)

# worksteal: tests that wait (signals, polls, landings) stand together in their files, and would all fall to one worker at the
# end. Safe path: neither `pytest` nor a `python -m router` that a test starts may find the checkout in its working folder.
PYTEST = TEST_THE_WHEEL=1 PYTHONSAFEPATH=1 HYPOTHESIS_PROFILE=suite $(VENV)/bin/pytest -q -n $(WORKERS) --dist worksteal

# npm packages: where there is no Node.js, or no npm registry, their tests are skipped and say so.
NPM := $(patsubst %,build/%/.connect-router-npm,browser dynalite javascript)
$(NPM): build/%/.connect-router-npm: tests/%/package.json tests/%/package-lock.json
	$(call step,$* where npm has it,mkdir -p $(@D) && cp $^ $(@D)/ && \
		{ ! command -v npm >/dev/null || npm ci --prefix $(@D) --ignore-scripts --no-audit --no-fund --fetch-retries=0 --fetch-timeout=20000 || true ; })
	@touch $@

suite: $(DEV) $(WHEEL) $(NPM) ## all tests (ARGS= goes to pytest)
	@command -v promtool >/dev/null || echo 'make: not evaluated: monitoring/alerts.yml, because promtool (Debian package prometheus) is missing' >&2
	@echo '-- tests'
	@$(PYTEST) $(ARGS)

# Of the checkout: it needs no wheel. tests/purity.py says what belongs in it, and fails what does not.
FAST = -q -n auto --dist worksteal -m 'not uses' tests/unit tests/properties tests/docs
fast: $(DEV) ## the tests that need no thread, socket or process, in some 15 seconds (ARGS= goes to pytest)
	@echo '-- fast tests'
	@HYPOTHESIS_PROFILE=fast $(VENV)/bin/pytest $(FAST) $(ARGS)

unit: $(DEV) $(WHEEL) ## the unit tests (ARGS= goes to pytest)
	@echo '-- unit tests'
	@$(PYTEST) tests/unit $(ARGS)

measures: $(ENV) ## sizes, names and language of the code and the docs (ARGS='OLDER' compares with an older checkout)
	@$(PY) tests/measures/report.py $(ARGS)

bench: $(DEV) $(WHEEL) ## every benchmark, each beside an alternative, in some 35 minutes (WRITE=1: into docs/performance.md)
	@for script in bench/*.py; do BENCH_WRITE=$(WRITE) PYTHONSAFEPATH=1 $(VENV)/bin/python $$script $(ARGS) || exit; done

routers: $(DEV) $(WHEEL) ## three routers on one DynamoDB table: their calls, then ended again and again, in some ten minutes (ARGS='--ends N')
	@PYTHONSAFEPATH=1 $(PY) tests/chaos/one_budget.py
	@PYTHONSAFEPATH=1 $(PY) tests/chaos/routers.py $(ARGS)

chaos: $(DEV) $(WHEEL) ## a thousand routers killed between decision and settlement, in some ten minutes (ARGS='--kills N --seed N --events')
	@$(PY) tests/chaos/run.py $(ARGS)

acceptance-worlds: $(DEV) $(WHEEL) ## the acceptance suite in every world of the sandbox and of a second implementation, in half an hour (ARGS='--random N --seed N')
	@PYTHONSAFEPATH=1 $(PY) tests/acceptance/run.py $(ARGS)

fuzz: $(DEV) $(WHEEL) ## 100,000 inputs for every loader of files and of command lines (ARGS='--count N --seed N')
	@PYTHONSAFEPATH=1 $(PY) tests/fuzz/run.py $(ARGS)

simulation: $(DEV) $(WHEEL) ## the simulation against queueing theory, and against a hundred histories of known effect, in some ten minutes
	@SIMULATION_TIMES=10 SIMULATION_HISTORIES=100 $(PYTEST) --dist loadfile --timeout 3600 tests/unit/simulation/test_theory.py \
		tests/unit/simulation/test_multi_skill.py tests/unit/simulation/test_coverage.py $(ARGS)

proofs: $(DEV) $(WHEEL) ## 100,000 random contacts against every proved promise of random rules (ARGS='--count N --seed N')
	@PYTHONSAFEPATH=1 $(PY) tests/proofs/run.py $(ARGS)

mutants: $(DEV) $(WHEEL) ## 200 small changes of the code in a copy, and which of them no test notices (ARGS='--count N --seed N')
	@PYTHONSAFEPATH=1 $(PY) tests/mutants/run.py $(ARGS)

pictures: $(DEV) ## the pictures of README.md and docs/, and the anchors of docs/messages.md
	@PYTHONPATH=. $(PY) tests/docs/pictures.py
	@PYTHONPATH=. $(PY) tests/docs/anchors.py

api-diff: $(DEV) ## what the pinned AWS SDK changed for the operations we call: docs/api-changes.md (ARGS='BEFORE NOW' prints only)
	@PYTHONPATH=. $(PY) tests/api_model/diff.py $(ARGS)

# usable: Python >= 3.11 with pip. other: of another Python than the one asked for. Empty: to be made, anew or for the
# first time.
STATE := $(shell $(PY) -c 'import sys, pip; print("usable" if sys.version_info >= (3, 11) else "")' 2>/dev/null)
VERSION = $(shell $(1) -c 'import sys; print("%d.%d" % sys.version_info[:2])' 2>/dev/null)
ifneq ($(and $(PYTHON_WANTED),$(STATE)),)
ifneq ($(call VERSION,$(PY)),$(call VERSION,$(PYTHON_WANTED)))
STATE := other
endif
endif

# An environment of another Python is refused, not replaced: somebody may be using it.
$(ENV): $(if $(filter usable,$(STATE)),,FORCE)
	@if [ '$(STATE)' = other ]; then \
		echo 'make: $(VENV) is not of $(PYTHON); name another with VENV=, or remove it: make distclean' >&2; exit 2; fi
	@if ! '$(or $(PYTHON),python3)' -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then \
		echo 'make: $(or $(PYTHON),python3) is no Python >= 3.11; name one: make PYTHON=/path/to/python3' >&2; exit 2; fi
	@if [ -e '$(VENV)' ] && [ ! -e '$(VENV)/pyvenv.cfg' ]; then \
		echo 'make: $(VENV) is no Python environment; name another with VENV=' >&2; exit 2; fi
	$(if $(STATE),,$(call step,environment in $(VENV) with $(PYTHON),\
		$(PY) -c 'import sys; sys.exit(sys.version_info < (3, 11))' && $(PY) -m ensurepip \
		|| $(PYTHON) -m venv --clear '$(VENV)'))
	@touch $@

$(RUNTIME): requirements.lock requirements-build.lock $(ENV)
	$(call step,packages of the product,$(PIP_INSTALL) -r requirements.lock -r requirements-build.lock)
	@touch $@

$(DEV): requirements-dev.lock $(RUNTIME)
	$(call step,packages for checks and tests,$(PIP_INSTALL) -r requirements-dev.lock)
	@touch $@

$(WHEEL): $(SOURCES) $(RUNTIME)
	$(call step,wheel of connect-router,\
		rm -rf build/wheel && $(PY) -m hatchling build -t wheel -d build/wheel && \
		$(PY) -m pip install --quiet --no-index --no-deps --force-reinstall build/wheel/*.whl)
	@touch $@

# Universal (every platform, every Python that is promised), with hashes, and without an address: any index will do.
# What is locked stays locked unless UPGRADE=--upgrade.
UV = $(firstword $(wildcard $(VENV)/bin/uv) $(shell command -v uv 2>/dev/null))
COMPILE = $(or $(UV),$(VENV)/bin/uv) pip compile --quiet --no-config --universal --python-version 3.11 --generate-hashes \
	--no-annotate --no-header --no-emit-index-url --no-emit-find-links $(UPGRADE)

lock: $(ENV) ## remake the locks from pyproject.toml (UPGRADE=--upgrade for newer releases)
	$(if $(UV),,$(call step,uv,$(PY) -m pip install --quiet 'uv>=0.9'))
	$(call step,requirements.lock,$(COMPILE) pyproject.toml -o requirements.lock)
	$(call step,requirements-dev.lock,$(COMPILE) pyproject.toml --group dev -c requirements.lock -o requirements-dev.lock)
	$(call step,requirements-build.lock,$(COMPILE) --group build -c requirements-dev.lock -o requirements-build.lock)
	@if grep -nE '://|^ *-[-if]' requirements*.lock | grep -v -- --hash=; then echo 'make: a lock names an address' >&2; exit 1; fi

# The lower bounds of pyproject.toml, tried: the product's packages in the oldest versions allowed, in an environment of their own.
LOWEST := build/lowest/.connect-router-lowest
$(LOWEST): pyproject.toml $(ENV)
	$(if $(UV),,$(call step,uv,$(PY) -m pip install --quiet 'uv>=0.9'))
	$(call step,lowest versions allowed,\
		rm -rf build/lowest && $(PY) -m venv build/lowest && \
		$(COMPILE) --all-extras --resolution lowest-direct pyproject.toml -o build/lowest/requirements.txt && \
		$(COMPILE) pyproject.toml --group dev -c build/lowest/requirements.txt -o build/lowest/requirements-dev.txt && \
		build/lowest/bin/python -m pip install --quiet --require-hashes --only-binary :all: -r build/lowest/requirements-dev.txt)
	@touch $@

# The dependencies that passed are in a file of the repository: commit it. CI tries them by itself after a change without it.
TRIED := .ci/lowest-tried
BOUNDS = $(PY) -c 'import tomllib; p = tomllib.load(open("pyproject.toml", "rb"))["project"]; print(*p["dependencies"], *sum(p["optional-dependencies"].values(), []), sep="\n")'

lowest: $(LOWEST) ## the tests of `make fast` with the oldest packages that pyproject.toml allows (ARGS= goes to pytest)
	@echo '-- tests with the lowest versions allowed'
	@HYPOTHESIS_PROFILE=fast build/lowest/bin/python -m pytest $(FAST) $(ARGS)
	@$(if $(ARGS),:,$(BOUNDS) >$(TRIED))

bounds: $(ENV) ## `make lowest`, if the dependencies in pyproject.toml have changed since it passed
	@$(BOUNDS) | cmp -s - $(TRIED) || $(MAKE) lowest ARGS=

clean: ## what was built, and the tools' caches
	rm -rf build dist .hypothesis .import_linter_cache .mypy_cache .pytest_cache .ruff_cache
	rm -f $(ENV) $(RUNTIME) $(DEV) $(WHEEL)

distclean: clean ## and the environment
	rm -rf '$(VENV)'
