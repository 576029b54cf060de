"""kill -9 under load, again and again: what was acknowledged is there, once, and nothing else is.

`TILL_KILLS=500` runs longer. The load and its memory of acknowledgements are in kill_load.py, outside till.
"""

import json
import os
import random
import sqlite3
import subprocess
import sys
import time
from collections import Counter
from contextlib import closing
from decimal import Decimal
from pathlib import Path

import pytest
from conftest import Till, tell, till_binary
from kill_load import CONNECTIONS, amounts, events, http_request, idempotency_key, invoice_number, is_reposted

KILLS = int(os.environ.get("TILL_KILLS", "50"))
SEED = int(os.environ.get("TILL_SEED", "20101201"))
IN_FLIGHT_SHARE_MIN = 0.2
PROCESSES = 2


class Load:
    """Client processes that send until the server is gone, and report what they were told."""

    def __init__(self, program="kill_load.py"):
        share = CONNECTIONS // PROCESSES
        program = str(Path(__file__).with_name(program))
        self.processes = [
            subprocess.Popen(
                [sys.executable, program, str(n * share), str((n + 1) * share)],
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
            )
            for n in range(PROCESSES)
        ]  # fmt: skip

    def start(self, port):
        for process in self.processes:
            process.stdin.write(json.dumps({"port": port}) + "\n")
            process.stdin.flush()

    def reports(self):
        return [json.loads(process.stdout.readline()) for process in self.processes]

    def close(self):
        for process in self.processes:
            process.stdin.close()
            process.stdout.close()
            process.kill()
            process.wait()


class Oracle:
    """What the clients know."""

    def __init__(self):
        self.acknowledged, self.lost = set(), set()
        self.unexpected, self.saturated = [], 0
        self.kills = self.in_flight_kills = self.in_flight_requests = self.startup_kills = 0

    def learn(self, reports, killed_at):
        """Books one life; returns the requests acknowledged in it."""
        new = {(c, n) for report in reports for c, n in report["acknowledged"]}
        twice = new & self.acknowledged
        assert not twice, f"the load acknowledged a request twice: {sorted(twice)[:5]}"
        self.acknowledged |= new
        in_flight = 0
        for report in reports:
            self.unexpected += report["unexpected"]
            self.saturated += report["saturated"]
            for connection, request, sent_at in report["lost"]:
                self.lost.add((connection, request))
                in_flight += sent_at is not None and sent_at < killed_at
        self.kills += 1
        self.in_flight_kills += in_flight > 0
        self.in_flight_requests += in_flight
        return new

    @property
    def unknown(self):
        """Sent and never acknowledged."""
        return self.lost - self.acknowledged


def read_tables(till, query, parameters=()):
    with closing(sqlite3.connect(f"file:{till.data}/tables.sqlite?mode=ro", uri=True)) as db:
        return db.execute(query, parameters).fetchall()


def lines_by_invoice(till, numbers=None):
    """Invoice number → how many lines the tables have."""
    query = "select d.source_key, count(*) from document d join line l on l.document_id = d.id"
    if numbers is None:
        return dict(read_tables(till, f"{query} group by d.id"))
    return dict(
        read_tables(till, f"{query} where d.source_key in (select value from json_each(?)) group by d.id",
                    [json.dumps(sorted(numbers))])
    )  # fmt: skip


def check_once(found, requests, may_be_missing=False):
    """Every request's events are in the tables once; a request is there as a whole or not at all."""
    wrong = []
    for request in requests:
        count, wanted = found.get(invoice_number(*request), 0), len(list(events(*request)))
        if count != wanted and not (may_be_missing and count == 0):
            wrong.append((invoice_number(*request), f"{count} of {wanted}"))
    assert not wrong, f"{len(wrong)} requests are not there exactly once: {wrong[:10]}"


def verify_log(till):
    """`till log verify` beside nobody: a torn tail is no damage, a damage is."""
    if not (till.data / "LOCK").exists():
        return  # killed before it had made anything
    command = [till.binary, "log", "verify", "--data", till.data]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0 and "0 damages" in done.stdout, f"{done.stdout}{done.stderr}"


def log_records(till):
    """Invoice number → how often each of its events is in the log."""
    command = [till.binary, "log", "dump", "--data", till.data, "--limit", "1000000000"]
    counts = Counter()
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as dump:
        for line in dump.stdout:
            counts[json.loads(json.loads(line)["value"])["InvoiceNo"]] += 1
    assert dump.returncode == 0
    return counts


def settled_totals(till):
    reply = till.get("/v1/status?after=latest&wait_ms=30000")
    assert reply.status == 200, reply
    status = reply.json
    totals = status["totals"]
    (feed,) = [feed for feed in status["feeds"] if feed["feed"] == "invoices"]
    assert totals["received"] == totals["distinct"] + totals["duplicates"] + totals["quarantined"] + totals["parked"]
    assert totals["distinct"] == totals["current"] + totals["superseded"] + totals["conflicting"]
    assert totals["received"] == feed["log_end"] == feed["stored"]
    return totals


def kill_while_starting(till, chance):
    """Starts a process and kills it at a random moment of its recovery."""
    command = [till.binary, "up", "--data", till.data, "--listen", "127.0.0.1:0", *till.arguments]
    with open(till.log_path, "ab") as log, subprocess.Popen(list(map(str, command)), stdout=log, stderr=log) as process:
        time.sleep(chance.uniform(0, 0.1))
        process.kill()
    verify_log(till)


@pytest.fixture
def server(tmp_path):
    if os.environ.get("TILL_URL"):
        pytest.skip("a server named by TILL_URL is not ours to kill")
    binary = till_binary()
    if binary is None:
        pytest.skip("no till binary: build it or set TILL_BIN")
    # Small segments, so that kills meet segments being closed and opened.
    till = Till(tmp_path, binary=binary, arguments=["--log.segment_mebibytes", "1"])
    try:
        yield till
    finally:
        till.kill9()


@pytest.fixture
def load():
    load = Load()
    yield load
    load.close()


def run_lives(till, load, oracle, chance):
    unchecked = set()
    while oracle.kills < KILLS:
        if chance.random() < 0.2:
            kill_while_starting(till, chance)
            oracle.startup_kills += 1
        till._port = None  # another port for each life
        till.start()
        if unchecked and chance.random() < 0.5:
            # Otherwise the load meets a server that still catches up with its log.
            settled_totals(till)
            check_once(lines_by_invoice(till, [invoice_number(*request) for request in unchecked]), unchecked)
            unchecked = set()
        load.start(till._port)
        time.sleep(chance.uniform(0.02, 0.6))
        assert till.process.poll() is None, f"till ended by itself:\n{till.log_tail()}"
        killed_at = time.monotonic()
        till.kill9()
        unchecked |= oracle.learn(load.reports(), killed_at)
        verify_log(till)


def test_acknowledged_events_survive_kill(server, load):
    oracle, chance = Oracle(), random.Random(SEED)
    started = time.monotonic()
    run_lives(server, load, oracle, chance)

    server._port = None
    server.start()
    totals = settled_totals(server)
    found = lines_by_invoice(server)
    check_once(found, oracle.acknowledged)
    check_once(found, oracle.unknown, may_be_missing=True)
    strangers = found.keys() - {invoice_number(*request) for request in oracle.acknowledged | oracle.lost}
    assert not strangers, f"nobody sent {sorted(strangers)[:10]}"
    assert totals["distinct"] == totals["current"] == sum(found.values())
    unknown_found = sum(invoice_number(*request) in found for request in oracle.unknown)

    repost(server, oracle.unknown)
    totals = settled_totals(server)
    everything = oracle.acknowledged | oracle.lost
    found = lines_by_invoice(server)
    check_once(found, everything)
    check_figures(server, everything, totals)
    assert server.stop() == 0
    verify_log(server)
    check_log(server, everything, totals)

    sent = {request for request in oracle.lost if is_reposted(request[0])}
    share = oracle.in_flight_kills / oracle.kills
    tell(
        f"\nkills {oracle.kills} (+{oracle.startup_kills} while starting), "
        f"with requests in flight {oracle.in_flight_kills} ({share:.0%}), {oracle.in_flight_requests} requests in all"
        f"\nrequests acknowledged {len(oracle.acknowledged)}, "
        f"never acknowledged {len(everything - oracle.acknowledged)} of which found {unknown_found}, "
        f"reposted after a kill {len(sent)}"
        f"\nevents acknowledged {sum(len(list(events(*r))) for r in oracle.acknowledged)}, "
        f"found {sum(found.values())}, duplicates {totals['duplicates']}, in the log {totals['received']}, "
        f"saturated {oracle.saturated}, seconds {time.monotonic() - started:.0f}"
    )
    assert not oracle.unexpected, f"answers other than 202 and 429: {oracle.unexpected[:10]}"
    assert oracle.kills >= KILLS and oracle.acknowledged
    assert share >= IN_FLIGHT_SHARE_MIN, f"only {share:.0%} of the kills met a request in flight: the load is not real"


def repost(till, requests):
    for request in sorted(requests):
        _, _, body = http_request(*request).partition(b"\r\n\r\n")
        key = idempotency_key(*request)
        reply = till.post("invoices", body, headers={"Idempotency-Key": key} if key else None)
        assert reply.status == 202, reply


def check_figures(till, requests, totals):
    """The sums of the API are those of the oracle: over everything, by customer, and of single invoices."""
    wanted, count, by_customer = Decimal(0), 0, Counter()
    for connection, request in requests:
        for amount in amounts(connection, request):
            wanted, count = wanted + amount, count + 1
            by_customer[10_000 + connection] += amount
    assert (totals["distinct"], totals["quarantined"], totals["conflicting"]) == (count, 0, 0)
    (total,) = till.get("/v1/sales/total").json["totals"]
    assert (Decimal(total["gross"]), total["orders"]) == (wanted, len(requests))
    for customer, amount in by_customer.items():
        (spend,) = till.get(f"/v1/customers/{customer}/spend").json["spend"]
        assert Decimal(spend["gross"]) == amount, customer
    for request in random.Random(SEED).sample(sorted(requests), min(50, len(requests))):
        invoice = till.get(f"/v1/invoices/{invoice_number(*request)}").json
        assert sorted(Decimal(line["total"]) for line in invoice["lines"]) == sorted(amounts(*request))


def check_log(till, requests, totals):
    """The log has every event, repeated only where a client sent it again."""
    logged = log_records(till)
    assert sum(logged.values()) == totals["received"]
    for request in requests:
        count, wanted = logged[invoice_number(*request)], len(list(events(*request)))
        assert count >= wanted and count % wanted == 0, f"{invoice_number(*request)}: {count} of {wanted} in the log"
