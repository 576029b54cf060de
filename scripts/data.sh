# The data directory of `./dev up`; ./dev reads this file, it is not run by itself.
# shellcheck shell=bash
# shellcheck disable=SC2154 # root is of ./dev

# Whether the till that serves the data directory $2 is ready at $1.
is_ours() {
    local id
    id=$(head -n 1 "$2/ID" 2>/dev/null) && [[ -n $id ]] || return 1
    curl -fsS --noproxy '*' --max-time 2 "http://$1/health/ready" 2>/dev/null | grep -qF "\"data_id\":\"$id\""
}

# Forgets the demo data; asks first.
reset() {
    local data=${TILL_DATA:-$root/.dev/data} answer=""
    if [[ ! -e $data ]]; then
        say "there is no $data; nothing to forget"
        return
    fi
    if ! sed -n 2p "$data/ID" 2>/dev/null | grep -qx demo; then
        stop "$data was not made by ./dev up, so it may hold real data; nothing was removed"
    fi
    if command -v flock >/dev/null && ! flock -n "$data" true; then
        stop "a till runs on $data; stop it first"
    fi
    if [[ ${1:-} != --yes ]]; then
        [[ -t 0 ]] || stop "nothing was removed; to remove $data say ./dev reset --yes" 2
        read -rp "Remove $data and all sales in it? [y/N] " answer
        [[ $answer == [yY] ]] || stop "nothing was removed"
    fi
    rm -rf -- "$data"
    say "removed $data"
}
