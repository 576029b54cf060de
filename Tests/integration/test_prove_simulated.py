"""The proof of simulated trade: many seeds with every fault, and again and again beside a till under load.

`TILL_SEEDS=100` runs more seeds, from `TILL_SEED` on; `TILL_PROOFS=200` proves more often.
"""

import json
import os
import signal
import subprocess
import time

import pytest
from conftest import wait_until
from support import DONE, binary, ended, new_till, running, till_command, totals
from test_simulate import FAULTS, ORDER_FAULTS, check_closed, simulate

SEEDS = int(os.environ.get("TILL_SEEDS", "2"))
FIRST_SEED = int(os.environ.get("TILL_SEED", "1"))
PROOFS = int(os.environ.get("TILL_PROOFS", "20"))
POS = ["pos", *FAULTS, "--failures", "0.02", "--skew", "30", "--gaps", "0.1"]
ORDERS = ["orders", *ORDER_FAULTS, "--gaps", "0.1"]


def prove(till):
    report = json.loads(ended(till_command("prove", "--data", till.data, "--json", timeout=300), DONE).splitlines()[0])
    assert report["differences"] == 0, report["found"]
    return report


@pytest.mark.parametrize("seed", range(FIRST_SEED, FIRST_SEED + SEEDS))
def test_every_fault_is_proved(tmp_path, seed):
    till = new_till(tmp_path)
    with running(till):
        words = ["--to", till.url, "--rate", "0", "--seed", str(seed)]
        check_closed(simulate(*POS, "--count", "3000", *words))
        till.kill9()
        till.start()
        check_closed(simulate(*ORDERS, "--count", "2000", *words), feeds=3)
        totals(till)
        assert till.stop() == 0
        events = prove(till)["events"]
    print(f"\nseed {seed}: {events} events, differences 0")
    assert events > 5000


class Simulation:
    """`till simulate` beside the test, until it is told to end."""

    def __init__(self, till, words):
        command = [binary(), "simulate", *words, "--to", till.url, "--json"]
        self.process = subprocess.Popen(list(map(str, command)), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)

    def report(self):
        self.process.send_signal(signal.SIGINT)
        said, _ = self.process.communicate(timeout=120)
        return json.loads(said)

    def close(self):
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()


def test_proofs_beside_a_till_under_load(tmp_path):
    till = new_till(tmp_path)
    with running(till):
        words = ["--rate", "1500", "--count", "10000000", "--batch", "20", "--seed", str(FIRST_SEED)]
        simulations = [Simulation(till, [*subject, *words]) for subject in (POS, ORDERS)]
        try:
            wait_until(lambda: totals(till)["received"] > 1000, 30, "the load")
            events, seconds, started = [], [], time.monotonic()
            for _ in range(PROOFS):
                report = prove(till)
                events.append(report["events"])
                seconds.append(report["seconds"])
            for simulation in simulations:
                assert simulation.process.poll() is None, "a simulation ended before the proofs did"
            reports = [simulation.report() for simulation in simulations]
        finally:
            for simulation in simulations:
                simulation.close()
        assert all(report["closed"] for report in reports), reports
        received = totals(till)["received"]
        assert prove(till)["events"] >= received
    print(
        f"\nproofs {PROOFS} beside the load in {time.monotonic() - started:.0f} s, {events[0]} to {events[-1]} events,"
        f" the slowest {max(seconds)} s; received {received}, differences 0"
    )
    assert events == sorted(events) and events[-1] > events[0]
