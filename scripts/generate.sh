#!/bin/sh
# Writes the files that are made from others: the types of proto/, and the tables in docs/. With --check it only
# compares, and fails where a committed file is out of date.
set -eu
cd "$(dirname "$0")/.."

out=src/scaler/generated
if [ "${1:-}" = --check ]; then
  out=$(mktemp -d)
  trap 'rm -rf "$out"' EXIT
fi

proto-loader-gen-types --longs=Number --defaults --keepCase --includeComments --grpcLib=@grpc/grpc-js \
  --importFileExtension=.ts --inputTemplate=%s --outputTemplate=%s__Output \
  --outDir="$out" proto/externalscaler.proto >/dev/null

if [ "${1:-}" = --check ]; then
  diff -r "$out" src/scaler/generated >&2 || {
    echo "generate: src/scaler/generated is out of date; run make generate" >&2
    exit 1
  }
  exec node scripts/tables.ts --check
fi
exec node scripts/tables.ts
