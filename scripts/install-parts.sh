#!/bin/sh
# Makes a real Prometheus and a real Alertmanager available to the tests and the demo, from PATH, or unpacked into the
# cache folder. No package is installed on the system, and no service is started.
set -eu

cache="${XDG_CACHE_HOME:-$HOME/.cache}/external-scaler-sysdig/prometheus"

templates=/usr/share/prometheus/alertmanager

found() {
  command -v "$1" >/dev/null 2>&1 || [ -x "$cache/$1" ]
}

missing() {
  cat >&2 <<TEXT
install-parts: expected the programs prometheus, promtool and alertmanager on PATH or in $cache; $1
  Debian, Ubuntu: apt install prometheus prometheus-alertmanager
  macOS:          brew install prometheus alertmanager
  elsewhere:      put the programs (Prometheus 2.42, Alertmanager 0.25, or newer) on PATH
Without them these cannot run: make demo, and every test that starts test/harness/prometheus.ts or alertmanager.ts.
TEXT
  exit 1
}

fetch() {
  (cd "$work" && apt-get -o APT::Sandbox::User=root download "$1" >apt.log 2>&1)
}

# part PACKAGE PROGRAM...: unpacks Debian's package and keeps its programs; the last one named is moved last.
part() {
  package=$1
  shift
  command -v apt-get >/dev/null 2>&1 || missing "they are not, and this system has no apt-get to fetch them with."
  command -v dpkg >/dev/null 2>&1 || missing "they are not, and this system has no dpkg to unpack them with."
  # Beside the programs, so that they can be moved into place in one step: two runs at once do not meet.
  mkdir -p "$cache"
  work=$(mktemp -d "$cache/.unpack.XXXXXX")
  trap 'rm -rf "$work"' EXIT
  trap 'exit 1' HUP INT TERM
  # apt-get, as root, hands the download to an unprivileged user.
  chmod 755 "$work"
  if ! fetch "$package"; then
    if [ "$(id -u)" -eq 0 ]; then
      apt-get update >"$work/update.log" 2>&1 || true
    fi
    fetch "$package" || missing "apt-get could not download $package: $(tail -n 1 "$work/apt.log")"
  fi
  dpkg -x "$work/$package"_*.deb "$work/root" || missing "the downloaded $package could not be unpacked."
  for program in "$@"; do
    "$work/root/usr/bin/$program" --version >/dev/null 2>"$work/run.log" ||
      missing "the unpacked $program does not run here: $(head -n 1 "$work/run.log")"
  done
  for program in "$@"; do
    mv -f "$work/root/usr/bin/$program" "$cache/$program"
  done
  # Only what the package has, and only where it is missing.
  if [ -d "$work/root$templates" ] && [ ! -e "$templates/default.tmpl" ]; then
    cp "$work/root$templates"/*.tmpl "$templates/"
    echo "install-parts: Alertmanager's templates in $templates"
  fi
  rm -rf "$work"
  echo "install-parts: $* in $cache"
}

found prometheus && found promtool || part prometheus promtool prometheus
# Debian's name for it is the longer one, and Debian's looks for its templates in one place only.
if ! found alertmanager && { ! found prometheus-alertmanager || [ ! -e "$templates/default.tmpl" ]; }; then
  [ -e "$templates/default.tmpl" ] || mkdir -p "$templates" 2>/dev/null ||
    missing "Debian's Alertmanager needs $templates, which only root can make."
  part prometheus-alertmanager prometheus-alertmanager
fi
