# make demo   runs the whole SOP on an embedded court website
# make test   lint, types and tests, at most ten minutes
# Both install what they need into .venv; `make test` also real servers, through apt where it may.

PYTHON ?= python3
ROUNDS ?= 5
BIN := .venv/bin
LOCKED := --universal --python-version 3.11 --generate-hashes --upgrade --quiet --no-annotate --no-header --no-emit-index-url \
	--no-emit-find-links

.PHONY: demo messages test test-heavy fuzz reliability lock sbom lint types fix reference bench servers release-check docs pages clean

demo: .venv/installed
	$(BIN)/sop demo

test: lint types servers
	$(BIN)/python -m pytest -m "not heavy"

test-heavy: .venv/tools
	tests/install-servers heavy
	$(BIN)/python -m pytest -m heavy --timeout 1800

fuzz: .venv/tools
	SOP_EXAMPLES=search SOP_FUZZ_SECONDS=60 SOP_FUZZ_SEED=$$(date +%s) \
		$(BIN)/python -m pytest -m "not heavy" tests/test_fuzz.py tests/fuzzing

reliability: .venv/tools
	$(BIN)/python -m pytest -m promise --timeout 1800 --reliability docs/reliability.md

lint: .venv/tools
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: .venv/tools
	$(BIN)/mypy

lock: .venv/tools
	$(BIN)/pip install --quiet --disable-pip-version-check uv
	$(BIN)/uv pip compile setup.cfg $(LOCKED) --output-file requirements/base.lock
	$(BIN)/uv pip compile setup.cfg --extra test $(LOCKED) --output-file requirements/test.lock

sbom: .venv/tools
	$(PYTHON) -m venv build/sbom && build/sbom/bin/pip install --quiet --disable-pip-version-check cyclonedx-bom
	build/sbom/bin/cyclonedx-py requirements requirements/base.lock --output-reproducible --of JSON -o build/sop.cdx.json

fix: .venv/tools
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

reference: .venv/installed
	$(BIN)/python -m runner.schema schemas
	$(BIN)/python -m runner.reference docs
	$(BIN)/python -m runner.manual docs/commands.md
	$(BIN)/python -m runner.manual man/sop.1

messages: .venv/installed
	$(BIN)/python -m tests.catalogue

bench: .venv/tools servers
	benchmarks/run $(ROUNDS) $(ROWS)

docs: .venv/tools
	$(BIN)/pip install --quiet --disable-pip-version-check --editable '.[docs]'
	$(BIN)/python -m sphinx --fail-on-warning --keep-going --nitpicky --quiet --builder html docs build/docs
	@echo "open build/docs/index.html"

pages: .venv/tools
	$(BIN)/python -m tests.shown_pages README.md README.id.md docs/tutorial.md

release-check: .venv/tools
	tests/release-check

servers:
	tests/install-servers

.venv/bin/python:
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "sop needs Python 3.11 or later: make PYTHON=python3.12")'
	$(PYTHON) -m venv .venv || { echo "the venv module is missing: apt-get install python3-venv"; exit 1; }

.venv/installed: setup.cfg requirements/base.lock | .venv/bin/python
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes --requirement requirements/base.lock
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --editable .
	touch $@

.venv/tools: setup.cfg requirements/test.lock | .venv/bin/python
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes --requirement requirements/test.lock
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --editable .
	touch $@ .venv/installed

clean:
	rm -rf .venv build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis
