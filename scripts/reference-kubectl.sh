#!/bin/sh
# Fetches a real kubectl to compare ours with, without touching the system: it is unpacked, not installed.
#   scripts/reference-kubectl.sh 1.36            from Debian sid      -> .cache/kubectl/1.36/…
#   scripts/reference-kubectl.sh 1.32            from Debian trixie   -> .cache/kubectl/1.32/…
#   scripts/reference-kubectl.sh 1.20            from Debian bookworm -> .cache/kubectl/1.20/…
#   scripts/reference-kubectl.sh VERSION DIR     unpacks into DIR instead
#   scripts/reference-kubectl.sh --print VERSION prints the path where it is there; fetches nothing (status 1 if not)
# The last line of output is the binary's path. Needs no root. The mirror is this machine's own.
set -eu
root=$(CDPATH= cd -- "$(dirname -- "$0")/.." && pwd)

usage() { echo "usage: $0 VERSION [DIR] | --print VERSION   (VERSION: 1.20, 1.32 or 1.36)" >&2; exit 2; }
fail() { echo "error: $1" >&2; exit 1; }

print=0
if [ "${1:-}" = --print ]; then print=1; shift; fi
version=${1:-}
case $version in
  1.36) suite=sid ;;
  1.32) suite=trixie ;;
  1.20) suite=bookworm ;;
  *) usage ;;
esac
dir=${2:-$root/.cache/kubectl/$version}
binary=$dir/usr/bin/kubectl
[ -x "$binary" ] && { echo "$binary"; exit 0; }
[ "$print" -eq 0 ] || exit 1

for program in apt-get apt-cache dpkg dpkg-deb flock; do
  command -v "$program" >/dev/null 2>&1 || fail "kubectl $version comes from a Debian package, and this machine has no $program"
done

mkdir -p "$dir"
dir=$(CDPATH= cd -- "$dir" && pwd)
binary=$dir/usr/bin/kubectl
exec 9>"$dir.lock"
flock 9
[ -x "$binary" ] && { echo "$binary"; exit 0; }

# The mirror is where this machine has its own Debian from.
mirror=$(apt-get indextargets --format '$(RELEASE) $(COMPONENT) $(REPO_URI)' 'Created-By: Packages' |
  awk '$2 == "main" && $1 !~ /-/ && $3 ~ /debian\/?$/ { print $3; exit }')
[ -n "$mirror" ] || fail "apt has no source of Debian's main component to take kubectl $version from"

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 1' INT TERM HUP
mkdir -p "$work/lists/partial" "$work/archives/partial" "$work/empty"
: >"$work/status"
keyring=/usr/share/keyrings/debian-archive-keyring.gpg
printf 'deb [signed-by=%s] %s %s main\n' "$keyring" "$mirror" "$suite" >"$work/sources.list"
cat >"$work/apt.conf" <<CONF
Dir::Etc::SourceList "$work/sources.list";
Dir::Etc::SourceParts "$work/empty";
Dir::Etc::Preferences "$work/none";
Dir::Etc::PreferencesParts "$work/empty";
Dir::State "$work";
Dir::State::Lists "$work/lists";
Dir::State::Status "$work/status";
Dir::Cache "$work";
Dir::Cache::Archives "$work/archives";
Dir::Cache::PkgCache "";
Dir::Cache::SrcPkgCache "";
APT::Sandbox::User "";
APT::Get::List-Cleanup "false";
Acquire::Languages "none";
Acquire::Retries "2";
#clear APT::Update::Pre-Invoke;
#clear APT::Update::Post-Invoke;
#clear APT::Update::Post-Invoke-Success;
#clear DPkg::Post-Invoke;
CONF
apt() { program=$1; shift; "$program" -c "$work/apt.conf" "$@"; }

echo "Fetching kubectl $version from Debian $suite" >&2
apt apt-get update --error-on=any >"$work/log" 2>&1 || {
  tail -n 5 "$work/log" >&2
  fail "the package index of Debian $suite could not be fetched: kubectl $version needs this machine's Debian mirror once"
}
package=""
# In sid `kubernetes-client` only depends on `kubectl`; bookworm knows only the former.
for name in kubectl kubernetes-client; do
  found=$(apt apt-cache policy "$name" 2>/dev/null | awk '$1 == "Candidate:" { print $2 }')
  # Bookworm's 1.20.5 says which release it really is: 1.20.5+really1.20.2.
  case $found in "$version".* | *:"$version".*) package=$name; break ;; esac
done
[ -n "$package" ] || fail "Debian $suite has no kubectl $version now"
(cd "$work/archives" && apt apt-get download "$package" >"$work/log" 2>&1) || {
  tail -n 5 "$work/log" >&2
  fail "$package of Debian $suite could not be fetched"
}
mkdir "$work/tree"
dpkg-deb -x "$work"/archives/*.deb "$work/tree"
[ -x "$work/tree/usr/bin/kubectl" ] || fail "$package of Debian $suite holds no kubectl"
rm -rf "$dir/usr"
cp -a "$work/tree/usr" "$dir/usr.new"
mv "$dir/usr.new" "$dir/usr"
echo "$binary"
