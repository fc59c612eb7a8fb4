# GNU make and a POSIX shell; Python 3.11 or newer with its pip, or uv where it is on PATH. Nothing else first.
# `make PYTHON=python3.12 test` takes another Python.

PYTHON ?= python3
ARGS ?=
KILLS ?= 1000
SOAK ?= 600
GROWTH ?= 100000
MAILS ?= 10000

BIN := .venv/bin
VERSION := $(shell $(PYTHON) -c 'import sys; print("%d.%d.%d" % sys.version_info[:3] if sys.version_info >= (3, 11) else "")')

# What is installed is noted inside .venv, and with the version: another Python finds no note and starts afresh.
VENV := .venv/.made-by-$(VERSION)
RUN := .venv/.installed-run-$(VERSION)
DEV := .venv/.installed-dev-$(VERSION)

# A uv that is on PATH may still not run, as a pyenv shim for another version does.
UV := $(shell uv --version >/dev/null 2>&1 && echo uv)
ifeq ($(UV),uv)
INSTALL := UV_SYSTEM_CERTS=1 uv pip install --quiet --python $(BIN)/python
else
INSTALL := $(PYTHON) -m pip --disable-pip-version-check --python $(BIN)/python install --quiet
endif

COMPILE := UV_SYSTEM_CERTS=1 uv pip compile --quiet --universal --generate-hashes --no-header --python-version 3.11 \
	--group build
EVERYTHING := --all-extras pyproject.toml

# The service and its tests start many processes. Where the environment forbids Python to keep what it compiled, as
# images for containers do, each of them would compile scikit-learn anew: four seconds instead of one.
export PYTHONDONTWRITEBYTECODE :=

.PHONY: help run test kills soak bench hostile fuzz lint check lock clean
.NOTPARALLEL:
.SUFFIXES:

help: ## Show this list.
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "make %-7s %s\n", $$1, $$2 }' Makefile

run: $(RUN) ## Run the service with ./config.toml until Ctrl+C.
	@exec $(BIN)/responder serve $(ARGS)

# A third of the tests' time is spent waiting for processes, browsers and clocks: three for two cores.
WORKERS := $(shell $(PYTHON) -c 'import os; print((os.cpu_count() or 1) * 3 // 2)')

test: $(DEV) ## Run the tests; ARGS="-k name" goes to pytest.
	$(BIN)/python -m pytest -n $(WORKERS) --dist loadfile --no-loadscope-reorder $(ARGS)

kills: $(DEV) ## Kill the service a thousand times on each database, and at each named point; prints what became of it.
	@rm -f kills.tsv
	@RESPONDER_TEST_KILLS=$(KILLS) RESPONDER_TEST_POINT_RUNS=3 RESPONDER_TEST_KILL_TABLE=$(CURDIR)/kills.tsv \
		$(BIN)/python -m pytest -n $(WORKERS) tests/test_kills.py $(ARGS); code=$$?; \
		$(BIN)/python -m tests.kill_table kills.tsv; exit $$code

soak: $(DEV) ## Ten minutes of load with a next hop that fails a third of the time, on each database; prints memory.
	@rm -f soak.tsv
	@RESPONDER_TEST_SOAK_SECONDS=$(SOAK) RESPONDER_TEST_SOAK_TABLE=$(CURDIR)/soak.tsv \
		$(BIN)/python -m pytest tests/test_faults.py -k "f5 or f18" $(ARGS); code=$$?; cat soak.tsv; exit $$code

hostile: $(DEV) ## Let hostile clients at the listener in full size, and print what they cost it.
	@$(BIN)/python -m tests.hostile_clients

fuzz: $(DEV) ## Send ten thousand broken mails through the worker, and look that none crashes, stalls or gets lost.
	RESPONDER_TEST_FUZZ=$(MAILS) $(BIN)/python -m pytest tests/test_fuzz.py tests/test_growth.py $(ARGS)

bench: $(DEV) ## Measure the service beside aiosmtpd, Postfix and Dovecot, and write docs/benchmarks.md; GROWTH=1000000.
	@$(BIN)/python -m benchmarks.bench --growth $(GROWTH) $(ARGS)

lint: $(DEV) ## Run the static checks.
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache

check: lint test ## Run everything that has to hold before a commit.

lock: ## Write the lock files anew from pyproject.toml; needs uv.
	$(COMPILE) -o requirements-build.lock
	$(COMPILE) $(EVERYTHING) -o requirements.lock
	$(COMPILE) $(EVERYTHING) --group dev -o requirements-dev.lock

clean: ## Take away what was installed and cached; state/ stays.
	rm -rf .venv .hypothesis .import_linter_cache .mypy_cache .pytest_cache .ruff_cache dist
	find benchmarks responder tests -name __pycache__ -type d -prune -exec rm -rf {} +

$(VENV):
	@[ -n "$(VERSION)" ] || { echo "$(PYTHON) is not Python 3.11 or newer: make PYTHON=python3.12" >&2; exit 1; }
	@[ -n "$(UV)" ] || $(PYTHON) -m pip --version >/dev/null || { echo "$(PYTHON) has no pip: install python3-pip, or uv" >&2; exit 1; }
	rm -rf .venv
	$(PYTHON) -m venv --without-pip .venv
	@touch $@

# What builds a package that comes as source only is there first: a build of its own would fetch it without a hash.
$(RUN): $(VENV) requirements-build.lock requirements.lock pyproject.toml
	$(INSTALL) --require-hashes -r requirements-build.lock
	$(INSTALL) --require-hashes --no-build-isolation -r requirements.lock
	$(INSTALL) --no-build-isolation --no-deps --editable .
	@touch $@

# The larger set holds the smaller one in the same versions, so after this there is nothing left to do for `run`.
$(DEV): $(VENV) requirements-build.lock requirements-dev.lock pyproject.toml
	$(INSTALL) --require-hashes -r requirements-build.lock
	$(INSTALL) --require-hashes --no-build-isolation -r requirements-dev.lock
	$(INSTALL) --no-build-isolation --no-deps --editable .
	@touch $(RUN) $@
