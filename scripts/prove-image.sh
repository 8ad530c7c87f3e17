#!/bin/sh
# Builds the image where no registry of images is reached, twice, and runs it. Its base images are made of this machine's
# own files: one with Node.js, npm and a shell, one with only the libraries that the public one has. Needs Linux and podman.
set -eu
cd "$(dirname "$0")/.."

command -v podman >/dev/null 2>&1 || {
  echo "prove-image: podman is missing (Debian, Ubuntu: apt install podman crun)" >&2
  exit 1
}

work=$(mktemp -d)
name=localhost/external-scaler-sysdig-proof
# Every image that is built on one inherits its labels; so what the builds leave can be told from what others left.
label=external-scaler-sysdig.proof=$$
clear() {
  rm -rf "$work"
  podman rmi --force "$name:build" "$name:base" "$name:first" "$name:second"
  podman image prune --force --filter "label=$label"
}
trap 'clear >/dev/null 2>&1 || true' EXIT
trap 'exit 1' HUP INT TERM

certificates=/etc/ssl/certs/ca-certificates.crt
node=$(readlink -f node_modules/.bin/node)
npm=$(dirname "$(dirname "$(readlink -f "$(command -v npm)")")")

# What these programs load, as paths.
libraries() { for program in "$@"; do ldd "$program" | grep -o '/[^ ]*'; done | sort -u; }

# take ROOT FILE...: copies files of this machine by their own paths.
take() {
  root=$1
  shift
  mkdir -p "$root/usr/bin" "$root/usr/lib" "$root/usr/lib64" "$root/usr/local/bin" "$root/root" "$root/tmp"
  for folder in bin lib lib64; do ln -s "usr/$folder" "$root/$folder"; done
  for file in "$@"; do
    mkdir -p "$root$(dirname "$file")"
    cp -L "$file" "$root$file"
  done
}

tools='/bin/sh /bin/chmod /bin/cp /bin/mkdir /bin/rm /usr/bin/env /usr/bin/find'
# shellcheck disable=SC2046,SC2086 # lists of paths without blanks
take "$work/build" "$certificates" /usr/share/doc/libatomic1/copyright $tools $(libraries $tools "$node")
cp "$node" "$work/build/usr/local/bin/node"
cp "$(dirname "$node")"/../node_modules/node-*/LICENSE "$work/build/usr/local/"
mkdir -p "$work/build/usr/local/lib/node_modules"
cp -R "$npm" "$work/build/usr/local/lib/node_modules/npm"
ln -s ../lib/node_modules/npm/bin/npm-cli.js "$work/build/usr/local/bin/npm"
# The public one lacks this library too.
# shellcheck disable=SC2046
take "$work/base" "$certificates" $(libraries "$node" | grep -v libatomic)

for root in build base; do
  tar -C "$work/$root" -c . | podman import --quiet --change "LABEL $label" \
    --change "ENV PATH=/usr/local/bin:/usr/bin:/bin" --change "ENV NODE_EXTRA_CA_CERTS=$certificates" - "$name:$root" >/dev/null
done

id_of() { podman image inspect --format '{{.Id}}' "$1"; }
for build in first second; do
  BUILDER=podman IMAGE=$name:$build BUILD_IMAGE=$name:build BASE_IMAGE=$name:base scripts/image.sh \
    --network host --no-cache --pull=never
done
first=$(id_of "$name:first")
second=$(id_of "$name:second")
[ "$first" = "$second" ] || {
  echo "prove-image: expected the same image of two builds, got $first and $second" >&2
  exit 1
}
echo "prove-image: two builds, one image: $first"
node scripts/prove-image.ts "$name:first"
