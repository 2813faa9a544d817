# The commands of the house. `make` alone prints them.
#
# PYTHON        the interpreter that builds the environment (3.11 or later)
# VENV          where the environment lives
# INSTALL_FROM  what is installed there: the checkout, or a wheel
# WORKERS       how many processes run the tests: more than there are processors, for many tests wait for others
PYTHON ?= python3
VENV ?= .venv
INSTALL_FROM ?= -e .
WORKERS ?= $(shell echo $$(( $$(getconf _NPROCESSORS_ONLN) * 3 / 2 )))

BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet
DEMO := definitions/order-fulfilment

.DEFAULT_GOAL := help
.PHONY: help demo test reference conformance check check-lint check-format check-types check-imports format test-lowest clean

help: ## print this list
	@awk 'BEGIN { FS = ":.*## " } /^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

demo: $(VENV)/.project ## install, and run the order-fulfilment workflow
	@$(BIN)/detent run $(DEMO)/workflow.yaml --input @$(DEMO)/input.json --handlers $(DEMO)/handlers.py

test: $(VENV)/.test ## install the test tools, and run the whole test suite
	@$(BIN)/pytest -n $(WORKERS)

check: check-lint check-format check-types check-imports ## lint, format, types and import rules of every module

check-lint: $(VENV)/.test
	@$(BIN)/ruff check .

check-format: $(VENV)/.test
	@$(BIN)/ruff format --check .

check-types: $(VENV)/.test
	@$(BIN)/python tools/typecheck.py

check-imports: $(VENV)/.test
	@$(BIN)/pytest -q -p no:xdist tests/house/test_imports.py

format: $(VENV)/.test ## mend what ruff can mend
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

reference: $(VENV)/.test ## write docs/reference.md from the code
	@$(BIN)/python tools/reference.py

conformance: $(VENV)/.test ## hold the engine against recordings of the service, and write docs/conformance.md
	@$(BIN)/python tools/conformance.py

test-lowest: ## run the tests with the oldest dependencies that pyproject.toml allows
	@mkdir -p build
	@$(PYTHON) tools/lowest.py > build/lowest.txt
	@PIP_CONSTRAINT=$(CURDIR)/build/lowest.txt $(MAKE) --no-print-directory test VENV=$(VENV)-lowest

clean: ## remove the environments and everything built
	rm -rf $(VENV) $(VENV)-lowest build dist detent.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis

# An environment is built once; the stamps say what it holds. A change of pyproject.toml installs again.
$(VENV)/.made:
	@command -v $(PYTHON) > /dev/null || \
		{ echo "detent needs Python 3.11 or later, and $(PYTHON) is not found: install it, or name another one with PYTHON=..." >&2; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "detent needs Python 3.11 or later, and $(PYTHON) is older ($$($(PYTHON) --version 2>&1)): name a newer one with PYTHON=..." >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2> /dev/null || \
		{ echo "$(PYTHON) cannot build virtual environments: install its venv module (Debian and Ubuntu: apt install python3-venv)." >&2; exit 1; }
	@echo "building the environment in $(VENV)"
	@$(PYTHON) -m venv $(VENV)
	@touch $@

$(VENV)/.project: pyproject.toml | $(VENV)/.made
	@echo "installing detent"
	@$(PIP) install $(INSTALL_FROM)
	@touch $@

$(VENV)/.test: pyproject.toml | $(VENV)/.made
	@echo "installing detent and its test tools"
	@$(PIP) install $(INSTALL_FROM)'[test]'
	@touch $(VENV)/.project $@
