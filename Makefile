# serve · demo · test · check · golden · bench · drill: each sets up what it needs.
PYTHON ?= python3
BIN := .venv/bin
INSTALL := $(BIN)/pip install --quiet --disable-pip-version-check --require-hashes
BOOKS ?=
SIZE ?= small

.PHONY: serve demo test check golden bench drill lock clean

serve: .venv/.runtime ## run everything, simulated platforms included
	@$(BIN)/python -m tallystick serve --simulate

demo: .venv/.runtime ## watch the main job from end to end; BOOKS=FILE adds native records
	@$(BIN)/python -m tallystick demo --size $(SIZE) $(if $(BOOKS),--books "$(BOOKS)")

test: .venv/.dev .venv-clients/platform/.ready .venv-clients/accounting/.ready ## every test
	$(BIN)/python -m pytest tests -n 2 --dist loadfile

check: .venv/.dev ## format, lint, types, import rule, rules of the house
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo
	$(BIN)/python -m pytest tests/rules -q

golden: .venv/.dev ## rewrite the expected mappings from their inputs; read the diff
	TALLYSTICK_GOLDEN=write $(BIN)/python -m pytest tests/unit/connectors -q

bench: .venv/.dev ## measure against ceilings, side by side, in one run
	$(BIN)/python -m tests.bench

drill: .venv/.dev ## the long rehearsals of bad days
	$(BIN)/python -m pytest tests/drills -n 0 -q -s

lock: .venv/.dev ## resolve the dependencies anew
	$(BIN)/uv pip compile --universal --python-version 3.11 --generate-hashes --no-header \
		pyproject.toml --group build -o requirements.lock
	$(BIN)/uv pip compile --universal --python-version 3.11 --generate-hashes --no-header \
		-c requirements.lock pyproject.toml --group dev -o requirements-dev.lock
	for client in platform accounting; do \
		$(BIN)/uv pip compile --universal --python-version 3.11 --generate-hashes --no-header \
			tests/clients/$$client.in -o tests/clients/$$client.lock; done

clean: ## forget the virtual environments
	rm -rf .venv .venv-clients

.venv/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed")'
	@echo "Making a virtual environment in .venv ..."
	@$(PYTHON) -m venv .venv || { rm -rf .venv; exit 1; }

.venv/.runtime: requirements.lock pyproject.toml | .venv/bin/python
	@echo "Installing Tallystick and what it needs (once, about a minute) ..."
	@$(INSTALL) -r requirements.lock
	@$(BIN)/pip install --quiet --disable-pip-version-check --no-build-isolation --no-deps -e .
	@touch $@

.venv/.dev: requirements-dev.lock .venv/.runtime
	@echo "Installing what tests and checks need (once) ..."
	@$(INSTALL) -r requirements-dev.lock
	@touch $@

.venv-clients/%/.ready: tests/clients/%.lock
	@echo "Installing the official client $* to test with (once) ..."
	@$(PYTHON) -m venv .venv-clients/$*
	@.venv-clients/$*/bin/pip install --quiet --disable-pip-version-check --require-hashes -r $<
	@touch $@
