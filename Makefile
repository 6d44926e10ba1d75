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

# tools/write_<name>.py: each writes files that are committed, and with --check says whether they are fresh
GENERATORS := requirements settings sources permissions fields templates roles differences scale data_streams recipes transforms latest_page dashboards monitoring

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

check: setup lint scan fresh test ## what CI runs: lint, types, floors, Bicep, generated files, tests

lint: venv ## format, lint, types, floors, unused code and dependencies, Bicep
	@$(BIN)/ruff format --check $(CODE)
	@$(BIN)/ruff check $(CODE)
	@$(BIN)/mypy
	@$(BIN)/lint-imports
	@$(BIN)/deptry . >/dev/null || $(BIN)/deptry .
	@$(BIN)/vulture
	@$(PY) -m tools.bicep_lint

scan: venv ## checkov on infra/, every finding explained in tools/scan.py
	@$(PY) -m tools.scan

format: venv ## rewrite the code in the house's format
	@$(BIN)/ruff format $(CODE)
	@$(BIN)/ruff check --fix $(CODE)

generate: venv ## rewrite every generated file: requirements, settings, pages, templates, roles, ... (GENERATORS)
	@for name in $(GENERATORS); do $(PY) -m tools.write_$$name; done

fresh: venv ## fail if a generated file is not what would be written
	@for name in $(GENERATORS); do $(PY) -m tools.write_$$name --check; done

golden: venv ## rewrite tests/golden/*/out.json; read the difference before you commit it
	@$(PY) -m tools.write_golden

scale: venv ## simulate how long events wait, for docs/scale-lag.md (two minutes)
	@$(PY) -m tools.write_scale --simulate

pictures: setup ## draw docs/dashboards/*.png anew; look at them before you commit them
	@$(PY) -m tools.draw_dashboards

bench: setup ## ratios measured side by side in one run
	@$(PY) -m tests.speed

bicep: ## Microsoft's own compiler on infra/, where az is there and may fetch it (a fork's CI)
	@for file in infra/main.bicep infra/managementGroup.bicep; do az bicep build --file $$file --stdout >/dev/null; done
	@for file in infra/*.bicepparam; do AZURE_ENV_NAME=check AZURE_LOCATION=westeurope ELASTICSEARCH_URL=https://example.com EXPORTER_PRINCIPAL_ID=check az bicep build-params --file $$file --stdout >/dev/null; done

package: venv ## what is deployed, as .cache/package/app.zip
	@$(PY) -m tools.package

provision: ## make or change everything in Azure: make provision LOCATION=westeurope PARAMETERS=infra/main.small.bicepparam
	@test -n "$(LOCATION)" -a -n "$(PARAMETERS)" || { echo "make provision LOCATION=westeurope PARAMETERS=infra/main.small.bicepparam"; exit 1; }
	@az deployment sub create --name "defender-$(LOCATION)" --location "$(LOCATION)" --template-file infra/main.bicep \
	  --parameters "$(PARAMETERS)" --query properties.outputs --output yaml

deploy: package ## the app onto what is there: make deploy GROUP=rg-defender-small APP=func-defender-small-abc123, or LOCATION= of make provision
	@LOCATION="$(LOCATION)" infra/deploy.sh .cache/package/app.zip "$(GROUP)" "$(APP)"

show: venv ## the compiled function of a table: make show TABLE=DeviceProcessEvents
	@$(PY) -m tools.show_table $(TABLE)

schema: venv ## refresh schema/*.csv from the knowledge folder beside the project
	@$(PY) -m tools.write_schema

.PHONY: help venv setup demo test check lint format generate fresh golden scale pictures bench show schema scan bicep package provision deploy
