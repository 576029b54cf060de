"""The invoice views with sums that 64 bits cannot hold, and with averages below zero, against Python's integers."""

import json
import sqlite3
from decimal import ROUND_HALF_UP, Decimal

from support import line, new_till, running

NDJSON = {"Content-Type": "application/x-ndjson"}


def send(till, lines):
    for at in range(0, len(lines), 20_000):
        body = "\n".join(json.dumps(one) for one in lines[at : at + 20_000]).encode()
        reply = till.request("POST", "/v1/feeds/invoices", body, NDJSON)
        assert reply.status == 202 and reply.json["rejected"] == [], reply


def view(till, name):
    reply = till.get(f"/v1/views/{name}?after=latest&wait_ms=30000")
    assert reply.status == 200, reply
    return reply.json["items"]


def document_total(till, key, name):
    with sqlite3.connect(f"file:{till.data}/tables.sqlite?mode=ro", uri=True) as tables:
        return tables.execute(f'SELECT total FROM "{name}" WHERE source_key = ?', (key,)).fetchone()[0]


def test_sums_beyond_64_bits(tmp_path):
    """93,000 lines of 10^9 are 9.3e18 units of 1e-5, more than 2^63."""
    count = 93_000
    large = [
        line(InvoiceNo="536365", Quantity=10_000, UnitPrice=100_000, client_line_no=str(n), CustomerID=None)
        for n in range(count)
    ]
    taken = [
        line(InvoiceNo="C536366", Quantity=-10_000, UnitPrice=100_000, client_line_no=str(n)) for n in range(count)
    ]
    with running(new_till(tmp_path)) as till:
        send(till, large)
        total = f"{count * 10**9}.00000"
        assert [one["SALES"] for one in view(till, "vw_TotalSales")] == [total]
        assert [one["TotalRevenue"] for one in view(till, "vw_SalesByTime")] == [total]
        assert [one["SOLD_PRODUCTS"] for one in view(till, "vw_Top10SellingProducts")] == [total]
        assert [one["AvgOrderValue"] for one in view(till, "vw_AverageOrderValue")] == [total]
        assert document_total(till, "536365", "sale") == total
        send(till, taken)
        assert [one["CancelledRevenue"] for one in view(till, "vw_CancelledOrders")] == ["-" + total]
        assert document_total(till, "C536366", "return") == "-" + total, "lines keep their sign"
        # One more unit on top, so that both halves of the number are at work.
        send(till, [line(InvoiceNo="536367", Quantity=1, UnitPrice=0.00001, client_line_no="1")])
        assert view(till, "vw_TotalSales")[0]["SALES"] == f"{count * 10**9}.00001"
        average = (Decimal(count * 10**14 + 1) / 2).quantize(Decimal(1), ROUND_HALF_UP).scaleb(-5)
        assert view(till, "vw_AverageOrderValue")[0]["AvgOrderValue"] == f"{average:.5f}"


def test_an_average_below_zero_is_rounded_away_from_zero(tmp_path):
    with running(new_till(tmp_path)) as till:
        sent = 0
        for number, units in enumerate([-1, -2, -2, -1, 9, -30, 1_000_000, -3_000_001], start=1):
            price = f"{Decimal(units).scaleb(-5):.5f}"
            text = json.dumps(line(InvoiceNo=f"54000{number}", Quantity=1, UnitPrice="@", client_line_no="1"))
            body = text.replace('"@"', price).encode()
            reply = till.request("POST", "/v1/feeds/invoices", body, {"Content-Type": "application/json"})
            assert reply.status == 202 and reply.json["accepted"] == 1, reply
            sent += units
            total, average = view(till, "vw_TotalSales")[0], view(till, "vw_AverageOrderValue")[0]
            assert total["SALES"] == f"{Decimal(sent).scaleb(-5):.5f}"
            expected = (Decimal(sent) / number).quantize(Decimal(1), ROUND_HALF_UP).scaleb(-5)
            if expected == 0:
                expected = abs(expected)
            assert average["AvgOrderValue"] == f"{expected:.5f}"
            (one,) = till.get("/v1/sales/average-order-value?definition=reference").json["items"]
            assert Decimal(one["average"]) == expected
