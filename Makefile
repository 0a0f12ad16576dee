# One command a chore; `make` alone lists them. The first one that needs the environment makes it
# in .venv; after that nothing here needs a network. Another Python, beside the first:
#   make test PYTHON=python3.12 VENV=.venv312

PYTHON ?= $(shell for name in python3 python3.13 python3.12 python3.11; do \
	$$name -c 'import sys, venv; sys.exit(sys.version_info < (3, 11))' 2>/dev/null \
	&& echo $$name && break; done)
VENV ?= .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed
FUZZ := .venv-schemathesis
TWINE := .venv-twine
LOWEST := .venv-lowest
LOWEST_PIP = $(BIN)/uv pip install --quiet --compile-bytecode --python $(LOWEST) --constraint $(LOWEST)/lowest.txt
LOWEST_TESTS := $(addprefix tests/,\
	core/test_cli.py core/test_env_file.py core/test_flow_neon_new.py core/test_plugins.py cloud/test_client_failures.py \
	pytest/test_fixtures.py pytest_django/test_django_neon.py \
	django/test_first_start.py django/test_database_goes_away.py \
	fastapi/test_older_forms.py)
# These need packages that are newer: pytest-asyncio 0.24, Django 5.1 with its pools, and a python-dotenv that
# leaves a byte order mark out of the first name.
LOWEST_LEAVES_OUT := asynchronous_fixtures or pool or appended_to_bytes or lead_tests_nowhere_else
# Chosen by how many mended faults a module's history has for the seconds that it takes, with something of each distribution.
QUICK_TESTS := $(addprefix tests/,\
	test_class_names.py test_distributions.py test_imports_are_pure.py test_imports_run_one_way.py \
	core/test_cli.py core/test_destination.py core/test_env_file.py core/test_path_of_a_start.py core/test_permission.py \
	core/test_two_at_once.py core/test_variables.py local/test_life_cycle.py versions/test_local_versions.py \
	inspect/test_findings.py init/test_before_a_first_start.py cloud/fleets/test_migrate.py cloud/test_project_members.py \
	emulator/test_agent_claims.py emulator/test_late_changes.py emulator/test_store.py emulator/test_two_at_once.py \
	mcp/test_install_edit.py mcp/test_statements.py pytest/test_variables.py django/test_first_start.py \
	web/test_requests.py docs/test_reference.py)
CLIENTS := tests/clients/node_modules/.installed
# The engine's has no version of its own: that is its Postgres's, which `make engine` puts in.
DISTRIBUTIONS := core $(patsubst %/pyproject.toml,%,$(shell grep -l '^version = ' plugins/*/pyproject.toml))
# pip brings uv, which does the rest in a third of its CPU time. Bytecode is made at once, since where
# PYTHONDONTWRITEBYTECODE is set, thousands of programs that tests start would each make it.
UV_PIP := $(BIN)/uv pip install --quiet --compile-bytecode --constraint constraints.txt --python
export UV_SYSTEM_CERTS := 1
ARGS ?=
# One more than the two cores of CI: a third of their time the tests wait.
WORKERS ?= 3

.DEFAULT_GOAL := help
.PHONY: help install clients demo test quick thorough lowest templates django-suite suites fuzz dist docs reference specs operation engine engine-install site screenshots lint format bench constraints clean

help: ## list the chores
	@sed -n 's/^\([a-z-]*\):.*## /  make \1\t/p' Makefile | expand -t 20

install: $(INSTALLED) clients engine-install ## make the environment: everything, editable, versions pinned

demo: $(INSTALLED) ## in a scratch project: a local database, then the claimable flow
	@$(BIN)/python -m demo $(ARGS)

test: $(INSTALLED) clients engine-install ## run the tests (ARGS="-k dotenv" for some)
	$(BIN)/python -m pytest -n $(WORKERS) $(ARGS)

quick: $(INSTALLED) clients engine-install ## run the tests that find most in a minute and a half, before each commit
	$(BIN)/python -m pytest -q -n $(WORKERS) $(QUICK_TESTS) $(ARGS)

lowest: $(LOWEST)/.installed ## run tests with the lowest versions that our metadata allow (asks a package index)
	$(LOWEST)/bin/python -m pytest -n 2 -o addopts=--import-mode=importlib -o filterwarnings=ignore \
		-m "not thorough" -k "not ($(LOWEST_LEAVES_OUT))" $(or $(ARGS),$(LOWEST_TESTS))

templates: $(INSTALLED) ## try projects with all that is in the templates (asks a package index)
	$(BIN)/python -m pytest -n 2 -m thorough tests/templates $(ARGS)

thorough: $(INSTALLED) clients engine-install ## run the tests that take minutes, except the templates' tests
	$(BIN)/python -m pytest -n 2 -m thorough --ignore tests/templates $(ARGS)

django-suite: $(INSTALLED) ## run Django's own tests on both backends, and compare
	$(BIN)/python -m tests.django_suite $(ARGS)

suites: $(INSTALLED) ## run others' own tests on plain Postgres and with neonup, and compare (asks a package index; ARGS=quick)
	$(BIN)/python -m tests.suites $(ARGS)

fuzz: $(INSTALLED) ## random requests against the local Neon (asks a package index once)
	@test -x $(FUZZ)/bin/schemathesis || { $(BIN)/uv venv --quiet --clear --python $(BIN)/python $(FUZZ) \
		&& $(BIN)/uv pip install --quiet --python $(FUZZ) schemathesis==4.32.5; }
	$(BIN)/python -m tests.emulator.fuzz $(FUZZ)/bin/schemathesis $(ARGS)

dist: $(INSTALLED) ## build what is released into dist/, and try it (asks a package index)
	@test -x $(TWINE)/bin/twine || { $(BIN)/uv venv --quiet --clear --python $(BIN)/python $(TWINE) \
		&& $(BIN)/uv pip install --quiet --python $(TWINE) twine==7.0.0 'readme_renderer[md]==46.0'; }
	rm -rf dist
	$(BIN)/python -m tests.release.building dist
	$(TWINE)/bin/twine check --strict dist/*
	$(BIN)/python -m pytest -n 2 -m "" --release dist tests/release $(ARGS)
	@ls dist

docs: $(INSTALLED) ## run every snippet of README and docs/, and check the references
	$(BIN)/python -m pytest -n 2 tests/docs $(ARGS)

reference: $(INSTALLED) ## write what is made from the code: commands.md, neon-operations.md, operating-systems.md, llms.txt, diagrams
	$(BIN)/python -m tests.docs.reference
	$(BIN)/python -m docsite.llms
	$(BIN)/python -m docsite.diagrams

specs: $(INSTALLED) clients ## compare the OpenAPI document at hand with @neon/sdk, and print what is new (DOCUMENT=)
	$(BIN)/python -m docsite.specs --document $(or $(DOCUMENT),../shared/specs/neon-api-v2.openapi.json)

operation: $(INSTALLED) ## begin an operation of Neon's API from its document: make operation ID=getProjectJWKS
	$(BIN)/python -m docsite.operation $(ID) --document $(or $(DOCUMENT),../shared/specs/neon-api-v2.openapi.json)

engine-install: $(INSTALLED) ## assemble the engine for this machine, once, and install it (npm)
	@$(BIN)/python -m engine.installing

engine: $(INSTALLED) ## assemble the engine's wheel into build/engine (ARGS="--platform all --major 17"; npm)
	@$(BIN)/python -m engine $(ARGS)

site: $(INSTALLED) ## build the documentation's site into build/site (ARGS=serve shows it)
	NO_MKDOCS_2_WARNING=1 $(BIN)/python -m mkdocs $(or $(ARGS),build --quiet) --strict

screenshots: $(INSTALLED) ## take the pictures of the pages again (needs chromium or its headless shell)
	$(BIN)/python -m docsite.screenshots

# What is unreachable on another platform is reached here, so only here that is a mistake.
ELSEWHERE = --cache-dir .mypy_cache/elsewhere --no-warn-unreachable core plugins

lint: $(INSTALLED) ## check style, and types for Linux, macOS and Windows
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/mypy --platform darwin $(ELSEWHERE)
	$(BIN)/mypy --platform win32 $(ELSEWHERE)

format: $(INSTALLED) ## put the style right
	$(BIN)/ruff check --fix-only .
	$(BIN)/ruff format .

bench: $(INSTALLED) clients ## measure, and print one table (ARGS="--only start --repeats 3", --json, --write docs/benchmarks.md)
	@$(BIN)/python -m bench $(ARGS)

# Made with Python 3.11, Django's LTS; Django 6 needs 3.12, and is tested where that runs the tests.
constraints: ## take the newest versions and pin them, in an environment of their own
	@rm -rf .venv-constraints && $(PYTHON) -m venv .venv-constraints
	@.venv-constraints/bin/pip install --quiet --upgrade pip
	@.venv-constraints/bin/pip install --quiet --group dev $(DISTRIBUTIONS:%=--editable %)
	@.venv-constraints/bin/pip freeze --all --exclude-editable | grep -v '^setuptools==' \
		| sed 's/^Django==.*/&; python_version < "3.12"/' > constraints.txt
	@.venv-constraints/bin/pip download --quiet --no-deps --only-binary=:all: --python-version 3.12 \
		--dest .venv-constraints/newer Django
	@ls .venv-constraints/newer \
		| sed -n 's/^django-\(.*\)-py3-.*/Django==\1; python_version >= "3.12"/p' >> constraints.txt
	@rm -rf .venv-constraints

clean: ## remove the environment and everything that was built
	rm -rf $(VENV) .venv-suites-* $(FUZZ) $(TWINE) $(LOWEST) dist tests/clients/node_modules .mypy_cache .pytest_cache .ruff_cache .hypothesis
	rm -rf $(DISTRIBUTIONS:=/dist) build .coverage*

# The stamp is the last thing made, so an interrupted installation is taken up again.
$(INSTALLED): constraints.txt pyproject.toml $(DISTRIBUTIONS:=/pyproject.toml)
	@test -n "$(PYTHON)" || { echo "neonup needs Python 3.11 or newer, with venv: make install PYTHON=..." >&2; exit 1; }
	@echo "installing into $(VENV) ..."
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --no-compile --disable-pip-version-check --constraint constraints.txt uv
	@$(UV_PIP) $(BIN)/python pip --group build
	@$(UV_PIP) $(BIN)/python --group dev --no-build-isolation $(DISTRIBUTIONS:%=--editable %)
	@touch $@

# The local Neon, which needs a newer Starlette than FastAPI 0.79 takes, plays neon.new for these tests.
$(LOWEST)/.installed: $(INSTALLED) tests/lowest.py
	@echo "installing into $(LOWEST) ..."
	@$(BIN)/uv venv --quiet --clear --python $(BIN)/python $(LOWEST)
	@$(BIN)/python -m tests.lowest > $(LOWEST)/lowest.txt
	@$(UV_PIP) $(LOWEST) pip
	@$(LOWEST_PIP) --group build
	@$(LOWEST_PIP) --group lowest --no-build-isolation --no-build \
		$(foreach folder,$(filter-out %emulator %inspect %mcp %pages %studio %templates,$(DISTRIBUTIONS)),--editable $(folder)) --editable 'plugins/neonup_cloud[auth]'
	@$(LOWEST_PIP) --no-deps --no-build-isolation --editable plugins/neonup_emulator --editable plugins/neonup_pages
	@touch $@

# The official clients are for tests that compare with them; without npm those tests skip.
clients:
	@if command -v npm >/dev/null && [ -f tests/clients/package-lock.json ]; then \
		$(MAKE) --silent $(CLIENTS) \
		|| echo "npm could not install tests/clients: the tests that need them will skip" >&2; fi

$(CLIENTS): tests/clients/package-lock.json
	@echo "installing the official clients ..."
	@npm ci --prefix tests/clients --silent --no-audit --no-fund --ignore-scripts
	@touch $@

# A venv keeps the Python that it was made with: one asked for by name must be that one.
ifneq ($(origin PYTHON),file)
ifneq ($(wildcard $(BIN)/python),)
ifneq ($(shell $(BIN)/python -V),$(shell $(PYTHON) -V))
$(error $(VENV) has $(shell $(BIN)/python -V), not $(shell $(PYTHON) -V): make clean first, or choose another VENV=...)
endif
endif
endif
