#!/bin/sh
# Builds what an end-to-end run is made of, from the versions that the go.mod files beside this script pin: etcd,
# kube-apiserver, kube-controller-manager, kube-scheduler, kwok, KEDA's operator and adapter, and helm and kubeconform for
# the chart. They go into the cache folder, once for each set of versions. Prints that folder. Safe to run from several
# terminals at once.
set -eu
cd "$(dirname "$0")/programs"

version() { sed -n "s|^\(require\)\{0,1\}[[:blank:]]*$2 v\([^ ]*\).*|\2|p" "$1/go.mod" | head -n 1; }
kubernetes=$(version kubernetes k8s.io/kubernetes)
keda=$(version keda github.com/kedacore/keda/v2)

cache="${XDG_CACHE_HOME:-$HOME/.cache}/external-scaler-sysdig"
folder="$cache/e2e-kubernetes-$kubernetes-keda-$keda-$(cat */go.mod ../build-programs.sh | cksum | cut -d ' ' -f 1)"
if [ -d "$folder" ]; then
  echo "$folder"
  exit 0
fi

say() { echo "build-programs: $*" >&2; }
wanted=$(sed -n 's/^go //p' kubernetes/go.mod)
# Where Go's own installer puts it, which not every shell has on its PATH.
command -v go >/dev/null 2>&1 || PATH="$PATH:/usr/local/go/bin"
if ! command -v go >/dev/null 2>&1; then
  say "go is missing; the end-to-end tests build Kubernetes and KEDA with it. Install Go $wanted or later (https://go.dev/dl)"
  exit 1
fi
found=$(go env GOVERSION | sed 's/^go//')
if [ "$(printf '%s\n%s\n' "$wanted" "$found" | sort -V | head -n 1)" != "$wanted" ]; then
  say "expected Go $wanted or later, got $found; install a newer one (https://go.dev/dl)"
  exit 1
fi

mkdir -p "$cache"
lock="$cache/.e2e-build.lock"
. ../../scripts/lock.sh
lock "$lock"
rm -rf "$cache"/.e2e-build.?????? # of one that was killed
work=$(mktemp -d "$cache/.e2e-build.XXXXXX")
trap 'rm -rf "$work" "$lock"' EXIT
trap 'exit 130' HUP INT TERM
if [ -d "$folder" ]; then # by whoever had the lock before
  echo "$folder"
  exit 0
fi

say "builds Kubernetes $kubernetes, KEDA $keda and what they need, once: about 15 minutes on 2 cores"
export CGO_ENABLED=0 GOFLAGS='-trimpath -buildvcs=false'
started=$(date +%s)
# program MODULE [LINKER FLAGS]
build() {
  begun=$(date +%s)
  (cd "$1" && go build -ldflags "-s -w ${2:-}" -o "$work/" tool)
  say "$1 in $(($(date +%s) - begun)) s"
}
stated=k8s.io/component-base/version
minor=${kubernetes#*.}
build etcd
build kwok
# Without it the server says that it is v0.0.0.
build kubernetes "-X $stated.gitVersion=v$kubernetes -X $stated.gitMajor=1 -X $stated.gitMinor=${minor%%.*}"
build keda
build helm
build kubeconform
mv "$work/server" "$work/etcd"
mv "$work/operator" "$work/keda-operator"
mv "$work/adapter" "$work/keda-adapter"

# So that a run needs no Go.
source_of() { (cd "$1" && go mod download "$2" && go list -m -f '{{.Dir}}' "$2"); }
keda_source=$(source_of keda github.com/kedacore/keda/v2)
kwok_source=$(source_of kwok sigs.k8s.io/kwok)
kubernetes_source=$(source_of kubernetes k8s.io/kubernetes)
cert_manager_source=$(source_of crds github.com/cert-manager/cert-manager)
prometheus_operator_source=$(source_of crds github.com/prometheus-operator/prometheus-operator)
monitoring="$prometheus_operator_source/example/prometheus-operator-crd/monitoring.coreos.com"
mkdir "$work/crds" "$work/stages"
cp "$keda_source"/config/crd/bases/*.yaml "$cert_manager_source"/deploy/crds/cert-manager.io_*.yaml \
  "${monitoring}_servicemonitors.yaml" "${monitoring}_prometheusrules.yaml" "$work/crds/"
cp "$kubernetes_source/api/openapi-spec/swagger.json" "$work/"
cp "$kwok_source"/kustomize/stage/node/fast/node-*.yaml "$kwok_source"/kustomize/stage/node/heartbeat/node-*.yaml \
  "$kwok_source"/kustomize/stage/pod/fast/pod-ready.yaml "$kwok_source"/kustomize/stage/pod/fast/pod-delete.yaml "$work/stages/"
chmod -R u+w "$work"
mv "$work" "$folder"
say "all in $(($(date +%s) - started)) s: $folder"
echo "$folder"
