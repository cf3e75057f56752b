PYTHON ?= python3

.PHONY: setup test lint
setup: .venv/.installed

.venv/.installed: pyproject.toml dagger_podman/pyproject.toml
	$(PYTHON) -m venv .venv
	.venv/bin/pip install --quiet --upgrade "pip>=25.1"
	.venv/bin/pip install --quiet --group dev --editable dagger_podman
	touch $@

lint: setup
	.venv/bin/ruff check .
	.venv/bin/mypy

test: setup
	.venv/bin/pytest
