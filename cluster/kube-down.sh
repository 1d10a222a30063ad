#!/bin/sh
# Takes a cluster down with everything in it. Same variables as kube-up.sh. Safe to run twice.
set -eu
. "$(dirname -- "$(readlink -f -- "$0")")/common.sh"
check_provider

echo "Bringing down cluster using provider: $KUBERNETES_PROVIDER"
echo "... calling kube-down"
"$root/bin/leme" down --cluster-name="$CLUSTER_NAME" || exit 1
echo "Done"
