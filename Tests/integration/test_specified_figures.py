"""The fixtures of the invoices specification, sections 6 (customers) and 7 (gold), and what is computed at read."""

from decimal import Decimal

import pytest
from support import check_shape, line, new_till, schema_of, totals


def customer_lines():
    a = line(customerName=None)
    return [
        a,
        {**a, "StockCode": "71053", "Description": "WHITE METAL LANTERN", "UnitPrice": 3.39},
        {**a, "InvoiceNo": "C536379", "StockCode": "D", "Description": "Discount", "Quantity": -1, "UnitPrice": 27.5,
         "InvoiceDate": "01/12/2010 09:41"},
        {**a, "InvoiceNo": "536366", "StockCode": "22633", "Description": "HAND WARMER", "Quantity": 0,
         "UnitPrice": 1.85, "InvoiceDate": "02/12/2010 08:00"},
        # Not in the fixture's tables of lines: what makes 17850 a customer of two countries and 17851 a customer.
        {**a, "InvoiceNo": "536370", "CustomerID": 17850, "Country": "France", "StockCode": "POST", "Quantity": -1,
         "UnitPrice": -1, "InvoiceDate": "30/11/2010 08:00"},
        {**a, "InvoiceNo": "C536371", "CustomerID": 17851, "Country": "Germany", "Quantity": 1, "UnitPrice": 1},
    ]  # fmt: skip


@pytest.fixture(scope="module")
def customers(tmp_path_factory):
    till = new_till(tmp_path_factory.mktemp("customers"))
    try:
        till.start()
        reply = till.post("invoices", customer_lines())
        assert reply.status == 202, reply
        (rejected,) = reply.json["rejected"]
        rules = [reason["rule"] for reason in rejected["reasons"]]
        assert (rejected["index"], rules) == (3, ["quantity_zero"]), "quantity 0 is no line natively"
        totals(till)
        yield till
    finally:
        till.kill9()


def test_total_spend(customers):
    answer = customers.get("/v1/customers/17850/spend").json
    (spend,) = answer["spend"]
    assert (spend["currency"], spend["gross"], spend["orders"]) == ("GBP", "35.64", 1)
    assert (spend["returns"], spend["net"]) == ("27.50", "8.14")
    assert answer["last_order_at"] == "2010-12-01T08:26:00Z"
    assert answer["customer"]["country"] == "United Kingdom", "the latest one"
    other = customers.get("/v1/customers/invoices:17851/spend").json
    assert all(spend["gross"] == "0.00" and spend["orders"] == 0 for spend in other["spend"])
    assert other["customer"]["country"] == "Germany" and other["last_order_at"] is None


def test_order_history(customers):
    orders = {item["number"]: item for item in customers.get("/v1/customers/17850/orders").json["items"]}
    assert (orders["536365"]["amount"], orders["536365"]["quantity"]) == ("35.64", 12)
    assert sorted(orders["536365"]["items_purchased"].split(", ")) == ["WHITE HANGING HEART", "WHITE METAL LANTERN"]
    assert orders["C536379"]["amount"] == "-27.50"
    assert list(orders)[0] == "C536379", "newest first"
    assert "536366" not in orders, "its only line was refused"


def test_details_do_not_fan_out(customers):
    invoice = customers.get("/v1/invoices/536365").json
    assert [(item["product"], item["total"]) for item in invoice["lines"]] in (
        [("85123A", "15.30"), ("71053", "20.34")],
        [("71053", "20.34"), ("85123A", "15.30")],
    )
    assert [item["line_no"] for item in invoice["lines"]] == [1, 2]
    assert invoice["country"] == "United Kingdom" and invoice["customer"]["id"] == "invoices:17850"
    (total,) = invoice["totals"]
    assert (total["gross"], total["returns"], total["adjustments"]) == ("35.64", "0.00", "0.00")


def test_returned_items(customers):
    (item,) = customers.get("/v1/customers/17850/returns").json["items"]
    assert (item["number"], item["product"], item["quantity"], item["total"]) == ("C536379", "D", -1, "-27.50")
    assert item["likely_original"] is None
    others = customers.get("/v1/customers/17851/returns").json["items"]
    assert others == [], "a C line of positive quantity returns nothing"


def test_summary_with_and_without_cancellations(customers):
    without = customers.get("/v1/customers/summary").json
    assert (without["total_customers"], without["loyal_customers"], without["top"]) == (2, 0, [])
    counted = customers.get("/v1/customers/summary?cancellations=include").json
    assert (counted["loyal_customers"], counted["most_orders"]) == (1, 3)
    assert [(one["key"], one["orders"]) for one in counted["top"]] == [("17850", 3)]
    (row,) = customers.get("/v1/views/vw_CustomerStats").json["items"]
    names = ("CustomerID", "OrderCount", "TotalCustomers", "MostRepeatingOrders")
    assert [row[name] for name in names] == ["17850", 3, 2, 3]
    assert customers.get("/v1/views/vw_CustomerStats_without_cancellations").json["items"] == []


def test_likely_originals(till):
    """The latest earlier sale of the product to the customer with enough units left; earlier returns take first."""

    def event(number, day, quantity, product="X", customer=1):
        return line(InvoiceNo=number, Quantity=quantity, StockCode=product, CustomerID=customer,
                    InvoiceDate=f"{day:02}/01/2010 10:00")  # fmt: skip

    lines = [
        event("1", 1, 5), event("2", 3, 2), event("3", 9, 9), event("4", 4, 9, product="Y"),
        event("5", 4, 9, customer=2), event("C6", 5, -2), event("C7", 6, -2), event("C8", 7, -4), event("C9", 10, -9),
        event("C10", 8, -1, product="Z"),
    ]  # fmt: skip
    for chunk in (lines[5:], lines[:5]):
        assert till.post("invoices", chunk).status == 202
    items = till.get("/v1/customers/1/returns?after=latest").json["items"]
    originals = {item["number"]: item["likely_original"] and item["likely_original"]["number"] for item in items}
    assert originals == {"C6": "2", "C7": "1", "C8": None, "C9": "3", "C10": None}
    assert [item["number"] for item in items] == ["C9", "C10", "C8", "C7", "C6"]
    assert items[-1]["likely_original"] == {
        "invoice": "invoices:2", "number": "2", "occurred_at": "2010-01-03T10:00:00Z",
    }  # fmt: skip


def test_anonymous_lines_are_in_the_totals_only(till):
    assert till.post("invoices", [line(CustomerID=None), line(InvoiceNo="2")]).status == 202
    assert till.get("/v1/sales/total?after=latest").json["totals"][0]["gross"] == "30.60"
    assert len(till.get("/v1/customers").json["items"]) == 1
    assert till.get("/v1/customers/17850/spend").json["spend"][0]["gross"] == "15.30"
    assert till.get("/v1/invoices/536365").json["customer"] is None


def test_customers_are_searched_by_key_and_name(till):
    names = {"17850": "Ann 100%", "17851": "Bob_x", "18000": "Cleo"}
    lines = [line(InvoiceNo=key, CustomerID=int(key), customerName=name) for key, name in names.items()]
    assert till.post("invoices", lines).status == 202
    totals(till)

    def found(text):
        return [item["key"] for item in till.get(f"/v1/customers?search={text}").json["items"]]

    assert found("178") == ["17850", "17851"] and found("850") == [], "the key by its beginning"
    assert found("leo") == ["18000"] and found("CLEO") == ["18000"], "the name anywhere"
    assert found("%25") == ["17850"] and found("_") == ["17851"], "no wildcards"


# --- section 7 --------------------------------------------------------------------------------------------------------


GOLD = [
    ("536365", "85123A", 6, 2.55, "01"), ("536365", "85123A", 2, 2.55, "01"), ("C536379", "D", -1, 27.5, "01"),
    ("C536380", "D", 1, 10, "01"), ("536366", "22633", 1, 1.85, "02"),
]  # fmt: skip


def gold_lines():
    for number, product, quantity, price, day in GOLD:
        date = f"{day}/12/2010 08:26"
        yield line(InvoiceNo=number, StockCode=product, Quantity=quantity, UnitPrice=price, InvoiceDate=date)


def view(till, name):
    return till.get(f"/v1/views/{name}?after=latest").json["items"]


def test_gold_views(till):
    """Loaded twice under one key: the second load changes nothing."""
    shown = []
    for _ in range(2):
        assert till.post("invoices", list(gold_lines()), headers={"Idempotency-Key": "gold"}).status == 202
        shown.append({
            name: view(till, name)
            for name in ("vw_TotalSales", "vw_SalesByTime", "vw_Top10SellingProducts", "vw_AverageOrderValue",
                         "vw_CancelledOrders", "vw_CustomerStats")
        })  # fmt: skip
    assert shown[0] == shown[1]
    views = shown[0]
    assert [Decimal(row["SALES"]) for row in views["vw_TotalSales"]] == [Decimal("22.25")]
    assert [Decimal(row["AvgOrderValue"]) for row in views["vw_AverageOrderValue"]] == [Decimal("11.125")]
    cancelled = {
        row["InvoiceNo"]: (row["Cancelled_Order"], Decimal(row["CancelledRevenue"]))
        for row in views["vw_CancelledOrders"]
    }
    assert cancelled == {"C536379": (1, Decimal("-27.5")), "C536380": (1, Decimal(-10))}
    top = [(row["StockCode"], Decimal(row["SOLD_PRODUCTS"])) for row in views["vw_Top10SellingProducts"]]
    assert top == [("85123A", Decimal("20.40")), ("22633", Decimal("1.85"))]
    by_time = [
        (int(row["Year"]), int(row["Month"]), int(row["Quarter"]), int(row["WeekNumber"]), row["DayOfWeek"],
         Decimal(row["TotalRevenue"]))
        for row in views["vw_SalesByTime"]
    ]  # fmt: skip
    assert sorted(by_time) == [
        (2010, 12, 4, 48, "Thursday", Decimal("1.85")), (2010, 12, 4, 48, "Wednesday", Decimal("20.40")),
    ]  # fmt: skip
    assert totals(till)["distinct"] == 5

    (average,) = till.get("/v1/sales/average-order-value").json["items"]
    assert (average["average"], average["orders"]) == ("11.125", 2)
    (reference,) = till.get("/v1/sales/total?definition=reference").json["totals"]
    assert reference["sales"] == "22.25"
    (native,) = till.get("/v1/sales/total").json["totals"]
    assert (native["gross"], native["returns"], native["net"]) == ("22.25", "27.50", "-5.25")
    assert (native["adjustments"], native["orders"]) == ("10.00", 2)
    (total,) = till.get("/v1/cancellations").json["total"]["amounts"]
    assert total["amount"] == "-37.50"


def test_everything_answers_without_data(till):
    openapi = till.get("/v1/openapi.json").json
    for path in ("/v1/sales/total", "/v1/sales/over-time", "/v1/sales/average-order-value", "/v1/products/top",
                 "/v1/cancellations", "/v1/customers", "/v1/customers/summary", "/v1/quarantine"):  # fmt: skip
        reply = till.get(path)
        assert reply.status == 200, (path, reply)
        check_shape(reply.json, schema_of(openapi, path))
    assert view(till, "vw_AverageOrderValue") == [{"AvgOrderValue": None, "Currency": None}]
    assert [Decimal(row["SALES"]) for row in view(till, "vw_TotalSales")] == [0]
