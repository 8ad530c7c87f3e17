#!/bin/sh
# Installs what package-lock.json names into node_modules, Node itself included, if that has not been done for this
# very lock file. Safe to run from several terminals at once: one installs, the others wait.
set -eu
cd "$(dirname "$0")/.."

lock=.setup.lock
stamp=node_modules/.installed-lock

installed() { [ -f "$stamp" ] && cmp -s package-lock.json "$stamp"; }

installed && exit 0

command -v npm >/dev/null 2>&1 || {
  echo "setup: npm is missing; install any Node.js of version 20 or later (https://nodejs.org)" >&2
  exit 1
}

. scripts/lock.sh
lock "$lock"
trap 'rm -rf "$lock"' EXIT
trap 'exit 130' INT TERM

installed && exit 0
echo "setup: installing the packages of package-lock.json" >&2
npm ci --no-audit --no-fund --loglevel=error
[ -x node_modules/.bin/node ] && node_modules/.bin/node --version >/dev/null || {
  echo "setup: the npm package 'node' did not bring a Node.js for this platform ($(uname -sm)); use Node.js 26 from https://nodejs.org" >&2
  exit 1
}
cp package-lock.json "$stamp"
