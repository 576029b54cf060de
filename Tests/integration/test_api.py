"""Every answer of the API against the OpenAPI document, and lists and sums against the beginning of the public file."""

import csv
import gzip
import itertools
import re
from collections import Counter
from decimal import Decimal

import pytest
from support import (
    EXAMPLE,
    check_shape,
    line,
    new_till,
    pages,
    schema_of,
    till_command,
    totals,
)
from test_openapi import OTHERS

ROWS = 4_000


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
        reply = till.post("invoices", body, "text/csv", {"X-Till-Run": "sample"})
        assert reply.status == 202 and reply.json["accepted"] == ROWS, reply
        bad = [line(InvoiceNo=str(number), Quantity=0) for number in range(7)]
        assert till.post("invoices", bad).status == 422
        assert till.post("invoices", b"\xff\xfe").status == 422
        assert totals(till)["quarantined"] == 8
        assert till_command("prove", "--data", till.data).returncode == 0
        yield till
    finally:
        till.kill9()


@pytest.fixture(scope="module")
def openapi(sample):
    document = sample.get("/v1/openapi.json").json
    assert document["openapi"].startswith("3.1") and document["info"]["title"]
    return document


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
    "/v1/overview": ["", "?grain=year&cancelled_grain=month&country=France"],
    "/v1/products/top": ["", "?limit=3", "?exclude_non_products=true", "?from=2009-12-01&to=2009-12-02"],
    "/v1/cancellations": [f"?grain={grain}" for grain in ("year", "quarter", "month", "week", "day")] + [""],
    "/v1/countries": ["", "?limit=2"],
    "/v1/customers": ["", "?limit=1", "?search=13", "?search=nobody"],
    "/v1/customers/summary": ["", "?cancellations=include", "?cancellations=exclude&limit=1"],
    "/v1/customers/{id}/spend": [""],
    "/v1/customers/{id}/orders": ["", "?limit=1"],
    "/v1/customers/{id}/returns": ["", "?limit=1"],
    "/v1/invoices/{id}": [""],
    "/v1/quarantine": ["", "?limit=2", "?state=open", "?state=resolved", "?feed=invoices&rule=quantity_zero"],
    "/v1/quarantine/rules": [""],
    "/v1/quarantine/{entry}": [""],
    "/v1/runs": ["", "?limit=1", "?feed=invoices"],
    "/v1/runs/{run}": ["", "?feed=invoices"],
    "/v1/quarantine/count": ["?feed=invoices", "?feed=invoices&rule=quantity_zero", "?ids=1,2,99"],
    "/v1/status": [""],
    "/v1/views/{view}": ["", "?limit=1"],
    "/v1/proof": [""],
    "/v1/windows": ["", "?open=true"],
    "/v1/windows/revisions": ["", "?corrections=true"],
    "/v1/windows/{store}/{start}/revisions": [""],
    "/v1/late": [""],
    "/v1/stores": ["", "?limit=1"],
    "/v1/users/{id}/products": ["", "?limit=1"],
    "/v1/users/{id}/categories": [""],
    "/v1/parked": ["", "?feed=orders"],
    "/v1/conflicts": ["", "?limit=1"],
    "/v1/references": [""],
    "/v1/senders": ["", "?feed=pos"],
    "/v1/row-identity": ["?feed=pos"],
}
# Those that the file's invoices say nothing about; test_windows.py and test_counters.py have data for them.
OF_STREAMS = {"/v1/windows/{store}/{start}/revisions"}


def test_a_misspelled_filter_is_no_figure(sample):
    for path in ("/v1/sales/over-time?contry=France", "/v1/sales/total?land=France", "/v1/late?limits=3"):
        reply = sample.get(path)
        assert (reply.status, reply.json["error"]["code"]) == (400, "parameter_unknown"), reply
        assert path.split("?")[1].split("=")[0] in reply.json["error"]["message"]
    assert sample.get("/v1/sales/total?after=latest&wait_ms=30000").status == 200


def test_every_documented_route_is_tried(openapi):
    """A route without an example here, or an answer without a description there, is a gap."""
    documented = {path for path, item in openapi["paths"].items() if "get" in item}
    others = {path for path, method, _ in OTHERS if method == "get"} | {"/v1/live"}
    assert documented == set(REQUESTS) | others and not set(REQUESTS) & others


@pytest.mark.parametrize("path", sorted(REQUESTS.keys() - OF_STREAMS))
def test_answers_fit_the_document(sample, rows, openapi, path):
    values = {"{run}": "sample", "{view}": "vw_TotalSales", "{entry}": "1"}
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


# --- errors -----------------------------------------------------------------------------------------------------------


BAD_PARAMETERS = [
    "/v1/sales/total?definition=gross", "/v1/sales/over-time?grain=minute", "/v1/sales/over-time?from=01/12/2010",
    "/v1/sales/over-time?from=2010-02-30", "/v1/sales/over-time?from=2010-12-02&to=2010-12-01",
    "/v1/products/top?limit=0", "/v1/products/top?limit=1001", "/v1/products/top?limit=ten",
    "/v1/products/top?exclude_non_products=yes", "/v1/customers?limit=-1", "/v1/customers?cursor=zz",
    "/v1/customers/summary?cancellations=maybe", "/v1/cancellations?grain=hour", "/v1/quarantine?limit=5000",
    "/v1/quarantine?cursor=7A7A", "/v1/sales/total?after=nonsense", "/v1/sales/total?after=feed.nothing/0:1",
    "/v1/sales/total?after=latest&wait_ms=0",
    "/v1/sales/total?after=latest&wait_ms=30001", "/v1/quarantine?state=closed", "/v1/views/vw_TotalSales?limit=0",
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
        ("/v1/nothing", "path_unknown"), ("/nothing", "path_unknown"),
        ("/v1/customers/1/2/3", "path_unknown"), ("/health/nothing", "path_unknown"),
        ("/metrics/", "path_unknown"), ("//", "path_unknown"),
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


# --- figures ----------------------------------------------------------------------------------------------------------


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
    unknown = sample.get("/v1/sales/over-time?country=Atlantis")
    assert (unknown.status, unknown.json["error"]["code"]) == (400, "parameter_invalid")
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


def test_metrics_are_prometheus_text(sample):
    reply = sample.get("/metrics")
    assert reply.headers["content-type"].startswith("text/plain; version=0.0.4")
    text = reply.body.decode()
    assert text.endswith("\n")
    types, values = {}, {}
    for one in text.splitlines():
        if one.startswith("# TYPE "):
            _, _, name, kind = one.split()
            assert name not in types and kind in ("counter", "gauge", "histogram", "summary")
            types[name] = kind
        elif not one.startswith("# HELP "):
            pattern = r'([a-z_:][a-z0-9_:]*)(\{(?:[a-z]+="[^"]*",?)+\})? (-?[0-9.e+-]+)'
            match = re.fullmatch(pattern, one)
            assert match, f"no sample: {one!r}"
            name = re.sub(r"_(bucket|sum|count)$", "", match[1]) if match[1] not in types else match[1]
            assert name in types, f"{match[1]} has no type"
            values[match[1]] = values.get(match[1], 0) + float(match[3])
    assert all(name.endswith("_total") for name, kind in types.items() if kind == "counter")
    assert values["till_ingest_records_accepted_total"] == ROWS
    assert values["till_ingest_records_rejected_total"] == 8
    assert values["till_process_records_total"] == ROWS + 8
    assert values["till_http_requests_total"] > 10 and values["till_http_connections_open"] >= 1
    again = sample.get("/metrics").body.decode()
    scrapes = r'\ntill_http_requests_total\{handler="/metrics",method="GET",status="200"\} (\d+)\n'
    # A scrape is counted when it is answered.
    assert int(re.search(scrapes, again)[1]) == int((re.search(scrapes, text) or [0, 0])[1]) + 1


def test_status(sample):
    status = sample.get("/v1/status").json
    (feed,) = [feed for feed in status["feeds"] if feed["feed"] == "invoices"]
    assert feed["log_end"] == feed["stored"] == ROWS + 8 and feed["lag"] == 0
    assert status["totals"]["received"] == ROWS + 8 and status["version"] and status["uptime_seconds"] >= 0
    run = sample.get("/v1/runs/sample").json
    assert run["read"] == ROWS == run["distinct"] + run["duplicates"] + run["quarantined"]
