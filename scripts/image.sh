#!/bin/sh
# Builds the image with what is there: docker (with buildx), podman or buildah. Arguments go on to the builder. From the
# environment, all optional:
#   IMAGE              its name and tag; external-scaler-sysdig:VERSION
#   BUILDER            docker, podman or buildah
#   BUILD_IMAGE        where Node.js and npm are; BASE_IMAGE what the image stands on; see the Dockerfile
#   PLATFORM           linux/arm64, for instance; this machine's
#   SOURCE_DATE_EPOCH  the time, in seconds, that everything in the image gets; that of the last commit
#   SOURCE             the address of the repository, for the image's label
#   NPMRC              a file for npm ci: a registry, its credentials, a CA; never in the image
set -eu
cd "$(dirname "$0")/.."

from_dockerfile() { sed -n "s/^ARG $1=//p" Dockerfile; }
from_git() { git "$@" 2>/dev/null || true; }
rfc3339() { date -u -d "@$1" +%Y-%m-%dT%H:%M:%SZ 2>/dev/null || date -u -r "$1" +%Y-%m-%dT%H:%M:%SZ; }

works() {
  case $1 in
    docker) docker buildx version && docker info ;;
    podman) podman info ;;
    buildah) buildah info ;;
    *) false ;;
  esac >/dev/null 2>&1
}

for builder in ${BUILDER:-docker podman buildah}; do
  works "$builder" && break
  builder=
done
[ -n "$builder" ] || {
  cat >&2 <<TEXT
image: expected a builder that works, found none${BUILDER:+ (BUILDER=$BUILDER)}
  docker   with buildx and a running daemon
  podman   Debian, Ubuntu: apt install podman; Fedora: dnf install podman
  buildah  Debian, Ubuntu: apt install buildah; Fedora: dnf install buildah
TEXT
  exit 1
}

version=$(sed -n 's/^  "version": "\(.*\)",$/\1/p' package.json)
image=${IMAGE:-external-scaler-sysdig:$version}
build_image=${BUILD_IMAGE:-$(from_dockerfile BUILD_IMAGE)}
base_image=${BASE_IMAGE:-$(from_dockerfile BASE_IMAGE)}
epoch=${SOURCE_DATE_EPOCH:-$(from_git log -1 --pretty=%ct)}
epoch=${epoch:-$(date +%s)}
revision=$(from_git rev-parse HEAD)
[ -z "$(from_git status --porcelain)" ] || revision=$revision-dirty

set -- --file Dockerfile --tag "$image" \
  --build-arg "BUILD_IMAGE=$build_image" --build-arg "BASE_IMAGE=$base_image" \
  --build-arg "VERSION=$version" --build-arg "REVISION=$revision" \
  --build-arg "CREATED=$(rfc3339 "$epoch")" --build-arg "SOURCE=${SOURCE:-}" \
  ${PLATFORM:+--platform "$PLATFORM"} ${NPMRC:+--secret "id=npmrc,src=$NPMRC"} "$@"
case $builder in
  docker)
    # Not rewrite-timestamp: not every store of docker's takes it. A release, which loads nothing, has it.
    docker buildx build --build-arg "SOURCE_DATE_EPOCH=$epoch" --load "$@" .
    id=$(docker image inspect --format '{{.Id}}' "$image")
    ;;
  podman)
    podman build --timestamp "$epoch" "$@" .
    id=$(podman image inspect --format '{{.Id}}' "$image")
    ;;
  buildah)
    buildah build --timestamp "$epoch" "$@" .
    id=$(buildah inspect --type image --format '{{.FromImageID}}' "$image")
    ;;
esac

echo "image: $image, id $id, by $builder; SOURCE_DATE_EPOCH=$epoch
image: Node.js from $build_image, on $base_image"
case $build_image/$base_image in
  *@sha256:*/*@sha256:*) ;;
  *) echo "image: a tag moves. To build the same again, pin both: BUILD_IMAGE=NAME@sha256:… BASE_IMAGE=NAME@sha256:… make image" ;;
esac
