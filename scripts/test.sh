#!/bin/sh
# `npm test`: sets itself up on a bare clone, then checks and tests everything.
set -eu
cd "$(dirname "$0")/.."
[ -d node_modules/typescript ] && [ -x node_modules/.bin/eslint ] || npm ci
exec scripts/node scripts/check.ts "$@"
