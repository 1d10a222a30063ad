#!/bin/sh
# Takes away what prepare.sh made: the database with its data and address; with --all the built images too.
#   examples/tutorial/clean.sh [--all]      as root; safe to run twice, before or after cluster/kube-down.sh
# Images that are in a cluster's registry go with the cluster. Debian packages that prepare.sh installed stay.
set -eu
here=$(CDPATH= cd -- "$(dirname -- "$(readlink -f -- "$0")")" && pwd)
root=$(CDPATH= cd -- "$here/../.." && pwd)
case ${1:-} in
  "" | --all) ;;
  *) echo "usage: $0 [--all]" >&2; exit 2 ;;
esac
"$here/database.sh" stop
[ "${1:-}" != --all ] || rm -rf "$root/.cache/tutorial-images"
rm -f "$root/.cache/prepare.lock"
