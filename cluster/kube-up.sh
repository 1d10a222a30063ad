#!/bin/sh
# Brings up a Kubernetes cluster on this machine, installing what is missing. Run again, it leaves it alone.
#   KUBERNETES_PROVIDER  local (the default, and the only one so far)
#   CLUSTER_NAME         default leme
#   NUM_NODES            default 3
# Exit status: 0 validated; 1 failed; 2 up, but validated with problems.
set -eu
. "$(dirname -- "$(readlink -f -- "$0")")/common.sh"
check_provider
check_number_of_nodes

echo "... Starting cluster using provider: $KUBERNETES_PROVIDER"
echo "... calling verify-prereqs"
sh "$root/scripts/setup.sh" || exit 1

echo "... calling kube-up"
problems=0
status=0
"$root/bin/leme" up --cluster-name="$CLUSTER_NAME" --nodes="$NUM_NODES" || status=$?
case $status in
  0) ;;
  2) problems=1 ;;
  *) exit 1 ;;
esac

echo "... calling validate-cluster"
exec "$root/cluster/validate-cluster.sh" "$problems"
