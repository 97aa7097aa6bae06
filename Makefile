# make demo: train on built-in text and ask it questions.   make test: every test.   Both need Python 3.11+ and pip only.
PYTHON ?= python3
export PYTHONDONTWRITEBYTECODE =  # the tests start a thousand processes: each would compile every module anew
VENV := .venv
BIN := $(VENV)/bin

.PHONY: demo test check lint bench docs

$(VENV)/.demo: pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade pip
	$(BIN)/python -m pip install --quiet --editable ".[demo]"
	touch $@

$(VENV)/.installed: $(VENV)/.demo
	$(BIN)/python -m pip install --quiet --editable ".[demo,dev]"
	touch $@

test: $(VENV)/.installed
	$(BIN)/python -m pytest -n 2

check: lint
	$(BIN)/python -m pytest -n 2 -m "not slow and not cluster and not gpu and not browser"

lint: $(VENV)/.installed
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy

docs: $(VENV)/.installed
	$(BIN)/python tools/generate_docs.py
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict

bench: $(VENV)/.installed
	$(BIN)/python -m pip install --quiet --editable ".[bench]" || \
		$(BIN)/python -m pip install --quiet gensim floret  # word2vec.c needs a C compiler, and is left out without one
	$(BIN)/w2v bench --quick

demo: export W2V_DATA_DIR := .demo/data
demo: $(VENV)/.demo
	mkdir -p .demo
	$(BIN)/w2v train demo --deterministic --output .demo/w2v.safetensors --overwrite
	$(BIN)/w2v similar king --top 5 --vectors .demo/w2v.safetensors
	$(BIN)/w2v similar war --top 5 --vectors .demo/w2v.safetensors
	$(BIN)/w2v similar you --top 5 --vectors .demo/w2v.safetensors
	$(BIN)/w2v analogy take took go --top 3 --vectors .demo/w2v.safetensors
	$(BIN)/w2v analogy good better bad --top 3 --vectors .demo/w2v.safetensors
	$(BIN)/w2v analogy king man queen --top 3 --vectors .demo/w2v.safetensors
	@echo "Ask more: $(BIN)/w2v ask .demo/w2v.safetensors"
