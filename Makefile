PYTHON ?= python3
SERVICE ?= engine
# Programs that only tests need, by their Debian packages' names.
TEST_TOOLS = chromium docker-registry postgresql redis-server skopeo

.PHONY: build test test-dagger test-rootless test-tools lint bench docs setup
.DEFAULT_GOAL := help

help:
	@echo "make build SERVICE=engine   build one service's image, with dagger or without it"
	@echo "make test                   set up, lint, and run all tests"
	@echo "make test-dagger            run the end-to-end tests on a Dagger engine"
	@echo "make test-rootless          run dagger-podman as an ordinary user"
	@echo "make setup lint docs bench  single parts"

setup: .venv/.installed
	@.venv/bin/dagger-podman doctor --install

.venv/.installed: pyproject.toml dagger_podman/pyproject.toml ci/pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed; name one with PYTHON=…")'
	$(PYTHON) -m venv .venv
	.venv/bin/pip install --quiet --disable-pip-version-check --upgrade "pip>=25.1"
	.venv/bin/pip install --quiet --disable-pip-version-check --group dev --editable dagger_podman --editable ci
	@touch $@

build: setup
	@PATH="$(CURDIR)/.venv/bin:$$PATH" ./build.sh $(SERVICE)

lint: .venv/.installed
	.venv/bin/ruff check .
	.venv/bin/ruff format --check .
	.venv/bin/mypy

test-tools:
	@missing=""; for tool in $(TEST_TOOLS); do \
	dpkg -s $$tool >/dev/null 2>&1 || { [ $$tool = chromium ] && command -v google-chrome >/dev/null; } || missing="$$missing $$tool"; done; \
	if [ -n "$$missing" ]; then root=$$([ "$$(id -u)" = 0 ] || echo sudo -n); \
	($$root apt-get update -q && $$root env DEBIAN_FRONTEND=noninteractive apt-get install -y $$missing) >&2; fi

test: setup test-tools lint
	.venv/bin/pytest

# Debian starts a Redis and a PostgreSQL that it installs, on ports that these tests want free.
test-dagger: TEST_TOOLS = chromium docker-registry skopeo
test-dagger: .venv/.installed test-tools
	PRODGY_CI_RUNNER=dagger .venv/bin/pytest tests/end_to_end

test-rootless: setup
	TEST_ROOTLESS=1 .venv/bin/pytest tests/dagger_podman/test_rootless.py

docs: .venv/.installed
	.venv/bin/python docs/generate.py

bench: setup
	.venv/bin/python -m bench
