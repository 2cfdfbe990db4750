# BoltQ's tasks. They need make and a Python >= 3.11, nothing else; the rest goes into .venv.
#   make run ARGS="--port 8081"     make test ARGS="-n0 -k lease"
#   PYTHON=/path/to/python make deps         CI_STRICT=1: a missing tool fails instead of skipping

VENV := .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed
PYTHONS := $(PYTHON) python3 python3.14 python3.13 python3.12 python3.11
LINKED := build/linked
ARGS ?=

.DEFAULT_GOAL := help
.PHONY: help init deps run run-api run-worker test model mutants chaos bounds \
        api-load api-speed dashboards vendored screenshots aof bench field check lua verify luacheck

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-11s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

init: deps .env ## first time: dependencies, and a .env to edit

deps: $(INSTALLED) ## install what pyproject.toml asks for into .venv, if it changed

$(INSTALLED): pyproject.toml | $(BIN)/python
	@echo "deps: installing BoltQ and its tools into $(VENV)"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[dev]'
	@touch $@

$(BIN)/python:
	@for python in $(PYTHONS); do \
	  $$python -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || continue; \
	  echo "deps: making $(VENV) with $$($$python --version)"; \
	  $$python -m venv $(VENV) && exit; \
	  rm -rf $(VENV); \
	  echo "deps: $$python -m venv failed; on Debian: apt install python3-venv" >&2; exit 1; \
	done; echo "deps: no Python >= 3.11 among: $(PYTHONS); name one: PYTHON=... make deps" >&2; exit 1

.env:
	@cp .env.example .env
	@echo "init: wrote .env, a copy of .env.example"

run: deps ## API and worker, on REDIS_ADDR or an embedded server (boltq up)
	@$(BIN)/boltq up $(ARGS)

run-api: deps ## the HTTP API alone
	@$(BIN)/boltq api $(ARGS)

run-worker: deps ## a worker alone
	@$(BIN)/boltq-worker $(ARGS)

# Tests start our programs all the time; where Python may keep no bytecode, each start compiles all.
test: deps ## pytest on a real Redis and the embedded Valkey, two processes a core
	@PYTHONDONTWRITEBYTECODE= $(BIN)/pytest -n auto --dist worksteal $(ARGS)

model: deps ## the queue beside a model of it, random calls: EXAMPLES=2000 SEED=7 SHRINK=1
	@EXAMPLES=$(or $(EXAMPLES),500) $(BIN)/pytest -q tests/model $(ARGS)

mutants: deps ## a mistake at a time, each must fail a test: ARGS="--sample 5 --seed 7" or ARGS="--only fault"
	@$(BIN)/python -m tests.mutants $(ARGS)

chaos: deps ## all kinds of callers and faults, and a judge of what came of it: MINUTES=5 SEED=7 SERVER=redis
	@PYTHONPATH=tests $(BIN)/python -m rig.chaos --minutes $(or $(MINUTES),5) --server $(or $(SERVER),both) \
	  $(if $(SEED),--seed $(SEED)) $(ARGS)

stalls: deps ## the tests while threads are away for a moment now and then: EVERY=500 MOST_MS=300
	@PYTHONPATH=tests PYTHONDONTWRITEBYTECODE= $(BIN)/python -m rig.stalls --every $(or $(EVERY),500) \
	  --most-ms $(or $(MOST_MS),300) -- $(BIN)/pytest -n auto --dist worksteal --timeout 300 $(ARGS)

bounds: deps ## a million jobs, and how long each call takes then: JOBS=1000000 SEED=1
	@cd tests && PYTHONPATH=..:. ../$(BIN)/python -m rig.bounds --jobs $(or $(JOBS),1000000) \
	  --servers redis,valkey $(if $(SEED),--seed $(SEED)) $(ARGS)

api-load: deps ## 64 connections that ask the API all that can be asked, also wrongly: SECONDS=60
	@cd tests && PYTHONPATH=..:. ../$(BIN)/python -m rig.api_mixed --seconds $(or $(SECONDS),60) $(ARGS)

api-speed: deps ## how fast the API is, beside one that only says hello
	@cd tests && PYTHONPATH=..:. ../$(BIN)/python -m rig.api_speed $(ARGS)

dashboards: deps ## what 20 open pages cost a server beside 10,000 jobs/s: ARGS="--screens overview --pairs 1"
	@cd tests && PYTHONPATH=..:. ../$(BIN)/python -m rig.dashboards $(ARGS)

vendored: deps ## fetch what the page has of others, in the versions that are written down
	@cd tests && PYTHONPATH=..:. ../$(BIN)/python -m rig.vendored $(ARGS)

screenshots: deps ## images of each screen of the page, in build/screenshots; ARGS=--readme: those of the README
	@cd tests && PYTHONPATH=..:. ../$(BIN)/python -m rig.screenshots $(ARGS)

aof: deps ## the append-only file cut at each byte of its last 4 KiB: SEED=1
	@TEST_AOF=every TEST_SEED=$(or $(SEED),1) $(BIN)/pytest -q -s tests/test_aof.py $(ARGS)

bench: deps ## all of boltq bench on a Redis and a Valkey, into tests/bench/RESULTS.md: ARGS="--only drain"
	@PYTHONPATH=tests $(BIN)/python -m bench $(ARGS)

field: deps ## beside dramatiq, huey, rq and BullMQ, fetched into a folder that is thrown away, and Sidekiq
	@PYTHONPATH=tests $(BIN)/python -m bench.field --to tests/bench/FIELD.md $(ARGS)

check: deps luacheck verify ## ruff, mypy, import-linter, luacheck and verify
	@$(BIN)/ruff check
	@$(BIN)/ruff format --check
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-logo

lua: deps ## write what is generated from the headers in lua/
	@$(BIN)/python lua/compile.py

verify: deps ## fail if `make lua` would change a file
	@$(BIN)/python lua/compile.py --check

luacheck: deps
	@if command -v luacheck >/dev/null; then \
	  rm -rf $(LINKED) && mkdir -p $(LINKED) && $(BIN)/python lua/compile.py --linked $(LINKED) && \
	  luacheck --quiet --config lua/.luacheckrc $(LINKED); \
	elif [ -n "$$CI_STRICT" ]; then \
	  echo "check: luacheck is missing (Debian: lua-check), and CI_STRICT is set" >&2; exit 1; \
	else \
	  echo "check: SKIPPED luacheck, which is not installed (Debian: apt install lua-check)" >&2; \
	fi
