# The front door. `make` lists what there is; `make serve` and `make test` need nothing done before.
#
# What the targets need is installed by pip into .venv the first time, and again when pyproject.toml
# changes: a stamp named after that file's checksum is laid only after pip has succeeded, so an
# interrupted install is simply taken up again. `make serve` installs what the service runs on;
# everything else installs the extras `training` and `dev` too.
#
# Settings that pass through the environment: FACEGATE_* (see .env.example), pip's own PIP_* (where
# the index in use gives torch with CUDA, PIP_EXTRA_INDEX_URL can name PyTorch's index of CPU builds
# and save gigabytes), BASE_PYTHON (the Python >= 3.11 that .venv is made from).

SHELL := /bin/sh
.DEFAULT_GOAL := help

VENV := .venv
PYTHON := $(VENV)/bin/python
RECIPE ?= digits

CHECKSUM := $(shell cksum < pyproject.toml | tr -s ' ' '-')
RUNTIME_STAMP := $(VENV)/.facegate-runtime-$(CHECKSUM)
FULL_STAMP := $(VENV)/.facegate-full-$(CHECKSUM)

# The first of these that is new enough. Looked for only when .venv has to be made.
BASE_PYTHON ?= $(shell for python in python3 python3.14 python3.13 python3.12 python3.11 python; do \
	$$python -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null \
	&& echo $$python && break; done)

# Two instances may be started at once in a fresh clone; only one of them may install.
LOCK = $(shell command -v flock >/dev/null 2>&1 && echo flock $(CURDIR)/.setup.lock)

PIP := $(PYTHON) -m pip --disable-pip-version-check --no-input -qq

.PHONY: help setup serve demo test check-fast bench fuzz soak train compare distill prove clean runtime full install

help: ## List the targets (the default).
	@echo "Facegate: which employee is at the door, or nobody."
	@echo
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-11s %s\n", $$1, $$2 }' Makefile

setup: full ## Install everything into .venv, and do no more; the other targets do it by themselves.
	@echo "Ready: .venv has what serving, training and testing need."

serve: runtime ## Start the service; FACEGATE_HOST, FACEGATE_PORT, FACEGATE_DATA_DIR choose where.
	@$(PYTHON) -m app

demo: full ## Enrol invented people in a temporary service, verify them and strangers, show a table.
	@$(PYTHON) -m training demo

test: full ## Run every check that a change must pass: style, types, layers, schema, tests, coverage.
	$(PYTHON) -m ruff check .
	$(PYTHON) -m ruff format --check .
	$(PYTHON) -m mypy
	$(LINT_IMPORTS)
	@$(CHECK_SCHEMA)
	$(PYTHON) -m pytest -n logical --maxprocesses 4 --dist loadfile --cov --cov-report=term --durations=10

check-fast: full ## Run the checks that take seconds: style, types, layers and the quick tests.
	$(PYTHON) -m ruff check .
	$(PYTHON) -m ruff format --check .
	$(PYTHON) -m mypy
	$(LINT_IMPORTS)
	$(PYTHON) -m pytest -q -x -m "not (benchmark or long or postgres or slow or soak)"

bench: full ## Measure the stages, a whole verification, start-up and memory; prints ratios.
	$(PYTHON) -m pytest tests/benchmarks -m benchmark -s

fuzz: full ## Decode 2,000 damaged and dear files; prints what they cost, fails above the limit; minutes.
	$(PYTHON) -m pytest tests/vision/test_file_costs.py -m long -s -q

REQUESTS ?= 10000
soak: full ## Send REQUESTS mixed requests to a real service; print the slope of its memory.
	SOAK_REQUESTS=$(REQUESTS) $(PYTHON) -m pytest tests/benchmarks -m soak -s

train: full ## Learn similarity on bundled digits, report, fail below the bar; RECIPE= another.
	@$(PYTHON) -m training learn $(RECIPE)

compare: full ## Compare losses with everything else equal: the table, from saved runs or new ones.
	@$(PYTHON) -m training study losses

VERSION ?= new
distill: full ## Make the face embedder as shipped into models/embedder/VERSION; needs the data; hours.
	$(PYTHON) -m training distill --recipe native-open --run runs/native-open --minutes 80
	$(PYTHON) -m training interpolate --checkpoint runs/native-open/checkpoint.pt --share 0.5 \
		--run runs/native-open-mean
	$(PYTHON) -m training join --checkpoint runs/native-open-mean/checkpoint.pt --version $(VERSION)
	$(PYTHON) -m training recognisability --model models/embedder/$(VERSION)

prove: full ## Stated risks, guards, bursts, a planted audit, odd pictures; needs the data.
	@$(PYTHON) -m training study proof
	@$(PYTHON) -m training study enrollment --out runs/prove/enrollment.md
	@$(PYTHON) -m training study quality-limits --out runs/prove/quality-limits.md
	@$(PYTHON) -m training study repeated-photos --out runs/prove/repeated-photos.md
	@$(PYTHON) -m training study burst --out runs/prove/burst.md
	@$(PYTHON) -m training study planted-audit --out runs/prove/planted-audit.md
	@$(PYTHON) -m training study odd-pictures

clean: ## Remove .venv, caches and build products; leaves data/ and runs/ alone.
	rm -rf $(VENV) .setup.lock build dist htmlcov .coverage .coverage.* *.egg-info
	rm -rf .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis .schemathesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# By module, not by script: a script holds the absolute path of the .venv that it was made in.
LINT_IMPORTS = $(PYTHON) -c "from importlinter.cli import lint_imports_command as c; c()" --no-logo

# The tables in the code and the migrations must describe one schema.
define CHECK_SCHEMA
set -e; folder=$$(mktemp -d); trap 'rm -rf "$$folder"' EXIT; \
export FACEGATE_DATA_DIR="$$folder" FACEGATE_DATABASE_URL="sqlite:///$$folder/facegate.db"; \
echo "$(PYTHON) -m alembic upgrade head && $(PYTHON) -m alembic check"; \
$(PYTHON) -m alembic upgrade head; $(PYTHON) -m alembic check
endef

runtime:
	@test -x $(PYTHON) -a -e $(RUNTIME_STAMP) || \
		$(LOCK) $(MAKE) --no-print-directory install NEEDED=$(RUNTIME_STAMP) WHAT=.

full:
	@test -x $(PYTHON) -a -e $(FULL_STAMP) || \
		$(LOCK) $(MAKE) --no-print-directory install NEEDED=$(FULL_STAMP) WHAT='.[training,dev]'

# Called by the two above, under the lock; looks again, for another instance may have been faster.
install:
	@if test -x $(PYTHON) -a -e "$(NEEDED)"; then exit 0; fi; set -e; \
	if ! $(PYTHON) -m pip --version >/dev/null 2>&1; then \
		base='$(BASE_PYTHON)'; \
		test -n "$$base" || { echo "Facegate needs Python 3.11 or newer; found none." >&2; exit 1; }; \
		echo "Making .venv with $$base"; \
		"$$base" -m venv --clear $(VENV) || { \
			echo "$$base cannot make virtual environments; install its venv module" \
				"(Debian: python3-venv)." >&2; exit 1; }; \
	fi; \
	echo "Installing $(WHAT) into .venv (the first time: about 1 GB, a few minutes)"; \
	rm -f $(VENV)/.facegate-*; \
	$(PIP) install --editable '$(WHAT)'; \
	touch $(RUNTIME_STAMP) "$(NEEDED)"
