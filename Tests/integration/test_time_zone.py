"""Tables and answers do not depend on the time zone of till's process (TZ)."""

import hashlib
import json
import sqlite3
from contextlib import closing

import pytest
from retail_records import PIE, SOUP, TEA, order, restaurant, sale, user
from support import DONE, ended, line, new_till, running, till_command, totals

ZONES = ("UTC", "Europe/Paris", "Europe/Moscow", "Asia/Tokyo")
# In summer, at night, and in the hour that London has twice: 2011-10-30 01:30.
TIMES = ("01/06/2011 00:30", "01/06/2011 23:30", "30/10/2011 01:30", "27/03/2011 02:30", "2011-10-30 00:30:00")
# When a record was received, which is another moment in each run, and what follows from it.
RECEIVED = {
    "received_at", "last_sale_received_at", "first_seen", "last_seen", "delay_min", "clock_offset", "resolved_at",
    "published_at",
}  # fmt: skip
PATHS = (
    "/v1/sales/total",
    "/v1/sales/total?definition=reference",
    *(f"/v1/sales/over-time?grain={name}" for name in ("hour", "day", "week", "month", "quarter", "year")),
    "/v1/sales/average-order-value",
    "/v1/products/top",
    "/v1/windows",
    "/v1/windows?from=2025-03-01T10:00:00Z&to=2025-03-01T11:00:00Z",
    "/v1/late",
    "/v1/stores",
    "/v1/users/u1/products",
    "/v1/users/u1/categories",
    "/v1/references",
    "/v1/parked",
    "/v1/quarantine",
    "/v1/conflicts",
    "/v1/senders",
    "/v1/invoices/5",
    "/v1/cancellations",
    "/v1/customers",
    "/v1/customers/summary",
    "/v1/customers/17850/orders",
)


def send(till, feed, *records):
    body = json.dumps(records)
    headers = {"Idempotency-Key": hashlib.sha256(body.encode()).hexdigest(), "X-Till-Sender": "s", "X-Till-Run": "run"}
    reply = till.post(feed, body, headers=headers)
    assert reply.status in (202, 207), reply
    totals(till)


def trade(till):
    send(
        till, "invoices", *(line(InvoiceNo=str(n), InvoiceDate=at, client_line_no="1") for n, at in enumerate(TIMES, 1))
    )
    send(till, "invoices", line(InvoiceNo="C1", InvoiceDate=TIMES[1], Quantity=-1), line(InvoiceNo="bad", Quantity=0))
    menu = restaurant("r1", -86_400, (SOUP, "Супы"), (TEA, "Напитки"), (PIE, "Выпечка"))
    send(till, "restaurants", menu)
    send(till, "users", user("u1", "Ольга"))
    send(till, "orders", order(1, 0, 60), order(2, 50_000, 60), order(2, 50_000, 60, bonus_grant=1))
    send(till, "orders", order(3, 0, 60, user="u9"))
    send(till, "pos", sale("a", 0), sale("b", 50_000), sale("c", 3))
    # Times with an offset, and with none at all.
    send(
        till, "pos", sale("d", 0, timestamp="2025-03-01T23:30:00-05:00"), sale("e", 0, timestamp="2025-03-01T23:30:00")
    )


def without(answer):
    if isinstance(answer, dict):
        return {key: without(value) for key, value in answer.items() if key not in RECEIVED}
    return [without(value) for value in answer] if isinstance(answer, list) else answer


def tables(data):
    """Every row of every table; columns of receipt left out."""
    found = {}
    with closing(sqlite3.connect(f"file:{data}/tables.sqlite?mode=ro", uri=True)) as connection:
        names = [
            name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type IN ('table', 'view')")
        ]
        for name in names:
            rows = connection.execute(f'SELECT * FROM "{name}"')
            kept = [n for n, column in enumerate(rows.description) if column[0] not in RECEIVED]
            found[name] = sorted(repr([row[n] for n in kept]) for row in rows)
    return found


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """Zone → answers, command lines, tables, of the same load."""
    found = {}
    for zone in ZONES:
        till = new_till(tmp_path_factory.mktemp("zone"))
        till.environment = {"TZ": zone}
        with running(till):
            trade(till)
            answers = {}
            for path in PATHS:
                reply = till.get(path)
                answers[path] = (reply.status, without(reply.json))
            words = ("windows", "--to", till.url, "--from", "2025-03-01T09:00:00Z", "--json")
            said = ended(till_command(*words, env={"TZ": zone}), DONE)
            answers["windows"] = [without(json.loads(text)) for text in said.splitlines()]
            assert till.stop() == 0
        proof = json.loads(ended(till_command("prove", "--data", till.data, "--json", env={"TZ": zone}), DONE))
        answers["proof"] = {name: proof[name] for name in ("differences", "feeds", "figures", "days")}
        assert proof["differences"] == 0
        found[zone] = answers, tables(till.data)
    return found


@pytest.mark.parametrize("zone", ZONES[1:])
def test_answers_and_tables_are_those_of_utc(runs, zone):
    (answers, rows), (utc_answers, utc_rows) = runs[zone], runs["UTC"]
    for path, answer in utc_answers.items():
        assert answers[path] == answer, path
    assert rows.keys() == utc_rows.keys()
    for name, wanted in utc_rows.items():
        assert rows[name] == wanted, name


def test_the_load_has_times_that_a_zone_would_move(runs):
    answers, rows = runs["UTC"]
    statuses = {path: answer[0] for path, answer in answers.items() if path.startswith("/v1/")}
    assert set(statuses.values()) == {200}, statuses
    assert all(rows[name] for name in ("line", "sales_hour", "store_window", "user_product", "parked", "quarantine"))
    hours = {row["period"] for row in answers["/v1/sales/over-time?grain=hour"][1]["items"]}
    # Local hours of London: 00:30 in summer stays on its day.
    assert {"2011-06-01T00", "2011-06-01T23", "2011-10-30T01"} <= hours, hours
