# Each target makes the virtual environment that it needs; nothing is installed by hand.
PYTHON ?= python3
VENV ?= .venv
BIN = $(VENV)/bin
# What an installation is made of; the Python sources are used in place.
SOURCES = pyproject.toml CMakeLists.txt $(wildcard csrc/*)
PIP = $(BIN)/python -m pip --disable-pip-version-check

.PHONY: run test sanitize lint bench gallery examples notebooks reproduce pictures clean

run: $(VENV)/.core
	$(BIN)/striate train digits

test: $(VENV)/.dev
	$(BIN)/python -m pytest --numprocesses auto

# The compiled kernels under AddressSanitizer, UBSan and ThreadSanitizer: some minutes.
sanitize: $(VENV)/.dev
	$(BIN)/python -m pytest -m sanitizers

lint: $(VENV)/.dev
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy

bench: $(VENV)/.bench
	$(BIN)/python -m benchmarks.networks

# Every picture of `striate explain` on one page, with the command under each.
gallery: $(VENV)/.core
	$(BIN)/striate explain gallery --out gallery

# Every program of examples/, those that take minutes on MNIST, Fashion-MNIST and CIFAR-10 as well.
examples: $(VENV)/.dev
	$(BIN)/python -m pytest -m "examples or not examples" tests/examples

# The same programs as notebooks with their figures, in notebooks/. One: make notebooks/oslo_digits.ipynb
notebooks: $(patsubst examples/%.py,notebooks/%.ipynb,$(wildcard examples/*.py))

notebooks/%.ipynb: examples/%.py | $(VENV)/.dev
	@mkdir -p notebooks
	$(BIN)/jupytext --quiet --to ipynb --output notebooks/.$*.ipynb $<
	cd notebooks && $(abspath $(BIN))/jupyter execute --output=$*.ipynb .$*.ipynb
	@rm notebooks/.$*.ipynb

# Every row of the four lectures, compared with the lecture's figure; `make reproduce QUICK=--quick`.
reproduce: $(VENV)/.core
	$(BIN)/striate reproduce $(QUICK)

# The pictures of the README.
pictures: $(VENV)/.core
	$(BIN)/striate reproduce --rows C3,W3,N13
	$(BIN)/python docs/pictures.py reproduced

$(BIN)/python:
	$(PYTHON) -m venv $(VENV)

$(VENV)/.core: $(SOURCES) | $(BIN)/python
	@echo "Installing striate into $(VENV) (about a minute the first time) ..."
	$(PIP) install --quiet --editable .
	@touch $@

$(VENV)/.dev: $(SOURCES) | $(BIN)/python
	@echo "Installing striate and its test tools into $(VENV) (about a minute the first time) ..."
	$(PIP) install --quiet --editable '.[dev]'
	@touch $@ $(VENV)/.core

$(VENV)/.bench: $(SOURCES) | $(BIN)/python
	@echo "Installing the peers to be measured against into $(VENV) (a few minutes the first time) ..."
	$(PIP) install --quiet --editable '.[bench]'
	@touch $@ $(VENV)/.core

clean:
	rm -rf $(VENV) build dist .mypy_cache .pytest_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
