#!/bin/sh
# Makes a real Prometheus available to the tests and the demo: `prometheus` and `promtool`, from PATH, or unpacked
# into the cache folder. Nothing is installed on the system, and no service is started.
set -eu

cache="${XDG_CACHE_HOME:-$HOME/.cache}/external-scaler-sysdig/prometheus"

found() {
  command -v "$1" >/dev/null 2>&1 || [ -x "$cache/$1" ]
}

if found prometheus && found promtool; then
  exit 0
fi

missing() {
  cat >&2 <<TEXT
install-prometheus: expected prometheus and promtool on PATH or in $cache; $1
  Debian, Ubuntu: apt install prometheus
  macOS:          brew install prometheus
  elsewhere:      put the programs prometheus and promtool (2.42 or newer) on PATH
Without them these cannot run: make demo, and every test that starts test/harness/prometheus.ts.
TEXT
  exit 1
}

command -v apt-get >/dev/null 2>&1 || missing "they are not, and this system has no apt-get to fetch them with."
command -v dpkg >/dev/null 2>&1 || missing "they are not, and this system has no dpkg to unpack them with."

# Beside the cache folder, so that the programs can be moved into it in one step: two runs at once do not meet.
mkdir -p "$cache"
work=$(mktemp -d "$cache/.unpack.XXXXXX")
trap 'rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM
# apt-get, as root, hands the download to an unprivileged user.
chmod 755 "$work"

fetch() {
  (cd "$work" && apt-get -o APT::Sandbox::User=root download prometheus >apt.log 2>&1)
}

if ! fetch; then
  if [ "$(id -u)" -eq 0 ]; then
    apt-get update >"$work/update.log" 2>&1 || true
  fi
  fetch || missing "apt-get could not download the package: $(tail -n 1 "$work/apt.log")"
fi

dpkg -x "$work"/prometheus_*.deb "$work/root" || missing "the downloaded package could not be unpacked."

for program in prometheus promtool; do
  "$work/root/usr/bin/$program" --version >/dev/null 2>"$work/run.log" ||
    missing "the unpacked $program does not run here: $(head -n 1 "$work/run.log")"
done
for program in promtool prometheus; do
  mv -f "$work/root/usr/bin/$program" "$cache/$program"
done
echo "install-prometheus: prometheus and promtool are in $cache"
