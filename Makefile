# Everything a person or CI runs. `make help` lists it.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory
export PYTHONDONTWRITEBYTECODE := 1

BIN := .venv/bin
PY := $(BIN)/python
CODE := function_app.py functions shared cli local tools tests
# Python 3.13: on the path, or one of pyenv's
PYTHON ?= $(shell command -v python3.13 >/dev/null && python3.13 -c '' 2>/dev/null && command -v python3.13 || ls -d $$HOME/.pyenv/versions/3.13*/bin/python3.13 2>/dev/null | tail -1 || true)
# test processes: one per core, at most four
WORKERS ?= $(shell n=$$(nproc 2>/dev/null || echo 2); echo $$(( n < 4 ? n : 4 )))

help: ## this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F':.*## ' '{printf "  make %-10s %s\n", $$1, $$2}'

.venv/ready: requirements.txt requirements-dev.txt
	@test -n "$(PYTHON)" || { echo "Python 3.13 is needed: install it, or name one with PYTHON=/path/to/python3.13"; exit 1; }
	@echo "Making .venv with $$($(PYTHON) --version) ..."
	@$(PYTHON) -m venv --clear .venv
	@$(PY) -m pip install --quiet --disable-pip-version-check -r requirements.txt -r requirements-dev.txt
	@touch $@

venv: .venv/ready

setup: venv ## make .venv and fetch the real servers that demo and tests run
	@$(PY) -m local.setup || true

demo: setup ## real Defender records through a real Functions runtime into a real Elasticsearch (KEEP=1 leaves it up)
	@$(PY) -m local.demo

test: setup ## every test: unit, laws, golden, property, real Elasticsearch, Azurite and runtime
	@$(BIN)/pytest -n $(WORKERS) --dist worksteal

check: setup lint fresh test ## what CI runs: lint, types, floors, generated files, tests

lint: venv ## format, lint, types, floors, unused code and dependencies
	@$(BIN)/ruff format --check $(CODE)
	@$(BIN)/ruff check $(CODE)
	@$(BIN)/mypy
	@$(BIN)/lint-imports
	@$(BIN)/deptry . >/dev/null || $(BIN)/deptry .
	@$(BIN)/vulture

format: venv ## rewrite the code in the house's format
	@$(BIN)/ruff format $(CODE)
	@$(BIN)/ruff check --fix $(CODE)

generate: venv ## rewrite every generated file: requirements, settings, sources, field pages, templates, differences, dashboards
	@$(PY) -m tools.write_requirements
	@$(PY) -m tools.write_settings
	@$(PY) -m tools.write_sources
	@$(PY) -m tools.write_fields
	@$(PY) -m tools.write_templates
	@$(PY) -m tools.write_differences
	@$(PY) -m tools.write_scale
	@$(PY) -m tools.write_dashboards

fresh: venv ## fail if a generated file is not what would be written
	@$(PY) -m tools.write_requirements --check
	@$(PY) -m tools.write_settings --check
	@$(PY) -m tools.write_sources --check
	@$(PY) -m tools.write_fields --check
	@$(PY) -m tools.write_templates --check
	@$(PY) -m tools.write_differences --check
	@$(PY) -m tools.write_scale --check
	@$(PY) -m tools.write_dashboards --check

golden: venv ## rewrite tests/golden/*/out.json; read the difference before you commit it
	@$(PY) -m tools.write_golden

scale: venv ## simulate how long events wait, for docs/scale-lag.md (half a minute)
	@$(PY) -m tools.write_scale --simulate

pictures: setup ## draw docs/dashboards/*.png anew; look at them before you commit them
	@$(PY) -m tools.draw_dashboards

bench: setup ## ratios measured side by side in one run
	@$(PY) -m tests.speed

show: venv ## the compiled function of a table: make show TABLE=DeviceProcessEvents
	@$(PY) -m tools.show_table $(TABLE)

schema: venv ## refresh schema/*.csv from the knowledge folder beside the project
	@$(PY) -m tools.write_schema

.PHONY: help venv setup demo test check lint format generate fresh golden scale pictures bench show schema
