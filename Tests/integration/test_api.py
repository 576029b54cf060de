"""Every answer of the API: its shape against the OpenAPI document, its figures against the specification's fixtures.

Three servers: one with the beginning of the public file (shapes, paging, sums), one with the customer fixture and one
with the gold fixture (invoices specification, sections 6 and 7).
"""

import csv
import gzip
import itertools
import json
import re
import threading
import time
from collections import Counter
from decimal import Decimal

import jsonschema
import pytest
from conftest import ROOT
from support import EXAMPLE, line, new_till, pages, totals

ROWS = 4_000
CORNER_SHOP = ROOT / "Tests/ContractsTests/Fixtures/corner-shop.yaml"
CSV = "text/csv"


@pytest.fixture(scope="module")
def rows():
    """The first rows of the public file, as dictionaries."""
    with gzip.open(EXAMPLE, "rt", encoding="utf-8", newline="") as file:
        return list(itertools.islice(csv.DictReader(file), ROWS))


@pytest.fixture(scope="module")
def sample(tmp_path_factory, rows):
    """A till with those rows and a few bad records."""
    till = new_till(tmp_path_factory.mktemp("sample"))
    try:
        till.start()
        with gzip.open(EXAMPLE, "rb") as file:
            body = b"".join(itertools.islice(file, ROWS + 1))
        reply = till.post("invoices", body, CSV, {"X-Till-Run": "sample"})
        assert reply.status == 202 and reply.json["accepted"] == ROWS, reply
        bad = [line(InvoiceNo=str(number), Quantity=0) for number in range(7)]
        assert till.post("invoices", bad).status == 422
        assert till.post("invoices", b"\xff\xfe").status == 422
        assert totals(till)["quarantined"] == 8
        yield till
    finally:
        till.kill9()


@pytest.fixture(scope="module")
def openapi(sample):
    document = sample.get("/v1/openapi.json").json
    assert document["openapi"].startswith("3.1") and document["info"]["title"]
    return document


def schema_of(openapi, path, status="200", method="get"):
    return openapi["paths"][path][method]["responses"][status]["content"]["application/json"]["schema"]


def check_shape(answer, schema):
    checker = jsonschema.Draft202012Validator(schema, format_checker=jsonschema.FormatChecker())
    errors = [f"{error.json_path}: {error.message}" for error in checker.iter_errors(answer)]
    assert not errors, errors[:5]


def busiest(rows):
    """The customer with most invoices among the rows, and with a return."""
    with_return = {row["Customer ID"] for row in rows if row["Invoice"].startswith("C") and row["Customer ID"]}
    invoices = Counter(row["Customer ID"] for row in {(r["Invoice"], r["Customer ID"]): r for r in rows}.values())
    return str(int(float(max(with_return, key=lambda customer: (invoices[customer], customer)))))


REQUESTS = {
    "/v1/sales/total": ["", "?definition=native", "?definition=reference"],
    "/v1/sales/over-time": [f"?grain={grain}" for grain in ("year", "quarter", "month", "week", "day", "hour")]
    + ["", "?country=France", "?from=2009-12-01&to=2009-12-01"],
    "/v1/sales/average-order-value": ["", "?definition=native", "?definition=reference"],
    "/v1/products/top": ["", "?limit=3", "?exclude_non_products=true", "?from=2009-12-01&to=2009-12-02"],
    "/v1/cancellations": [f"?grain={grain}" for grain in ("year", "quarter", "month", "week", "day")] + [""],
    "/v1/customers": ["", "?limit=1", "?search=13", "?search=nobody"],
    "/v1/customers/summary": ["", "?cancellations=include", "?cancellations=exclude&limit=1"],
    "/v1/customers/{id}/spend": [""],
    "/v1/customers/{id}/orders": ["", "?limit=1"],
    "/v1/customers/{id}/returns": ["", "?limit=1"],
    "/v1/invoices/{id}": [""],
    "/v1/quarantine": ["", "?limit=2"],
    "/v1/runs/{run}": ["", "?feed=invoices"],
    "/v1/status": [""],
    "/v1/views/{view}": ["", "?limit=1"],
}


def test_every_documented_route_is_tried(openapi):
    """A route without an example here, or an answer without a description there, is a gap."""
    documented = {path for path, item in openapi["paths"].items() if "get" in item}
    served_otherwise = {"/v1/live", "/v1/openapi.json", "/metrics", "/health", "/health/live", "/health/ready"}
    assert documented - served_otherwise == set(REQUESTS)


@pytest.mark.parametrize("path", REQUESTS)
def test_answers_fit_the_document(sample, rows, openapi, path):
    values = {"{run}": "sample", "{view}": "vw_TotalSales"}
    values["{id}"] = rows[0]["Invoice"] if "invoices" in path else busiest(rows)
    named = path
    for name, value in values.items():
        named = named.replace(name, value)
    for parameters in REQUESTS[path]:
        reply = sample.get(named + parameters)
        assert reply.status == 200, (parameters, reply)
        assert reply.headers["content-type"] == "application/json"
        assert path in openapi["paths"], f"{path} answers and is not in the document"
        check_shape(reply.json, schema_of(openapi, path))
        numbers = rb'"(amount|gross|returns|net|total|unit_price|average)":-?\d'
        assert not re.search(numbers, reply.body), "money is text"


def test_ingest_answers_fit_the_document(till, openapi):
    path = "/v1/feeds/{feed}"
    assert set(openapi["paths"][path]["post"]["responses"]) >= {"202", "404", "413", "415", "422", "429"}
    for body, status in ((line(), "202"), ([line(), line(Quantity=0)], "202"), (line(Quantity=0), "422")):
        reply = till.post("invoices", body)
        assert str(reply.status) == status, reply
        check_shape(reply.json, schema_of(openapi, path, status, "post"))
    reply = till.post("nothing", line())
    check_shape(reply.json, schema_of(openapi, path, "404", "post"))


# --- errors -----------------------------------------------------------------------------------------------------------

BAD_PARAMETERS = [
    "/v1/sales/total?definition=gross", "/v1/sales/over-time?grain=minute", "/v1/sales/over-time?from=01/12/2010",
    "/v1/sales/over-time?from=2010-02-30", "/v1/sales/over-time?from=2010-12-02&to=2010-12-01",
    "/v1/products/top?limit=0", "/v1/products/top?limit=1001", "/v1/products/top?limit=ten",
    "/v1/products/top?exclude_non_products=yes", "/v1/customers?limit=-1", "/v1/customers?cursor=zz",
    "/v1/customers/summary?cancellations=maybe", "/v1/cancellations?grain=hour", "/v1/quarantine?limit=5000",
    "/v1/quarantine?cursor=7A7A", "/v1/sales/total?after=nonsense", "/v1/sales/total?after=latest&wait_ms=0",
    "/v1/sales/total?after=latest&wait_ms=30001", "/v1/views/vw_TotalSales?limit=0",
]  # fmt: skip


@pytest.mark.parametrize("path", BAD_PARAMETERS)
def test_bad_parameters(sample, openapi, path):
    reply = sample.get(path)
    assert reply.status == 400, reply
    check_shape(reply.json, schema_of(openapi, "/v1/sales/total", "400"))
    assert reply.json["error"]["code"] == "parameter_invalid"


@pytest.mark.parametrize(
    ("path", "code"),
    [
        ("/v1/customers/99999999/spend", "not_found"), ("/v1/customers/invoices:99999999/orders", "not_found"),
        ("/v1/customers/nowhere:13085/spend", "not_found"), ("/v1/customers/99999999/returns", "not_found"),
        ("/v1/invoices/nothing", "not_found"), ("/v1/runs/nothing", "not_found"),
        ("/v1/views/sqlite_schema", "not_found"), ("/v1/views/line", "not_found"),
        ("/v1/nothing", "path_unknown"), ("/nothing", "path_unknown"), ("/v1/customers/1/2/3", "path_unknown"), ("/health/nothing", "path_unknown"),
    ],
)  # fmt: skip
def test_unknown_things(sample, openapi, path, code):
    reply = sample.get(path)
    assert reply.status == 404, reply
    check_shape(reply.json, schema_of(openapi, "/v1/invoices/{id}", "404"))
    assert reply.json["error"]["code"] == code


@pytest.mark.parametrize("path", ["/v1/sales/total", "/v1/customers", "/metrics", "/health", "/", "/v1/openapi.json"])
def test_other_methods(sample, path):
    for method in ("POST", "PUT", "DELETE", "PATCH"):
        reply = sample.request(method, path, b"")
        assert reply.status == 405, (method, reply)
        assert reply.json["error"]["code"] == "method_not_allowed"
        assert set(reply.headers.get("allow", "").replace(" ", "").split(",")) >= {"GET", "HEAD"}, "RFC 9110 15.5.6"


@pytest.mark.parametrize(
    "path", ["/v1/sales/total", "/v1/customers?limit=1", "/", "/health", "/metrics", "/v1/nothing"]
)
def test_head_is_get_without_a_body(sample, path):
    get, head = sample.get(path), sample.request("HEAD", path)
    assert (head.status, head.body) == (get.status, b"")
    assert head.headers["content-type"] == get.headers["content-type"]
    if path != "/metrics":
        assert head.headers["content-length"] == get.headers["content-length"]


# --- lists ------------------------------------------------------------------------------------------------------------


def test_customers_are_complete_page_by_page(sample, rows):
    wanted = sorted({str(int(float(row["Customer ID"]))) for row in rows if row["Customer ID"]})
    for limit in (7, 50, 1000):
        assert [item["key"] for item in pages(sample, "/v1/customers", limit)] == wanted


def test_orders_and_returns_are_complete_page_by_page(sample, rows):
    customer = busiest(rows)
    mine = [row for row in rows if row["Customer ID"] and str(int(float(row["Customer ID"]))) == customer]
    orders = pages(sample, f"/v1/customers/{customer}/orders", 1)
    assert sorted(item["number"] for item in orders) == sorted({row["Invoice"] for row in mine})
    times = [item["occurred_at"] for item in orders]
    assert times == sorted(times, reverse=True), "newest first"
    for item in orders:
        lines = [row for row in mine if row["Invoice"] == item["number"]]
        assert Decimal(item["amount"]) == sum(int(row["Quantity"]) * Decimal(row["Price"]) for row in lines)
        assert item["quantity"] == sum(int(row["Quantity"]) for row in lines)
    returns = pages(sample, f"/v1/customers/{customer}/returns", 1)
    wanted = sorted((row["Invoice"], row["StockCode"]) for row in mine if int(row["Quantity"]) < 0)
    assert sorted((item["number"], item["product"]) for item in returns) == wanted


def test_quarantine_is_complete_page_by_page(sample):
    items = pages(sample, "/v1/quarantine", 3)
    assert len(items) == len({item["id"] for item in items}) == 8
    assert items[0]["encoding"] == "base64" and items[0]["bytes"] == "//4=", "newest first"


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


# --- figures of the sample --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("grain", ["year", "quarter", "month", "week", "day", "hour"])
def test_sales_over_time_sum_to_the_total(sample, grain):
    (total,) = sample.get("/v1/sales/total").json["totals"]
    items = sample.get(f"/v1/sales/over-time?grain={grain}").json["items"]
    periods = [item["period"] for item in items]
    assert periods == sorted(set(periods))
    for name in ("gross", "returns", "net"):
        assert sum(Decimal(item[name]) for item in items) == Decimal(total[name])
    assert sum(item["units"] for item in items) == total["units"]
    if grain != "hour":
        assert sum(item["orders"] for item in items) == total["orders"]
    pattern = {
        "year": r"\d{4}", "quarter": r"\d{4}-Q[1-4]", "month": r"\d{4}-\d\d", "week": r"\d{4}-W\d\d",
        "day": r"\d{4}-\d\d-\d\d", "hour": r"\d{4}-\d\d-\d\dT\d\d",
    }[grain]  # fmt: skip
    assert all(re.fullmatch(pattern, period) for period in periods)


def test_sales_by_country_and_by_days(sample, rows):
    (total,) = sample.get("/v1/sales/total").json["totals"]
    countries = {row["Country"] for row in rows}
    by_country = [
        item
        for country in countries
        for item in sample.get(f"/v1/sales/over-time?grain=year&country={country.replace(' ', '%20')}").json["items"]
    ]
    assert sum(Decimal(item["gross"]) for item in by_country) == Decimal(total["gross"])
    assert sample.get("/v1/sales/over-time?country=Atlantis").json["items"] == []
    days = sample.get("/v1/sales/over-time").json["items"]
    first = sample.get(f"/v1/sales/over-time?from={days[0]['period']}&to={days[0]['period']}").json["items"]
    assert first == days[:1]


def test_top_products_have_a_stable_order(sample, rows):
    sums = Counter()
    for row in rows:
        if not row["Invoice"].startswith("C") and int(row["Quantity"]) > 0:
            sums[row["StockCode"]] += int(row["Quantity"]) * Decimal(row["Price"])
    wanted = sorted(sums.items(), key=lambda item: (-item[1], item[0]))
    top = sample.get("/v1/products/top?limit=1000").json["items"]
    assert [(item["code"], Decimal(item["gross"])) for item in top] == wanted[:1000]
    assert [item["rank"] for item in top] == list(range(1, len(top) + 1))
    goods = {item["code"] for item in sample.get("/v1/products/top?limit=1000&exclude_non_products=true").json["items"]}
    missing = {item["code"] for item in top} - goods
    assert missing and missing <= {"POST", "DOT", "D", "M", "m", "BANK CHARGES", "AMAZONFEE", "S", "C2"}, missing


def test_cancellations(sample, rows):
    answer = sample.get("/v1/cancellations").json
    cancelled = [row for row in rows if row["Invoice"].startswith("C")]
    documents = {row["Invoice"] for row in cancelled}
    amount = -sum(abs(int(row["Quantity"]) * Decimal(row["Price"])) for row in cancelled)
    assert answer["total"]["documents"] == len(documents) == sum(item["documents"] for item in answer["items"])
    (total,) = answer["total"]["amounts"]
    assert Decimal(total["amount"]) == amount == sum(Decimal(item["amount"]) for item in answer["items"])
    assert {item["number"] for item in answer["documents"]} <= documents


# --- fixture of section 6 ---------------------------------------------------------------------------------------------


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


# --- fixture of section 7 ---------------------------------------------------------------------------------------------

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


def test_everything_answers_without_data(till, openapi):
    for path in ("/v1/sales/total", "/v1/sales/over-time", "/v1/sales/average-order-value", "/v1/products/top",
                 "/v1/cancellations", "/v1/customers", "/v1/customers/summary", "/v1/quarantine"):  # fmt: skip
        reply = till.get(path)
        assert reply.status == 200, (path, reply)
        check_shape(reply.json, schema_of(openapi, path))
    assert view(till, "vw_AverageOrderValue") == [{"AvgOrderValue": None}]
    assert [Decimal(row["SALES"]) for row in view(till, "vw_TotalSales")] == [0]


# --- a second source --------------------------------------------------------------------------------------------------


def corner_shop_config(directory):
    """The fixture of the contract tests, with the setting that the mapper of this build asks for."""
    text = CORNER_SHOP.read_text()
    contract = directory / "corner-shop.yaml"
    if "\n  store:" not in text:
        text = text.replace("settings:\n", "settings:\n  store: CORNER\n", 1)
    contract.write_text(text)
    config = directory / "till.yaml"
    config.write_text(f"contracts: [{contract}]\n")
    return config


@pytest.fixture(scope="module")
def two_feeds(tmp_path_factory):
    """A till that knows a feed only from a YAML file."""
    directory = tmp_path_factory.mktemp("feeds")
    till = new_till(directory, "--config", corner_shop_config(directory))
    try:
        yield till.start()
    finally:
        till.kill9()


def receipt(**changes):
    return {
        "receipt": "R1", "store": "STORE_7", "sold_at": "2010-12-01T10:00:00Z", "total": 5.0, "customer": "17850",
        "lines": [{"item": "apple", "label": "APPLE", "quantity": 2, "unit_price": 2.5, "total_price": 5.0}], **changes,
    }  # fmt: skip


def test_a_feed_written_only_in_yaml_reaches_the_tables(two_feeds):
    till = two_feeds
    reply = till.post("corner-shop", receipt())
    assert reply.status == 202 and reply.json["accepted"] == 1, reply
    assert reply.json["position"].startswith("feed.corner-shop/0:")
    assert till.post("invoices", line()).status == 202
    bad = till.post("corner-shop", receipt(receipt="R2", store="SHOP", colour="red", payment="cheque"))
    assert bad.status == 422, bad
    rules = {reason["rule"] for reason in bad.json["rejected"][0]["reasons"]}
    assert {"store_form", "card_known"} <= rules and len(rules) >= 3, "all reasons at once"
    invoice = till.get("/v1/invoices/corner:R1?after=latest").json
    assert [(item["product"], item["total"], item["kind"]) for item in invoice["lines"]] == [("apple", "5.00", "gross")]
    by_currency = {item["currency"]: item["gross"] for item in till.get("/v1/sales/total").json["totals"]}
    assert by_currency == {"GBP": "15.30", "EUR": "5.00"}, "currencies are never added"
    assert {feed["feed"] for feed in till.get("/v1/status").json["feeds"]} >= {"invoices", "corner-shop"}
    assert till.post("corner-shop", receipt(receipt="R9"), headers={"X-Till-Run": "r"}).status == 202
    assert till.get("/v1/runs/r?after=latest").json["feed"] == "corner-shop"


def test_a_bare_key_of_two_sources_is_ambiguous(two_feeds, openapi):
    till = two_feeds
    assert till.post("corner-shop", receipt(receipt="536365", customer="17850")).status == 202
    assert till.post("invoices", line()).status == 202
    totals(till)
    for path, key in (("/v1/customers/{id}/spend", "17850"), ("/v1/invoices/{id}", "536365")):
        reply = till.get(path.format(id=key))
        assert reply.status == 409, reply
        check_shape(reply.json, schema_of(openapi, path, "409"))
        assert reply.json["error"]["code"] == "ambiguous"
        assert sorted(reply.json["error"]["candidates"]) == [f"corner:{key}", f"invoices:{key}"]
        for candidate in reply.json["error"]["candidates"]:
            assert till.get(path.format(id=candidate)).status == 200


def test_a_contract_outlives_its_file(tmp_path):
    """Stored events are judged under the text they were received with, also when the configuration is gone."""
    till = new_till(tmp_path, "--config", corner_shop_config(tmp_path))
    try:
        till.start()
        assert till.post("corner-shop", receipt()).status == 202
        before = till.get("/v1/sales/total?after=latest").body
        assert till.stop() == 0
        for name in ("tables.sqlite", "tables.sqlite-wal", "tables.sqlite-shm"):
            (till.data / name).unlink(missing_ok=True)
        till.arguments = []
        till.start()
        assert till.get("/v1/sales/total?after=latest").body == before, "tables are rebuilt from the log alone"
        assert till.post("corner-shop", receipt()).status == 404
    finally:
        till.kill9()


# --- positions --------------------------------------------------------------------------------------------------------


def test_after_gives_read_your_writes(till):
    for number in range(20):
        reply = till.post("invoices", line(InvoiceNo=str(number)))
        position = reply.json["position"]
        assert till.get(f"/v1/invoices/{number}?after={position}").status == 200
        assert till.get(f"/v1/sales/total?after={position}").json["totals"][0]["orders"] == number + 1


def test_after_a_position_that_does_not_come(till):
    started = time.monotonic()
    reply = till.get("/v1/sales/total?after=feed.invoices/0:5&wait_ms=400")
    assert reply.status == 504 and reply.json["error"]["code"] == "position_timeout", reply
    assert 0.35 < time.monotonic() - started < 3
    assert till.get("/v1/sales/total?after=feed.invoices/0:0&wait_ms=1").status == 200


def test_after_waits_for_what_comes_later(till):
    results = []
    waiting = threading.Thread(
        target=lambda: results.append(till.get("/v1/sales/total?after=feed.invoices/0:1&wait_ms=20000"))
    )
    waiting.start()
    time.sleep(0.3)
    assert not results
    assert till.post("invoices", line()).status == 202
    waiting.join(10)
    assert results and results[0].status == 200 and results[0].json["totals"][0]["gross"] == "15.30"


# --- operation --------------------------------------------------------------------------------------------------------


def test_health(sample):
    assert sample.get("/health").json == {"status": "up"}
    assert sample.get("/health/live").json == {"status": "live"}
    ready = sample.get("/health/ready").json
    assert ready["status"] == "ready" and {part["name"] for part in ready["parts"]} >= {"log", "processing"}
    assert all(part["ok"] and part["detail"] for part in ready["parts"])


def test_greetings_of_the_reference_system(sample):
    assert sample.get("/", {"Accept": "application/json"}).json == {"message": "Bonjour Chez vous"}
    page = sample.get("/", {"Accept": "text/html,*/*"})
    assert page.status == 200 and page.headers["content-type"].startswith("text/html")


def test_the_compatible_paths_can_be_off(tmp_path):
    till = new_till(tmp_path, "--compatibility.invoices", "off").start()
    try:
        assert till.request("POST", "/invoicedata", line(), {"Content-Type": "application/json"}).status in (404, 405)
        assert b"Bonjour" not in till.get("/", {"Accept": "application/json"}).body
        assert till.post("invoices", line()).status == 202
    finally:
        till.kill9()


def test_metrics_are_prometheus_text(sample):
    reply = sample.get("/metrics")
    assert reply.headers["content-type"].startswith("text/plain; version=0.0.4")
    text = reply.body.decode()
    assert text.endswith("\n")
    types, values = {}, {}
    for one in text.splitlines():
        if one.startswith("# TYPE "):
            _, _, name, kind = one.split()
            assert name not in types and kind in ("counter", "gauge", "histogram")
            types[name] = kind
        elif not one.startswith("# HELP "):
            match = re.fullmatch(r"([a-z_:][a-z0-9_:]*)(\{[^}]*\})? (-?[0-9.e+-]+|NaN|[+-]Inf)", one)
            assert match, f"no sample: {one!r}"
            name = re.sub(r"_(bucket|sum|count)$", "", match[1]) if match[1] not in types else match[1]
            assert name in types, f"{match[1]} has no type"
            values[match[1]] = float(match[3])
    assert all(name.endswith("_total") for name, kind in types.items() if kind == "counter")
    assert values["till_ingest_records_accepted_total"] == ROWS
    assert values["till_ingest_records_rejected_total"] == 8
    assert values["till_process_records_total"] == ROWS + 8


def test_status(sample):
    status = sample.get("/v1/status").json
    (feed,) = [feed for feed in status["feeds"] if feed["feed"] == "invoices"]
    assert feed["log_end"] == feed["stored"] == ROWS + 8 and feed["lag"] == 0
    assert status["totals"]["received"] == ROWS + 8 and status["version"] and status["uptime_seconds"] >= 0
    run = sample.get("/v1/runs/sample").json
    assert run["read"] == ROWS == run["distinct"] + run["duplicates"] + run["quarantined"]


def test_live_figures(till):
    """The first event comes at once, another after a change, with the totals of the API."""
    import http.client

    connection = http.client.HTTPConnection("127.0.0.1", int(till.url.rsplit(":", 1)[1]), timeout=15)
    try:
        connection.request("GET", "/v1/live", headers={"Accept": "text/event-stream"})
        stream = connection.getresponse()
        assert stream.status == 200 and stream.headers["content-type"].startswith("text/event-stream")

        def figures():
            while True:
                text = stream.readline().decode().rstrip("\r\n")
                if text.startswith("data:"):
                    return json.loads(text[5:])

        figures()
        assert till.post("invoices", line()).status == 202
        while not (shown := figures())["totals"]:
            pass
        (wanted,), (total,) = till.get("/v1/sales/total").json["totals"], shown["totals"]
        assert total == {**wanted, "reference": "15.30"}
        assert {"position", "at", "totals", "accept_rate_per_second", "lag"} <= set(shown)
    finally:
        connection.close()
