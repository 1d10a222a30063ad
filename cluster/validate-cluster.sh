#!/bin/sh
# Shows the nodes and components of a cluster that is up, and whether all of them are well.
# Exit status: 0 all well; 1 no answer; 2 some node or component has a problem.
set -eu
. "$(dirname -- "$(readlink -f -- "$0")")/common.sh"
problems=${1:-0}

kubectl() {
  "$root/bin/kubectl" --context="$CLUSTER_NAME" "$@"
}

nodes=$(kubectl get nodes) || exit 1
found=$(printf '%s\n' "$nodes" | tail -n +2 | grep -c . || true)
ready=$(printf '%s\n' "$nodes" | tail -n +2 | awk '$2 ~ /^Ready/' | grep -c . || true)
echo "Found $found node(s)."
printf '%s\n' "$nodes"
[ "$found" -gt 0 ] && [ "$ready" -eq "$found" ] || problems=1

echo "Validate output:"
components=$(kubectl get cs 2>/dev/null) || problems=1
printf '%s\n' "$components"
printf '%s\n' "$components" | tail -n +2 | awk '$2 != "Healthy" { bad = 1 } END { exit bad }' || problems=1

if [ "$problems" -eq 0 ]; then
  echo "Cluster validation succeeded"
else
  echo "Cluster validation encountered some problems, but cluster should be in working order"
fi
echo "Done, listing cluster services:"
echo
kubectl cluster-info || exit 1
echo
[ "$problems" -eq 0 ] || exit 2
