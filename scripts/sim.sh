# The command `sim` of ./dev, which sources this file; do not run it directly.
# shellcheck shell=bash
# shellcheck disable=SC2154 # ./dev sets run_packages and python

# Optimised tests in a build directory of their own, because testable modules differ from the product's. CSHIMS_FAULTS
# enables faults of system calls, which only debug builds have by default.
sim_tests=(-c release -Xswiftc -enable-testing -Xcc -DCSHIMS_FAULTS --scratch-path .build-sim)
sim_failed=()

# Runs one part: its name, then its command. Remembers a failure and lets the next part run.
sim_part() {
    local name=$1 started=$SECONDS
    shift
    say "sim: $name"
    if "$@" </dev/null; then
        printf 'sim: %s passed in %d s\n' "$name" $((SECONDS - started))
    else
        printf 'sim: %s FAILED after %d s\n' "$name" $((SECONDS - started))
        sim_failed+=("$name")
    fi
}

# Runs the release build of the unit tests whose names match $1, and prints their last lines.
sim_unit() {
    local log=.dev/sim-unit.log code=0
    swift test "${sim_tests[@]}" --skip-build --disable-xctest --filter "$1" >"$log" 2>&1 || code=$?
    if ((code)); then cat "$log"; fi
    grep -E 'Test run with' "$log" || true
    # A filter that matches no test must fail.
    if ! grep -qE 'Test run with [1-9]' "$log"; then code=1; fi
    return "$code"
}

sim_integration() { "$python" -m pytest -q -s -ra -p no:cacheprovider "${@/#/Tests/integration/}"; }

sim() {
    local seed="" histories=100000 seeds=20 proofs=40
    while (($#)); do
        case $1 in
        --seed) seed=${2:?--seed needs a number} && shift ;;
        --seed=*) seed=${1#*=} ;;
        --long) histories=1000000 seeds=200 proofs=200 ;;
        *) stop "unknown option $1; supported: --seed N, --long" 2 ;;
        esac
        shift
    done
    seed=${seed:-$(od -An -N3 -tu4 /dev/urandom | tr -d ' ')}
    [[ $seed =~ ^[0-9]{1,9}$ ]] || stop "--seed is $seed; use a number of at most nine digits" 2
    need_packages "${run_packages[@]}"
    need_python
    build_release till
    say "release build of the tests"
    swift build --build-tests "${sim_tests[@]}" </dev/null >&2
    mkdir -p .dev
    TILL_BIN=$(binary till)
    export TILL_BIN
    printf 'sim: seed %s, %d histories, 200 kills a loop, %d seeds of simulated trade\n' "$seed" "$histories" "$seeds"
    TILL_SEED=$seed TILL_PROPERTY=$histories sim_part "properties, $histories histories each" \
        sim_unit 'FoldPropertyTests|StreamPropertyTests'
    TILL_FUZZ=full sim_part "mutated inputs, a million a kind" sim_unit \
        'RefinerTests|OrderTests|RecordBatchTests|JSONFuzzTests|CSVTests|LogDamageTests|LogFaultTests|ParserFuzzTests'
    TILL_SEED=$seed TILL_FUZZ=full sim_part "a million JSON documents, a hundred thousand questions" \
        sim_integration test_json_differential.py test_api_fuzz.py
    TILL_SEED=$seed TILL_KILLS=200 sim_part "kills of one feed" sim_integration test_kill.py
    TILL_SEED=$seed TILL_KILLS=200 sim_part "kills of mixed feeds, proved" sim_integration test_kill_mixed.py
    sim_part "full disks" sim_integration test_disk_full.py
    sim_part "10,000 hostile connections" .dev/venv/bin/python Tests/integration/hostile.py "$TILL_BIN" 10000
    TILL_SEED=$seed TILL_SEEDS=$seeds TILL_PROOFS=$proofs sim_part "simulated trade of $seeds seeds, proved" \
        sim_integration test_prove_simulated.py
    if ((${#sim_failed[@]})); then
        printf 'sim: seed %s: %d parts failed:' "$seed" "${#sim_failed[@]}"
        printf ' [%s]' "${sim_failed[@]}"
        printf '\n'
        return 1
    fi
    printf 'sim: seed %s: all parts passed in %d s\n' "$seed" "$SECONDS"
}
