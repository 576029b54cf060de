"""The figures of till against figures computed independently, by DuckDB, from the same file, when the test runs.

Both definitions of total sales are checked: `reference` (every line whose invoice does not begin with C) and `native`
(first match decides: bad debt and negative prices are adjustments, C documents with negative quantity are returns, and
so on). Money is compared as exact decimals; a binary float anywhere, in a query or in an answer, is a failure.

No expected figure is written down here.
"""

import contextlib
import gzip
import http.client
import json
import os
import random
import re
import sqlite3
import subprocess
import time
from collections import defaultdict
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path
from urllib.parse import quote, urlencode, urlsplit

import pytest
from expected_figures import Expected

DATA = Path(__file__).resolve().parents[2] / "Examples/online-retail/online_retail_2009_2010.csv.gz"
CURRENCY = "GBP"
SEED = 20101209
FIGURES = ("gross", "returns", "net", "orders", "units")


@pytest.fixture(scope="module")
def expected():
    return Expected(DATA)


def no_float(text):
    raise AssertionError(f"a JSON number with a fraction where money or counts stand: {text}")


class Answers:
    """JSON answers over one kept connection."""

    def __init__(self, url):
        self.connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=60)

    def get(self, path, parse_float=no_float, **query):
        self.connection.request("GET", path + ("?" + urlencode(query) if query else ""))
        response = self.connection.getresponse()
        body = response.read().decode()
        assert response.status == 200, f"GET {path} {query}: {response.status} {body[:300]}"
        return json.loads(body, parse_float=parse_float)

    def items(self, path, **query):
        """Every item of a list, through all its pages."""
        cursor = {}
        while True:
            page = self.get(path, **query, **cursor)
            yield from page["items"]
            if not page.get("next"):
                return
            cursor = {"cursor": page["next"]}

    def status(self):
        return self.get("/v1/status", parse_float=Decimal)

    def settle(self, seconds=300):
        """Waits until the tables include everything that the log holds."""
        deadline = time.monotonic() + seconds
        while True:
            status = self.status()
            if not any(feed["lag"] for feed in status["feeds"]):
                return status["totals"]
            assert time.monotonic() < deadline, f"tables lag behind the log after {seconds} s: {status['feeds']}"
            time.sleep(0.2)


def money(text):
    assert isinstance(text, str), f"money is a decimal string, not {text!r}"
    return Decimal(text)


def sales(item):
    """The native figures of one answered item, in the order of FIGURES; a missing item counts as zeros."""
    assert item["currency"] == CURRENCY
    amounts = tuple(money(item[name]) for name in ("gross", "returns", "net"))
    return (*amounts, item["orders"], item.get("units"))


def added(items):
    total = [Decimal(0), Decimal(0), Decimal(0), 0, 0]
    for item in items:
        total = [a + b for a, b in zip(total, sales(item), strict=True)]
    return tuple(total)


class Differences(list):
    def compare(self, what, actual, wanted):
        if actual != wanted:
            self.append(f"{what}: till says {actual}, the file says {wanted}")

    def compare_all(self, what, actual, wanted, zero):
        for key in sorted(set(actual) | set(wanted)):
            self.compare(f"{what} {key}", actual.get(key, zero), wanted.get(key, zero))


ZERO = (Decimal(0), Decimal(0), Decimal(0), 0, 0)


def compare_totals(found, answers, expected):
    (native,) = answers.get("/v1/sales/total", definition="native")["totals"]
    found.compare("total native", sales(native), expected.totals)
    found.compare("total adjustments", money(native["adjustments"]), expected.adjustments)
    (reference,) = answers.get("/v1/sales/total", definition="reference")["totals"]
    found.compare("total reference", money(reference["sales"]), expected.reference)
    found.compare("currency of reference", reference["currency"], CURRENCY)
    (average,) = answers.get("/v1/sales/average-order-value")["items"]
    found.compare("average order value", money(average["average"]), expected.average)
    found.compare("orders of the average", average["orders"], expected.totals[3])


def compare_over_time(found, answers, expected):
    for grain, wanted in (("day", expected.by_day), ("month", expected.by_month)):
        periods = defaultdict(list)
        for item in answers.items("/v1/sales/over-time", grain=grain):
            periods[item["period"][:10] if grain == "day" else item["period"][:7]].append(item)
        found.extend(f"{grain} {period} is answered {len(x)} times" for period, x in periods.items() if len(x) > 1)
        found.compare_all(grain, {period: added(x) for period, x in periods.items()}, wanted, ZERO)
    countries = {
        country: added(answers.items("/v1/sales/over-time", grain="month", country=country))
        for country in expected.by_country
    }
    found.compare_all("country", countries, expected.by_country, ZERO)


def compare_products(found, answers, expected):
    top = answers.get("/v1/products/top", limit=10, exclude_non_products="false")["items"]
    found.compare("ranks", [item["rank"] for item in top], list(range(1, len(expected.top) + 1)))
    found.compare("top products", [(x["code"], money(x["gross"]), x["units"]) for x in top], expected.top)
    found.compare("sources of top products", {(x["source"], x["currency"]) for x in top}, {("invoices", CURRENCY)})


def compare_filtered(found, answers, expected):
    """Every tile of the dashboard by date and country (BIL-30)."""
    ranges = [(None, None), ("2010-11-01", "2010-11-30"), ("2010-03-03", "2010-03-03"), ("2009-12-01", "2010-12-09")]
    for country in (None, "United Kingdom", "EIRE", "France", "Bahrain"):
        for first, last in ranges:
            query = {"country": country, "from": first, "to": last}
            query = {name: text for name, text in query.items() if text}
            what = f"filtered by {query}:"
            wanted = expected.filtered(country, first, last)
            found.compare(f"{what} total", added(answers.get("/v1/sales/total", **query)["totals"]), wanted["native"])
            reference = answers.get("/v1/sales/total", definition="reference", **query)["totals"]
            found.compare(f"{what} reference", sum(money(x["sales"]) for x in reference), wanted["reference"][0])
            for definition, units, orders in (
                ("native", wanted["native"][0], wanted["native"][3]), ("reference", *wanted["reference"]),
            ):  # fmt: skip
                items = answers.get("/v1/sales/average-order-value", definition=definition, **query)["items"]
                found.compare(f"{what} orders ({definition})", sum(x["orders"] for x in items), orders)
                average = [money(x["average"]) for x in items if x["average"] is not None]
                exact = [(units / orders).quantize(Decimal("0.00001"), ROUND_HALF_UP)] if orders else []
                found.compare(f"{what} average ({definition})", average, exact)
            top = [
                (x["code"], money(x["gross"]), x["units"])
                for x in answers.get("/v1/products/top", limit=10, **query)["items"]
                if x["units"]
            ]
            found.compare(f"{what} top products", top, wanted["top"])
            cancelled = answers.get("/v1/cancellations", grain="day", **query)
            amounts = sum((money(x["amount"]) for x in cancelled["total"]["amounts"]), Decimal(0))
            found.compare(f"{what} cancelled", (cancelled["total"]["documents"], amounts), wanted["cancelled"])
            found.compare(f"{what} latest", len(cancelled["documents"]), min(20, wanted["cancelled"][0]))
            loyal = answers.get("/v1/customers/summary", limit=1000, **query)
            figures = (loyal["total_customers"], loyal["loyal_customers"], loyal["most_orders"])
            found.compare(f"{what} loyal customers", figures, wanted["loyal"])
            found.compare(f"{what} listed", len(loyal["top"]), min(1000, wanted["loyal"][1]))


def compare_customers(found, answers, expected):
    listed = list(answers.items("/v1/customers", limit=1000))
    found.compare("customers listed", len(listed), len(expected.by_customer))
    spends = {}
    for item in listed:
        spend = answers.get(f"/v1/customers/{quote(item['id'], safe='')}/spend")["spend"]
        spends[item["key"]] = added({**entry, "units": 0} for entry in spend)[:4]
        in_list = (sum((money(x["amount"]) for x in item["gross"]), Decimal(0)), item["orders"])
        found.compare(f"customer {item['id']} in the list", in_list, (spends[item["key"]][0], spends[item["key"]][3]))
    wanted = {customer: figures[:4] for customer, figures in expected.by_customer.items()}
    found.compare_all("customer", spends, wanted, ZERO[:4])


def compare_cancellations(found, answers, expected):
    actual = {}
    for item in answers.items("/v1/cancellations", grain="day"):
        assert item["currency"] == CURRENCY
        assert item["period"] not in actual, f"{item['period']} is answered twice"
        actual[item["period"]] = (item["documents"], money(item["amount"]))
    found.compare_all("cancellations of", actual, expected.cancellations, (0, Decimal(0)))


def view(answers, name):
    rows = answers.get(f"/v1/views/{name}", limit=100_000)["items"]
    assert 0 < len(rows) < 100_000
    return rows


def compare_reference(found, answers, expected):
    """The six views of the reference system, by its definition of sales (BIL-20), on the whole year."""
    (total,) = view(answers, "vw_TotalSales")
    found.compare("vw_TotalSales", money(total["SALES"]), expected.reference)
    (average,) = view(answers, "vw_AverageOrderValue")
    found.compare("vw_AverageOrderValue", money(average["AvgOrderValue"]), expected.reference_average)
    by_time = {
        (x["Year"], x["Month"], x["Quarter"], x["WeekNumber"], x["DayOfWeek"]): (money(x["TotalRevenue"]),)
        for x in view(answers, "vw_SalesByTime")
    }
    found.compare_all("vw_SalesByTime", by_time, expected.reference_by_time, (Decimal(0),))
    top = [(x["StockCode"], money(x["SOLD_PRODUCTS"])) for x in view(answers, "vw_Top10SellingProducts")]
    found.compare("vw_Top10SellingProducts", top, expected.reference_top)
    cancelled = {x["InvoiceNo"]: (money(x["CancelledRevenue"]),) for x in view(answers, "vw_CancelledOrders")}
    found.compare_all("vw_CancelledOrders", cancelled, expected.cancelled_orders, (Decimal(0),))
    rows = view(answers, "vw_CustomerStats")
    stats = {x["CustomerID"]: (x["OrderCount"],) for x in rows}
    found.compare_all("vw_CustomerStats", stats, expected.customer_stats, (0,))
    most = max(expected.customer_stats.values())[0]
    found.compare("MostRepeatingOrders", {x["MostRepeatingOrders"] for x in rows}, {most})
    found.compare("TotalCustomers", {x["TotalCustomers"] for x in rows}, {len(expected.by_customer)})


def compare_stored_reference(found, data, expected):
    """The stored sums by the reference definition: by day, month and country. No path of the API shows them."""
    parts = {
        "day": "date(s.day * 86400, 'unixepoch')", "month": "strftime('%Y-%m', s.day * 86400, 'unixepoch')",
        "country": "c.name",
    }  # fmt: skip
    with contextlib.closing(sqlite3.connect(f"file:{data}/tables.sqlite?mode=ro", uri=True)) as tables:
        for part, key in parts.items():
            rows = tables.execute(
                f"""select {key}, sum(s.reference_hi), sum(s.reference_lo)
                from sales_day s join country c on c.id = s.country_id group by 1"""
            )
            sums = {name: (Decimal(high * 2**32 + low).scaleb(-5),) for name, high, low in rows}
            found.compare_all(f"reference by {part}", sums, expected.reference_by[part], (Decimal(0),))


def ingest(till, *files):
    """Runs `till ingest invoices FILES --to URL` and returns what it printed."""
    command = [os.environ["TILL_BIN"], "ingest", "invoices", *map(str, files), "--to", till.url]
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=600, check=False)
    assert done.returncode == 0, f"{command} ended with {done.returncode}:\n{done.stdout}{done.stderr}"
    return done.stdout + done.stderr


def duplicates_reported(report):
    """The number of duplicates that a report names, with or without thousands separators; None when it names none."""
    match = re.search(r"([\d,]+) duplicates?\b|\bduplicates?\b\W{0,4}([\d,]+)", report)
    return int((match[1] or match[2]).replace(",", "")) if match else None


def rows_of(path):
    """The header and the rows of the file as they are written; a row is one line here, which is checked."""
    with gzip.open(path, "rt", encoding="utf-8", newline="") as file:
        header, *rows = file.readlines()
    assert all(row.count('"') % 2 == 0 for row in rows), (
        "a quoted field spans lines; split the file by csv rows instead"
    )
    if not rows[-1].endswith("\n"):
        rows[-1] += "\n"
    return header, rows


def write(path, header, rows):
    with open(path, "w", encoding="utf-8", newline="") as file:
        file.writelines([header, *rows])
    return path


def load_plain(till, answers, expected, directory):
    ingest(till, DATA)


def load_shuffled(till, answers, expected, directory):
    header, rows = rows_of(DATA)
    random.Random(SEED).shuffle(rows)
    ingest(till, write(directory / "shuffled.csv", header, rows))


def load_twice(till, answers, expected, directory):
    ingest(till, DATA)
    first = answers.settle()
    report = ingest(till, DATA)
    second = answers.settle()
    assert duplicates_reported(report) == expected.rows, f"the second load is all duplicates, but says:\n{report}"
    assert second["distinct"] == first["distinct"], "the second load added records"


def load_split(till, answers, expected, directory):
    """Dealt like cards, so that true repeats of a row end up in different files: parts of one export."""
    header, rows = rows_of(DATA)
    ingest(till, *(write(directory / f"part{n}.csv", header, rows[n::3]) for n in range(3)), "--parts")


@pytest.mark.parametrize(
    "load", [load_plain, load_shuffled, load_twice, load_split], ids=lambda load: load.__name__[5:]
)
def test_figures_equal_the_file(till, expected, tmp_path, load):
    answers = Answers(till.url)
    load(till, answers, expected, tmp_path)
    totals = answers.settle()

    found = Differences()
    found.compare("distinct records", totals["distinct"], expected.rows)
    found.compare("quarantined and parked", (totals["quarantined"], totals["parked"]), (0, 0))
    for compare in (
        compare_totals, compare_over_time, compare_products, compare_filtered, compare_customers, compare_cancellations,
    ):  # fmt: skip
        compare(found, answers, expected)
    compare_reference(found, answers, expected)
    if not till.is_external:
        compare_stored_reference(found, till.data, expected)
    assert not found, f"{len(found)} differences:\n" + "\n".join(found[:40])


def test_the_file_is_as_the_expectation_assumes(expected):
    """One customer and one country an invoice, plain decimals of at most five digits, no day crossed by an invoice."""
    assert expected.one(
        "select count(*) from raw where not regexp_full_match(\"Price\", '-?[0-9]+([.][0-9]{1,5})?')"
    ) == (0,)
    assert expected.one("select count(*) from raw where not regexp_full_match(\"Quantity\", '-?[1-9][0-9]*')") == (0,)
    for column in ("coalesce(customer, '')", "country", "day"):
        several = f"select invoice from line group by invoice having count(distinct {column}) > 1"
        assert expected.all(several) == [], f"an invoice with several values of {column}"


def test_the_expectation_adds_up(expected):
    """Periods and countries sum to the totals; both definitions differ by the lines that only one of them counts."""
    for parts in (expected.by_day, expected.by_month, expected.by_country):
        for index, name in enumerate(FIGURES):
            assert sum(figures[index] for figures in parts.values()) == expected.totals[index], name
    gross, returns, net, *_ = expected.totals
    assert net == gross - returns
    (only_reference,) = expected.one(
        "select coalesce(sum(amount), 0) from line where invoice not like 'C%' and kind <> 'gross'"
    )
    assert expected.reference - gross == only_reference
    for parts in (*expected.reference_by.values(), expected.reference_by_time):
        assert sum(amount for (amount,) in parts.values()) == expected.reference
    assert len(expected.reference_by["day"]) > 250 and len(expected.reference_top) == 10
    assert expected.one("select coalesce(sum(amount), 0) from line") == (net + expected.adjustments,)
    assert len(expected.top) == 10 and expected.by_customer and expected.cancellations


def test_a_float_is_refused(expected):
    with pytest.raises(AssertionError, match="binary float"):
        expected.all("select sum(cast(amount as double)) from line")
    with pytest.raises(AssertionError, match="fraction"):
        json.loads('{"gross": 1.5}', parse_float=no_float)


@pytest.mark.parametrize(
    ("report", "number"),
    [("525,461 duplicates", 525461), ("duplicates: 12", 12), ("1 duplicate", 1), ("read 5", None)],
)
def test_duplicates_are_found_in_a_report(report, number):
    assert duplicates_reported(report) == number
