#!/bin/sh
# Tests the running service at $SERVICE_URL; JUnit XML goes to $REPORTS_DIR/integration.xml (default /reports).
set -eu
cd "$(dirname "$0")"
exec node ../../packages/test-kit/run.js integration
