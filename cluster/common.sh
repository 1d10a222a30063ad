# Sourced by kube-up.sh and kube-down.sh: the variables they take, the providers there are, and set-up.
# shellcheck shell=sh

root=$(CDPATH= cd -- "$(dirname -- "$(readlink -f -- "$0")")/.." && pwd)
KUBERNETES_PROVIDER=${KUBERNETES_PROVIDER:-local}
CLUSTER_NAME=${CLUSTER_NAME:-leme}
NUM_NODES=${NUM_NODES:-3}
export KUBERNETES_PROVIDER CLUSTER_NAME NUM_NODES
providers="local"

check_provider() {
  for provider in $providers; do
    [ "$provider" = "$KUBERNETES_PROVIDER" ] && return 0
  done
  echo "error: there is no provider \"$KUBERNETES_PROVIDER\". Set KUBERNETES_PROVIDER to one of: $providers" >&2
  exit 1
}

check_number_of_nodes() {
  case $NUM_NODES in
    '' | *[!0-9]* | 0) echo "error: NUM_NODES must be a number of nodes, not \"$NUM_NODES\"" >&2; exit 1 ;;
  esac
}
