"""Metrics by label against what was sent and what the API says: requests, rejects by rule, late, parked, quarantine,
windows (spec pos.md 12, POS-28; model.md 5, XS-7).
"""

import json
import re
import sqlite3
import time
from collections import Counter
from contextlib import closing
from datetime import UTC, datetime

import pytest
from messages import EPOCH, MENU, at, order, restaurant, sale, send, user
from support import JSON, line, new_till, pages, running, totals
from test_simulate import FAULTS, sent

SERIES = re.compile(r"till_([a-z_]+)(?:\{(.*)\})? (\S+)")


def series(till):
    """Values by name and labels, without `le`: {("name", "value of label", …): number}."""
    found = {}
    for text in till.get("/metrics").body.decode().splitlines():
        if match := SERIES.fullmatch(text):
            labels = re.findall(r'[a-z]+="((?:[^"\\]|\\.)*)"', match[2] or "")
            key = (match[1], *labels)
            assert key not in found, key
            found[key] = float(match[3])
    return found


def test_requests_by_handler_method_and_status(directory):
    with running(new_till(directory)) as till:
        body = json.dumps(line())
        for _ in range(3):
            assert till.post("invoices", body).status == 202
        assert till.post("invoices", "[").status == 422
        assert till.post("nothing", body).status == 404
        assert till.get("/v1/customers/17850/spend").status in (200, 404)
        assert till.get("/v1/sales/total?grain=day").status == 400
        assert till.get("/nowhere").status == 404
        assert till.request("PUT", "/v1/feeds/invoices", body).status == 405
        assert till.request("POST", "/v1/quarantine/redrive", b" " * 300_000, JSON).status == 413
        found = series(till)
        requests = {key[1:]: value for key, value in found.items() if key[0] == "http_requests_total"}
        feed = "/v1/feeds/invoices"
        wanted = {
            (feed, "POST", "202"): 3, (feed, "POST", "422"): 1, (feed, "PUT", "405"): 1,
            ("/v1/feeds/{feed}", "POST", "404"): 1, ("/v1/sales/total", "GET", "400"): 1, ("other", "GET", "404"): 1,
            ("/v1/quarantine/redrive", "POST", "413"): 1,
        }  # fmt: skip
        assert wanted.items() <= requests.items(), requests
        assert {handler for handler, _, _ in requests} >= {"/v1/customers/{id}/spend"}
        assert found["http_request_size_bytes_sum", feed] == 4 * len(body) + 1
        assert found["http_request_size_bytes_count", feed] == 5
        assert found["http_response_size_bytes_sum", feed] > 3 * len('{"accepted":1,"rejected":[],"position":""}')
        durations = [value for key, value in found.items() if key[:2] == ("http_request_duration_seconds_bucket", feed)]
        assert durations == sorted(durations) and durations[-1] == 5
        assert found["http_request_duration_seconds_bucket", feed, "+Inf"] == 5
        assert 0 < found["http_request_duration_seconds_sum", feed] < 30


def test_a_waiting_request_takes_its_time(directory):
    with running(new_till(directory)) as till:
        assert till.get("/v1/status?after=feed.invoices/0:9&wait_ms=700").status == 504
        found = series(till)
        assert found["http_request_duration_seconds_bucket", "/v1/status", "0.5"] == 0
        assert found["http_request_duration_seconds_bucket", "/v1/status", "5"] == 1
        assert 0.6 < found["http_request_duration_seconds_sum", "/v1/status"] < 5


def quarantined(till):
    return pages(till, "/v1/quarantine?state=open", 1000)


def rules_of(items):
    """How many records broke each rule, by feed."""
    found = Counter()
    for item in items:
        found.update({(item["feed"], reason["rule"]) for reason in item["reasons"]})
    return found


@pytest.fixture(scope="module")
def simulated(tmp_path_factory):
    """Sales with every fault; the report of what was injected."""
    with running(new_till(tmp_path_factory.mktemp("metrics"))) as till:
        till.report = sent(till, "pos", "--count", "4000", "--seed", "9", *FAULTS)
        assert till.report["closed"]
        totals(till)
        yield till


def test_rejects_by_rule_are_those_of_quarantine(simulated):
    found = series(simulated)
    counted = {key[1:]: value for key, value in found.items() if key[0] == "ingest_rule_violations_total"}
    assert len(counted) >= 8
    assert counted == rules_of(quarantined(simulated))
    assert found["ingest_records_rejected_total",] == simulated.report["sent_of_kind"]["bad"]


def test_duplicates_lag_and_late_are_those_injected(simulated):
    found = series(simulated)
    assert found["process_duplicates_total",] == simulated.report["expected"]["duplicates"] > 0
    assert found["feed_lag_records", "pos"] == 0 == found["process_lag_records",]
    late = pages(simulated, "/v1/late", 1000)
    assert found["windows_late_sales_total",] == len(late) > 0


def test_windows_published_and_open(simulated):
    found = series(simulated)
    by_cause = Counter(item["cause"] for item in pages(simulated, "/v1/windows/revisions", 1000))
    assert {key[1]: value for key, value in found.items() if key[0] == "windows_published_total"} == by_cause
    assert by_cause["late"] > 0
    assert found["windows_open",] == len(pages(simulated, "/v1/windows?open=true", 1000)) > 0


def test_how_long_windows_take_to_close(directory):
    with running(new_till(directory)) as till:
        for second in (1, 61, 62, 121, 31):
            send(till, "pos", sale("STORE_1", at(second), 5.0))
        totals(till)
        found = series(till)
        # The late sale is the first of its window.
        assert found["windows_published_total", "watermark"] == 2 and found["windows_published_total", "late"] == 1
        assert found["windows_close_delay_seconds_count",] == 3
        assert found["windows_close_delay_seconds_bucket", "86400"] == 0, "the sales are old"
        ends = [EPOCH.timestamp() + 10, EPOCH.timestamp() + 70, EPOCH.timestamp() + 40]
        assert abs(found["windows_close_delay_seconds_sum",] - sum(time.time() - end for end in ends)) < 120
        assert found["windows_open",] == 1


def test_a_clock_that_is_ahead_takes_nothing_off_a_histogram(directory):
    with running(new_till(directory)) as till:
        now = datetime.now(UTC)
        for ahead in (5, 45):
            send(till, "pos", sale("STORE_1", at(ahead, now), 5.0))
        totals(till)
        found = series(till)
        assert found["windows_published_total", "watermark"] == 1 == found["windows_close_delay_seconds_count",]
        assert found["windows_close_delay_seconds_sum",] == 0


def test_gauges_follow_the_tables_and_survive_a_restart(directory):
    till = new_till(directory)
    with running(till):
        send(till, "orders", order(50, "later", "r1", MENU, ["p1"]))
        assert till.post("pos", "[1,2,3]").status == 422
        assert till.post("invoices", "{}").status == 422
        totals(till)
        check_gauges(till, parked=1, pos=3, invoices=1)
        entries = [item["id"] for item in quarantined(till) if item["feed"] == "pos"]
        reply = till.request("POST", "/v1/quarantine/discard", json.dumps({"ids": entries[:1]}), JSON)
        assert reply.status == 202
        totals(till)
        check_gauges(till, parked=1, pos=2, invoices=1)
        send(till, "pos", sale("STORE_1", at(1), 5.0))
        totals(till)
        assert series(till)["windows_open",] == 1
        till.kill9()
        till._port = None
        till.start()
        totals(till)
        check_gauges(till, parked=1, pos=2, invoices=1)
        assert series(till)["windows_open",] == 1
        send(till, "restaurants", restaurant("r1", "First", MENU))
        send(till, "users", user("later", "Late"))
        totals(till)
        check_gauges(till, parked=0, pos=2, invoices=1)


def check_gauges(till, parked, pos, invoices):
    found = series(till)
    assert found["parked_records", "orders"] == parked == totals(till)["parked"]
    assert found["quarantine_open_records", "pos"] == pos
    assert found["quarantine_open_records", "invoices"] == invoices
    # What is stored, not what was sent: 320 bytes of keys and indexes for each entry besides its own.
    with closing(sqlite3.connect(f"file:{till.data}/tables.sqlite?mode=ro", uri=True)) as tables:
        ((stored,),) = tables.execute(
            "SELECT sum(320 + length(bytes) + length(CAST(reasons AS BLOB)) + ifnull(length(csv_header), 0))"
            " FROM quarantine WHERE resolved_at IS NULL AND feed = 'pos'"
        )
    assert found["quarantine_open_bytes", "pos"] == stored
