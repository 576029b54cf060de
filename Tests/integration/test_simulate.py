"""Simulated tills: reproducible bytes, exactly-once sending under faults, and an end report that closes."""

import json
import threading
import time
from datetime import datetime

import pytest
from support import DONE, FAILED, USAGE, ended, quarantined, till_command, totals

START = "2025-02-22T09:43:14Z"
FAULTS = ["--duplicates", "0.05", "--disorder", "0.2", "--late", "0.02", "--bad", "0.05", "--bad-totals", "0.03"]
ORDER_FAULTS = [*FAULTS, "--versions", "0.3", "--double", "0.2"]


def simulate(*words, code=DONE, timeout=120):
    """The report of `till simulate … --json`."""
    done = till_command("simulate", *words, "--json", timeout=timeout)
    said = ended(done, code)
    return json.loads(done.stdout) if code in (DONE, FAILED) and done.stdout else said


def written(subject, *words):
    done = till_command("simulate", subject, "--start", START, "--out", "-", *words)
    ended(done, DONE)
    return done.stdout


def sent(till, subject, *words, **more):
    return simulate(subject, "--to", till.url, "--rate", "0", *words, **more)


def check_closed(report, feeds=1):
    assert report["closed"] and report["as_expected"], report
    assert report["sent"] == report["accepted"] + report["rejected"]
    stored = report["stored"]
    assert stored["received"] == report["sent"] + (stored["duplicates"] - report["expected"]["duplicates"])
    assert stored["distinct"] == report["expected"]["distinct"]
    assert stored["quarantined"] == report["expected"]["quarantined"]
    assert stored["parked"] == 0
    assert len(report["reference"]) == feeds - 1


@pytest.mark.parametrize("subject,faults", [("pos", FAULTS), ("orders", ORDER_FAULTS)])
def test_the_same_seed_and_start_give_the_same_bytes(subject, faults):
    first = written(subject, "--count", "2000", "--seed", "3", *faults)
    assert first == written(subject, "--count", "2000", "--seed", "3", *faults)
    assert first != written(subject, "--count", "2000", "--seed", "4", *faults)
    assert len(first.splitlines()) > 2000


def test_files_and_the_reference_data(directory):
    report = simulate("orders", "--count", "50", "--seed", "3", "--start", START, "--out", "orders.ndjson")
    lines = (directory / "orders.ndjson").read_text().splitlines()
    assert len(lines) == report["sent"] == report["expected"]["distinct"]
    orders = [json.loads(line) for line in lines]
    users = {json.loads(line)["_id"] for line in written("orders", "--seed", "3", "--reference", "users").splitlines()}
    menus = [json.loads(line) for line in written("orders", "--seed", "3", "--reference", "restaurants").splitlines()]
    assert len(users) == 100 and len(menus) == 10 and all(5 <= len(menu["menu"]) <= 15 for menu in menus)
    assert {order["payload"]["user"]["id"] for order in orders} <= users
    assert {order["payload"]["restaurant"]["id"] for order in orders} <= {menu["_id"] for menu in menus}


def test_sales_are_never_corrected_unless_asked(till):
    report = sent(till, "pos", "--count", "20000", "--seed", "1", "--failures", "0.01")
    check_closed(report)
    assert report["sent_of_kind"]["corrected"] == 0 and report["sent_of_kind"]["failed"] > 100
    assert totals(till)["received"] == 20000


def test_sales_with_every_fault_close(till):
    report = sent(till, "pos", "--count", "5000", "--seed", "2", "--skew", "30", "--gaps", "0.1", *FAULTS)
    check_closed(report)
    assert len(report["bad"]) >= 12 and report["sequence_gaps"] > 0
    known = totals(till)
    assert known["received"] == report["sent"] and known["duplicates"] == report["expected"]["duplicates"]
    rules = {reason["rule"] for item in quarantined(till) for reason in item["reasons"]}
    assert len(rules) >= 8, rules


def test_orders_with_every_fault_close(till):
    report = sent(till, "orders", "--count", "5000", "--seed", "2", *ORDER_FAULTS)
    check_closed(report, feeds=3)
    assert len(report["bad"]) >= 12
    assert report["reference"]["users"]["distinct"] == 100
    assert report["reference"]["restaurants"]["distinct"] == 10
    known = totals(till)
    assert known["received"] == report["sent"] + 110
    assert known["superseded"] == report["sent_of_kind"]["versions"]


@pytest.mark.parametrize("subject", ["pos", "orders"])
def test_every_kind_of_bad_record_is_rejected_for_itself(till, subject):
    report = sent(till, subject, "--count", "100", "--seed", "2", "--bad", "1")
    assert report["closed"] and report["rejected"] == 100 and report["accepted"] == 0, report
    assert report["stored"]["quarantined"] == 100


def test_the_same_simulation_again_changes_nothing(till):
    words = ["--count", "500", "--seed", "5", "--start", START]
    check_closed(sent(till, "pos", *words))
    again = sent(till, "pos", *words)
    assert again["closed"] and not again["as_expected"] and again["known_before"] == 500
    assert totals(till)["distinct"] == 500


def test_reference_data_can_be_loaded_again(till):
    words = ["--count", "10", "--seed", "5", "--start", START]
    sent(till, "orders", *words)
    again = sent(till, "orders", *words)
    assert again["reference"]["users"]["duplicates"] == 100 and again["reference"]["restaurants"]["duplicates"] == 10
    check_closed(sent(till, "orders", "--count", "10", "--seed", "5", "--start", "2025-02-23T09:43:14Z"), feeds=3)


def test_the_rate_is_kept_and_no_sale_is_in_the_future(till):
    began = time.monotonic()
    report = simulate("pos", "--to", till.url, "--rate", "200", "--count", "600", "--batch", "10")
    seconds = time.monotonic() - began
    check_closed(report)
    assert 2.9 <= seconds <= 8, seconds
    start = datetime.fromisoformat(report["start"].replace("Z", "+00:00"))
    assert start.timestamp() <= time.time()


def test_a_killed_server_loses_nothing_and_counts_nothing_twice(till):
    if till.is_external:
        pytest.skip("TILL_URL is not ours to kill")
    found = []
    words = ["pos", "--to", till.url, "--rate", "2000", "--count", "8000", "--batch", "20", *FAULTS]
    thread = threading.Thread(target=lambda: found.append(simulate(*words, timeout=300)))
    thread.start()
    for _ in range(3):
        time.sleep(1)
        till.kill9()
        till.start()
    thread.join()
    assert found, "the simulation did not end"
    report = found[0]
    check_closed(report)
    assert report["retries"] > 0


def test_usage_is_explained(till):
    for words in [
        ["sales"], ["pos", "--versions", "0.1"], ["orders", "--failures", "0.1"], ["pos", "--bad", "2"],
        ["pos", "--rate", "-1"], ["pos", "--start", "yesterday"], ["orders", "--reference", "users"],
        ["pos", "--start", "2999-01-01T00:00:00Z", "--to", till.url], ["orders", "--count", "10000001"],
        ["pos", "--out", "-", "--to", till.url],
    ]:  # fmt: skip
        said = ended(till_command("simulate", *words), USAGE)
        assert said.startswith("till: "), said
