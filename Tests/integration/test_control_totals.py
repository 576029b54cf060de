"""The control totals of `till prove`: by feed, by currency, and by day, also where only the sum of a day is wrong."""

import contextlib
import json
import re
import shutil
import sqlite3

import pytest
from retail_records import sale
from support import DONE, FAILED, ended, line, new_till, running, till_command, totals

DAY = 86_400
FIRST, SECOND = "2011-06-01", "2011-06-02"
GBP, EUR = (int.from_bytes(name, "big") for name in (b"GBP", b"EUR"))
HOUR_DAY = "hour / 24"
# Of every table with money and days: column, day of a row, currency, figure, and what the report compares it with.
MARTS = {
    "sales_hour": ("gross", HOUR_DAY, GBP, "gross", "lines"),
    "sales_day": ("returns", "day", GBP, "returns", "lines"),
    "sales_day adjustments": ("adjustments", "day", GBP, "adjustments", "lines"),
    "sales_day reference": ("reference", "day", GBP, "reference", "lines"),
    "product_day": ("gross", "day", GBP, "gross", "lines"),
    "cancellation_day": ("amount", "day", GBP, "cancelled", "lines"),
    "document": ("gross", "day", GBP, "gross", "lines"),
    "store_window": ("total", f"window_start / {DAY * 1_000_000}", EUR, "windows", "documents with a window"),
}


def sold(number, day, quantity, **changes):
    return line(InvoiceNo=number, InvoiceDate=f"{day[8:]}/06/2011 12:00", Quantity=quantity, UnitPrice=2.55, **changes)


@pytest.fixture(scope="module")
def traded(tmp_path_factory):
    """Two days in two currencies, one product and country each: every mart has one row a day."""
    till = new_till(tmp_path_factory.mktemp("totals"))
    with running(till):
        fee = {"StockCode": "B", "UnitPrice": -11.5, "Quantity": 1, "CustomerID": ...}
        lines = [
            sold("1", FIRST, 6), sold("C1", FIRST, -2), {**sold("A1", FIRST, 1), **fee},
            sold("2", SECOND, 3), sold("C2", SECOND, -1), {**sold("A2", SECOND, 1), **fee, "UnitPrice": -0.5},
        ]  # fmt: skip
        lines = [{name: value for name, value in one.items() if value is not ...} for one in lines]
        for feed, records in (("invoices", lines), ("pos", [sale("a", 0), sale("b", DAY), sale("c", DAY)])):
            for times in range(2 if feed == "invoices" else 1):
                reply = till.post(feed, records, headers={"Idempotency-Key": feed, "X-Till-Run": f"{times}"})
                assert reply.status == 202, reply
        bad = till.post("invoices", [sold("3", FIRST, 0)])
        assert bad.status == 422
        totals(till)
        assert till.stop() == 0
    return till.data


def prove(data, code):
    text = ended(till_command("prove", "--data", data), code)
    return text, json.loads((data / "proof.json").read_text())


def test_sums_by_feed_currency_and_day(traded):
    text, report = prove(traded, DONE)
    lines = text.splitlines()
    assert lines[:-1] == [
        "invoices: received 13 = distinct 6 + duplicates 6 + quarantined 1 + parked 0 ✓;"
        " distinct 6 = current 6 + superseded 0 + conflicting 0 ✓",
        "pos: received 3 = distinct 3 + duplicates 0 + quarantined 0 + parked 0 ✓;"
        " distinct 3 = current 3 + superseded 0 + conflicting 0 ✓",
        "EUR: 2 days, all equal: gross 7.74, returns 0.00, adjustments 0.00, reference 7.74, cancelled 0.00,"
        " windows 7.74 ✓",
        "GBP: 2 days, all equal: gross 22.95, returns -7.65, adjustments -12.00, reference 10.95, cancelled -7.65 ✓",
    ]
    euro, pound = report["days"]
    assert (pound["currency"], pound["days"], pound["differing"], pound["left_out"]) == ("GBP", 2, 0, 0)
    assert pound["first_differing"] is None
    names = ("day", "gross", "returns", "adjustments", "reference", "cancelled", "windows", "agrees")
    assert [tuple(day[name] for name in names) for day in pound["items"]] == [
        (FIRST, "15.30", "-5.10", "-11.50", "3.80", "-5.10", "0.00", True),
        (SECOND, "7.65", "-2.55", "-0.50", "7.15", "-2.55", "0.00", True),
    ]
    assert [(day["day"], day["gross"], day["windows"]) for day in euro["items"]] == [
        ("2025-03-01", "2.58", "2.58"), ("2025-03-02", "5.16", "5.16")
    ]  # fmt: skip
    tables = {one["table"] for figure in report["figures"] for one in figure["sums"]}
    assert tables == {
        "line", "document", "sales_hour", "sales_day", "sales_total", "product_day", "product_total", "product_country",
        "cancellation_day",
        "store_window", "document with a window", "customer_total", "document with a customer",
    }  # fmt: skip


@pytest.mark.parametrize("mart", MARTS)
def test_a_wrong_day_is_named_where_all_days_together_are_right(traded, tmp_path, mart):
    table, (column, day, currency, figure, base) = mart.split()[0], MARTS[mart]
    data = tmp_path / "data"
    shutil.copytree(traded, data)
    with contextlib.closing(sqlite3.connect(data / "tables.sqlite")) as tables, tables:
        days = tables.execute(
            f"SELECT {day}, max({column}_lo) FROM {table} WHERE currency = ? AND ({column}_hi, {column}_lo) <> (0, 0)"
            " GROUP BY 1 ORDER BY 1",
            [currency],
        ).fetchall()
        assert len(days) == 2
        for (one, low), cents in zip(days, (1_000, -1_000), strict=True):
            changed = tables.execute(
                f"UPDATE {table} SET {column}_lo = {low + cents} WHERE currency = ? AND {day} = ? AND {column}_lo = ?",
                [currency, one, low],
            )
            assert changed.rowcount == 1
    name = "GBP" if currency == GBP else "EUR"
    first = FIRST if currency == GBP else "2025-03-01"
    text, report = prove(data, FAILED)
    (found,) = [one for one in report["found"] if one["kind"] == "total"]
    assert (found["table"], found["key"]) == (table, f"{figure} {name}")
    pattern = rf"differs from the {base} on {first} \(-?[0-9.]+, not -?[0-9.]+\) and on 1 more days"
    assert re.fullmatch(pattern, found["text"]), found
    # All days together agree.
    (sums,) = [one for one in report["figures"] if not one["agrees"]]
    assert len({one["sum"] for one in sums["sums"]}) == 1
    (days,) = [one for one in report["days"] if one["currency"] == name]
    assert (days["differing"], days["first_differing"]) == (2, first)
    assert [one["agrees"] for one in days["items"]] == [False, False]
    lines = text.splitlines()
    assert f"{name}: 2 days, 2 differ ✗" in lines
    shown = [one for one in lines if re.match(rf"{name} \d", one)]
    assert len(shown) == 2 and shown[0].startswith(f"{name} {first}: {table} {figure} "), shown


def test_a_wrong_total_without_days_is_named(traded, tmp_path):
    for table, key, base in (
        ("product_total", "gross GBP", "lines"), ("sales_total", "gross GBP", "lines"),
        ("product_country", "gross GBP", "lines"), ("customer_total", "gross GBP", "documents with a customer")
    ):  # fmt: skip
        data = tmp_path / table
        shutil.copytree(traded, data)
        with contextlib.closing(sqlite3.connect(data / "tables.sqlite")) as tables, tables:
            assert tables.execute(f"UPDATE {table} SET gross_lo = gross_lo + 1000 WHERE currency = {GBP}").rowcount == 1
        text, report = prove(data, FAILED)
        (found,) = [one for one in report["found"] if one["kind"] == "total"]
        assert found["key"] == key and found["text"] == f"sums up to 22.96, the {base} to 22.95", found
        assert "GBP: 2 days, 0 differ ✗" in text


def test_a_feed_that_does_not_add_up_is_named(traded, tmp_path):
    data = tmp_path / "data"
    shutil.copytree(traded, data)
    with contextlib.closing(sqlite3.connect(data / "tables.sqlite")) as tables, tables:
        query = "UPDATE feed_total SET superseded = superseded + 1 WHERE run_id IN (SELECT id FROM run WHERE feed = ?)"
        assert tables.execute(query, ["pos"]).rowcount == 1
    text, report = prove(data, FAILED)
    assert "pos: received 3 = distinct 3 + duplicates 0 + quarantined 0 + parked 0 ✓; distinct 3 = current 3" in text
    assert "superseded 1 + conflicting 0 ✗" in text
    assert [feed["agrees"] for feed in report["feeds"]] == [True, False]
