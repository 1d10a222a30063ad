#!/bin/sh
# `npm run test:crash`: the embedded store under kill -9, for long, and under strace (which root gets installed).
set -eu
cd "$(dirname "$0")/.."
[ -d node_modules/classic-level ] || npm ci
command -v strace >/dev/null 2>&1 || [ "$(id -u)" -ne 0 ] || sh scripts/setup.sh strace
exec scripts/node --disable-warning=ExperimentalWarning test/crash/main.ts "$@"
