#!/bin/sh
# The tutorial's database: a PostgreSQL outside the cluster, on this machine, at the address that app-rc.yml names.
#   database.sh start | stop | status       as root; each may be run twice
# It is a private instance in /var/lib/leme-tutorial. Others on this machine, and Debian's own, are left alone.
set -eu
PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin
export PATH
here=$(CDPATH= cd -- "$(dirname -- "$(readlink -f -- "$0")")" && pwd)
state=/var/lib/leme-tutorial
data=$state/data
address=10.142.0.3
password=RrADe7Kv
database=dbprod

fail() { echo "error: $1" >&2; exit 1; }
[ "$(id -u)" -eq 0 ] || fail "the tutorial's database needs root: it has an address and a user of its own"

# The newest PostgreSQL of this machine.
tools() {
  for bin in $(ls -d /usr/lib/postgresql/*/bin 2>/dev/null | sort -rV); do
    [ -x "$bin/postgres" ] && [ -x "$bin/initdb" ] && return 0
  done
  return 1
}
as_postgres() { (cd / && setpriv --reuid=postgres --regid=postgres --init-groups --reset-env -- "$@"); }
running() { [ -f "$data/postmaster.pid" ] && tools && as_postgres "$bin/pg_ctl" -D "$data" status >/dev/null 2>&1; }
sql() { as_postgres "$bin/psql" --host="$state/run" --no-psqlrc --quiet --set=ON_ERROR_STOP=1 "$@"; }

# The address is on the loopback interface: nodes and pods reach it through their gateway, which is this machine,
# and it does not depend on whether a cluster's bridge is there.
add_address() {
  where=$(ip -o -4 address show to "$address/32" | awk '{ print $2 }')
  case $where in
    lo) ;;
    "") ip address add "$address/32" dev lo ;;
    *) fail "this machine has the address $address already, on $where: the recipe's database cannot be there" ;;
  esac
}

create() {
  rm -rf "$state"
  mkdir -p "$state/run"
  chmod 755 "$state"
  chown postgres:postgres "$state" "$state/run"
  printf '%s\n' "$password" >"$state/password"
  touch "$state/server.log"
  chown postgres:postgres "$state/password" "$state/server.log"
  chmod 600 "$state/password"
  as_postgres "$bin/initdb" --pgdata="$data" --username=postgres --pwfile="$state/password" --encoding=UTF8 \
    --locale=C.UTF-8 --auth-local=peer --auth-host=scram-sha-256 --no-sync >"$state/log" 2>&1 ||
    { tail -n 5 "$state/log" >&2; fail "initdb failed"; }
  rm -f "$state/password"
  cat >>"$data/postgresql.conf" <<CONF
listen_addresses = '$address'
port = 5432
unix_socket_directories = '$state/run'
ssl = off
CONF
  # Every network of a local cluster is in 10.0.0.0/8.
  echo "host all all 10.0.0.0/8 scram-sha-256" >>"$data/pg_hba.conf"
}

seed() {
  sql --dbname=postgres --tuples-only --no-align --command="SELECT 1 FROM pg_database WHERE datname = '$database'" |
    grep -q 1 || sql --dbname=postgres --command="CREATE DATABASE $database"
  sql --dbname="$database" --single-transaction --file=- <"$here/database.sql"
}

start() {
  tools || fail "PostgreSQL is not installed: examples/tutorial/prepare.sh installs it"
  add_address
  if ! running; then
    # An instance that was never finished has no marker, and nothing in it to keep.
    [ -f "$state/created" ] || create
    as_postgres "$bin/pg_ctl" -D "$data" --wait --log="$state/server.log" start >/dev/null ||
      { tail -n 5 "$state/server.log" >&2; fail "PostgreSQL did not start"; }
    seed
    touch "$state/created"
  fi
  echo "PostgreSQL is at $address:5432, database $database"
}

stop() {
  if running; then as_postgres "$bin/pg_ctl" -D "$data" --wait --mode=fast stop >/dev/null; fi
  rm -rf "$state"
  if ip -o -4 address show dev lo to "$address/32" | grep -q .; then ip address delete "$address/32" dev lo; fi
}

case ${1:-} in
  start) start ;;
  stop) stop ;;
  status) running ;;
  *) echo "usage: $0 start | stop | status" >&2; exit 2 ;;
esac
