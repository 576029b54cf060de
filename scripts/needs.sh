# What ./dev installs when it is missing; ./dev reads this file, it is not run by itself.
# shellcheck shell=bash
# shellcheck disable=SC2154 # python is of ./dev

need_packages() {
    local package missing=()
    if ! command -v dpkg-query >/dev/null; then
        say "not a Debian system: these packages, or their equals, must be there: $*"
        return
    fi
    for package in "$@"; do
        [[ $(dpkg-query -W -f='${Status}' "$package" 2>/dev/null) == "install ok installed" ]] || missing+=("$package")
    done
    ((${#missing[@]})) || return 0
    local as_root=()
    if ((EUID != 0)); then
        command -v sudo >/dev/null || stop "missing packages and no sudo; as root: apt-get install ${missing[*]}"
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

# Unpacked and not installed: installed, it would run as a service. Without it its test is skipped, which is said.
need_prometheus() {
    local place=.dev/prometheus as_root=()
    if [[ -x $place/usr/bin/prometheus ]] || command -v prometheus >/dev/null; then return 0; fi
    command -v apt-get >/dev/null || return 0
    say "unpacking prometheus into $place"
    mkdir -p "$place"
    if ((EUID != 0)); then as_root=(sudo -n); fi
    (
        # Not under set -e, being asked whether it went well: every step says so itself.
        cd "$place" || exit 1
        apt-get download -qq prometheus ||
            { "${as_root[@]}" apt-get update -qq && apt-get download -qq prometheus; } || exit 1
        dpkg -x prometheus_*.deb . || exit 1
    ) </dev/null >&2 || say "prometheus cannot be had; its test is skipped"
    rm -f "$place"/prometheus_*.deb
}
