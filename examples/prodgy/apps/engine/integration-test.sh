#!/bin/sh
# Tests the running engine at $SERVICE_URL, whose Redis is $REDIS_URL and is started again whenever it ends.
# JUnit XML goes to $REPORTS_DIR/integration.xml (default /reports).
set -eu
cd "$(dirname "$0")"
exec python -m pytest tests/integration --junitxml="${REPORTS_DIR:-/reports}/integration.xml"
