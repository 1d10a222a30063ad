#!/bin/sh
# Prepares what the tutorial takes for granted, on a cluster that is up: its three images, and its PostgreSQL.
#   examples/tutorial/prepare.sh            as root, after cluster/kube-up.sh; safe to run twice
#   examples/tutorial/prepare.sh --build    only installs and builds; needs no cluster
#   CLUSTER_NAME                            default leme
# Images are built from Debian packages and kept in .cache/tutorial-images, so that the next run takes no time.
set -eu
PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin
export PATH
here=$(CDPATH= cd -- "$(dirname -- "$(readlink -f -- "$0")")" && pwd)
root=$(CDPATH= cd -- "$here/../.." && pwd)
CLUSTER_NAME=${CLUSTER_NAME:-leme}
export CLUSTER_NAME
cache=$root/.cache/tutorial-images

fail() { echo "error: $1" >&2; exit 1; }
build_only=0
case ${1:-} in
  "") ;;
  --build) build_only=1 ;;
  *) echo "usage: $0 [--build]" >&2; exit 2 ;;
esac
[ "$(id -u)" -eq 0 ] || fail "this needs root: it installs packages, builds images and starts a database"

mkdir -p "$root/.cache"
exec 9>"$root/.cache/prepare.lock"
flock 9

# Installing must start no daemon and create no database cluster of Debian's own. Settings that are there stay.
install_packages() {
  command -v apt-get >/dev/null 2>&1 || fail "this is not Debian (there is no apt-get): install what these Debian packages hold: $*"
  echo "Installing Debian packages: $*"
  policy=/usr/sbin/policy-rc.d
  dropin=/etc/postgresql-common/createcluster.d
  made=""
  if [ ! -e "$policy" ]; then
    made="$policy"
    printf '#!/bin/sh\nexit 101\n' >"$policy"
    chmod 755 "$policy"
  fi
  had_dropin=0
  [ -d "$dropin" ] && had_dropin=1
  mkdir -p "$dropin"
  echo 'create_main_cluster = false' >"$dropin/leme-tutorial.conf"
  undo() {
    [ -z "$made" ] || rm -f "$made"
    rm -f "$dropin/leme-tutorial.conf"
    [ "$had_dropin" -eq 1 ] || rmdir "$dropin" 2>/dev/null || true
  }
  trap undo EXIT
  trap 'exit 1' INT TERM HUP
  log=$(mktemp)
  install() { DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends "$@" >"$log" 2>&1 9>&-; }
  if ! install "$@" && ! { apt-get update >"$log" 2>&1 && install "$@"; }; then
    tail -n 20 "$log" >&2
    rm -f "$log"
    fail "apt-get could not install: $*"
  fi
  rm -f "$log"
  undo
  trap - EXIT INT TERM HUP
}

set --
command -v mmdebstrap >/dev/null 2>&1 || set -- "$@" mmdebstrap
command -v ip >/dev/null 2>&1 || set -- "$@" iproute2
ls /usr/lib/postgresql/*/bin/postgres >/dev/null 2>&1 || set -- "$@" postgresql
[ $# -eq 0 ] || install_packages "$@"

layout=$("$root/scripts/node" "$here/images/build.ts" "$cache") || fail "the images could not be built"
[ "$build_only" -eq 0 ] || exit 0

"$here/database.sh" start 9>&-
"$root/bin/leme" image load --cluster-name="$CLUSTER_NAME" "$layout"
