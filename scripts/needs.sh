# Installs missing tools for ./dev, which sources this file; do not run it directly.
# shellcheck shell=bash
# shellcheck disable=SC2154 # ./dev sets python

need_packages() {
    local package missing=()
    if ! command -v dpkg-query >/dev/null; then
        say "not a Debian system: install these packages or their equivalents: $*"
        return
    fi
    for package in "$@"; do
        [[ $(dpkg-query -W -f='${Status}' "$package" 2>/dev/null) == "install ok installed" ]] || missing+=("$package")
    done
    ((${#missing[@]})) || return 0
    local as_root=()
    if ((EUID != 0)); then
        command -v sudo >/dev/null || stop "missing packages and no sudo; run as root: apt-get install ${missing[*]}"
        as_root=(sudo)
    fi
    say "installing with apt-get: ${missing[*]}"
    "${as_root[@]}" apt-get update -qq </dev/null >&2
    "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends \
        -o Dpkg::Use-Pty=0 "${missing[@]}" </dev/null >&2
}

need_python() {
    local stamp=.dev/venv/.requirements
    cmp -s requirements-dev.txt "$stamp" && return 0
    command -v python3 >/dev/null || need_packages python3
    python3 -c 'import ensurepip, venv' 2>/dev/null || need_packages python3-venv
    say "installing into .dev/venv: $(sed -e '/^#/d' requirements-dev.txt | tr '\n' ' ')"
    mkdir -p .dev
    python3 -m venv .dev/venv
    "$python" -m pip install -q --disable-pip-version-check --no-input -r requirements-dev.txt </dev/null >&2
    cp requirements-dev.txt "$stamp"
}

# Unpacks Prometheus instead of installing it, because the package starts a service. Without it, its test is skipped.
need_prometheus() {
    local place=.dev/prometheus as_root=()
    if [[ -x $place/usr/bin/prometheus ]] || command -v prometheus >/dev/null; then return 0; fi
    command -v apt-get >/dev/null || return 0
    say "unpacking prometheus into $place"
    mkdir -p "$place"
    if ((EUID != 0)); then as_root=(sudo -n); fi
    (
        # set -e is off in a condition, so every step checks its own result.
        cd "$place" || exit 1
        apt-get download -qq prometheus ||
            { "${as_root[@]}" apt-get update -qq && apt-get download -qq prometheus; } || exit 1
        dpkg -x prometheus_*.deb . || exit 1
    ) </dev/null >&2 || say "could not get prometheus; its test is skipped"
    rm -f "$place"/prometheus_*.deb
}
