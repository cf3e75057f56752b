#!/bin/sh
# Unit tests and lint; JUnit XML goes to $REPORTS_DIR/unit.xml (default /reports).
set -eu
cd "$(dirname "$0")"
exec python -m pytest tests/unit --junitxml="${REPORTS_DIR:-/reports}/unit.xml"
