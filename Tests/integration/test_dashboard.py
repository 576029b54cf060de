"""The dashboard in a real browser: figures, live update without a reload, look-up by keyboard, small screens.

Amounts are asserted as differences, so the tests also pass against a server that already holds data (TILL_URL).
"""

import time
import uuid
from decimal import Decimal

import pytest
from conftest import wait_until
from messages import sale

LAPTOP = (1280, 900)
PHONE = (390, 844)


def line(invoice, customer, quantity, price, name="Ada Test", code="85123A"):
    return {
        "customerName": name,
        "InvoiceNo": invoice,
        "StockCode": code,
        "Description": "WHITE HANGING HEART",
        "Quantity": quantity,
        "InvoiceDate": "01/12/2010 08:26",
        "UnitPrice": price,
        "CustomerID": customer,
        "Country": "United Kingdom",
    }


def sell(till, *lines):
    reply = till.post("invoices", list(lines))
    assert reply.status == 202, reply
    assert reply.json["accepted"] == len(lines), reply
    return reply.json["position"]


def amount(text):
    """ "−£1,234.50" → Decimal("-1234.50"), None when no amount is shown."""
    digits = (text or "").replace("\u2212", "-").replace(",", "").replace("£", "")
    return Decimal(digits) if digits.strip("-–").strip() else None


def shown(chromium, name):
    return amount(chromium.text(f"#total-{name}"))


def api_total(till, position):
    totals = till.get(f"/v1/sales/total?definition=native&after={position}").json["totals"]
    return next(total for total in totals if total["currency"] == "GBP")


@pytest.fixture
def customer():
    """Unlike any customer of the public data."""
    return 900_000 + uuid.uuid4().int % 90_000


@pytest.fixture
def invoice():
    return str(7_000_000 + uuid.uuid4().int % 1_000_000)


@pytest.fixture
def page(till, chromium, tmp_path, invoice, customer):
    """The dashboard, open and live, after a first sale of 15.30 (6 × 2.55)."""
    position = sell(till, line(invoice, customer, 6, 2.55))
    expected = Decimal(api_total(till, position)["gross"])
    chromium.size(*LAPTOP)
    chromium.open(till.url + "/")
    wait_until(lambda: chromium.text("#connection") == "Live", 15, "the live connection")
    wait_until(lambda: shown(chromium, "gross") == expected, 15, f"gross sales of {expected}")
    yield chromium
    chromium.screenshot(tmp_path / "at-the-end.png")
    print(f"screenshots: {tmp_path}")
    assert chromium.errors == []


def test_shows_the_totals_of_the_api_to_the_last_digit(till, page, tmp_path):
    def differences():
        native = till.get("/v1/sales/total?definition=native").json["totals"][0]
        reference = till.get("/v1/sales/total?definition=reference").json["totals"][0]
        expected = {name: native[name] for name in ("gross", "returns", "net", "adjustments")} | {
            "reference": reference["sales"]
        }
        return {
            name: (text, page.text(f"#total-{name}"))
            for name, text in expected.items()
            if Decimal(text) != shown(page, name) or text.count(".") != page.text(f"#total-{name}").count(".")
        }

    wait_until(lambda: not differences(), 10, "equal totals")
    page.screenshot(tmp_path / "laptop.png")


def test_a_sale_changes_the_page_without_a_reload(till, page, invoice, customer):
    before = shown(page, "gross")
    periods = page.text("#time-table tfoot")
    page.js("window.marker = 'still here'")
    sell(till, line(f"{invoice}1", customer, 2, 10))
    wait_until(lambda: shown(page, "gross") == before + 20, 5, "20.00 more in gross sales")
    wait_until(lambda: page.text("#time-table tfoot") != periods, 10, "sales over time to follow")
    assert page.js("window.marker") == "still here"


def loyal_of(page):
    """Customers with more than one order, as the tile says it: `12 (3.4 %)`."""
    text = page.js(
        "[...document.querySelectorAll('#loyal-stats dt')]"
        ".find(n => n.textContent === 'Loyal')?.parentElement.querySelector('dd').textContent"
    )
    return int(text.split(" ")[0].replace(",", "")) if text else None


def test_every_tile_follows_without_a_reload(till, page, invoice, customer):
    """Top products, cancelled orders and loyal customers, each as the API says it."""
    code = f"T{invoice}"
    best = Decimal(till.get("/v1/products/top?limit=1").json["items"][0]["gross"])
    loyal = till.get("/v1/customers/summary").json["loyal_customers"]
    assert code not in page.text("#products-table") and f"C{invoice}" not in page.text("#cancelled-table")
    wait_until(lambda: loyal_of(page) == loyal, 10, "the loyal customers")
    page.js("window.marker = 'still here'")
    sell(
        till,
        line(f"{invoice}2", customer, 1, float(best) + 1000, code=code),
        {**line(f"C{invoice}", customer, -1, 2.55), "InvoiceDate": "09/12/2011 12:50"},
    )
    wait_until(lambda: code in page.text("#products-table tbody tr"), 10, "the new product to be the first")
    wait_until(lambda: f"C{invoice}" in page.text("#cancelled-table"), 10, "the cancelled order")
    wait_until(lambda: loyal_of(page) == loyal + 1, 10, "one loyal customer more")
    summary = till.get("/v1/customers/summary").json
    assert summary["loyal_customers"] == loyal + 1, "the customer has a second order now"
    assert page.js("window.marker") == "still here"


def test_the_filter_of_date_and_country_holds_for_every_tile(till, page, invoice, customer):
    land = f"Land {invoice}"
    here = {**line(f"{invoice}3", customer, 2, 10, code="HERE"), "Country": land}
    there = {**line(f"{invoice}4", customer, 3, 10, code="THERE"), "Country": "Elsewhere"}
    late = {**line(f"{invoice}5", customer, 7, 10, code="LATER"), "Country": land, "InvoiceDate": "05/12/2010 08:26"}
    back = {**line(f"C{invoice}6", customer, -1, 10, code="HERE"), "Country": land}
    position = sell(till, here, there, late, back)
    assert till.get(f"/v1/countries?after={position}&wait_ms=10000").status == 200, "the country is known"
    page.js(
        f"(f => {{ f.country.value = '{land}'; f.from.value = '2010-12-01'; f.to.value = '2010-12-02';"
        " f.requestSubmit(); })(document.querySelector('#filter'))"
    )
    wait_until(lambda: shown(page, "gross") == 20, 10, "gross sales of the filter")
    assert (shown(page, "net"), shown(page, "returns"), shown(page, "average")) == (10, 10, 20)
    wait_until(lambda: "HERE" in page.text("#products-table"), 10, "the product of the filter")
    assert not {"THERE", "LATER", "85123A"} & set(page.text("#products-table").split())
    wait_until(lambda: f"C{invoice}6" in page.text("#cancelled-table"), 10, "the cancelled order of the filter")
    wait_until(lambda: "20.00" in page.text("#time-table tfoot"), 10, "sales over time of the filter")
    wait_until(lambda: loyal_of(page) == 0, 10, "nobody who ordered twice")
    for tile in ("totals", "time", "products", "cancelled", "loyal"):
        assert page.text(f"#{tile}-scope") == f"Filtered: 2010-12-01 to 2010-12-02, {land}"
    # A live sale elsewhere changes nothing here, not even for a moment; one of the filter does.
    page.js(
        "window.seen = []; new MutationObserver(() => window.seen.push("
        "document.querySelector('#total-gross').textContent)).observe("
        "document.querySelector('#totals'), {childList: true, subtree: true, characterData: true})"
    )
    received = page.text("#live-counts dd")
    sell(till, {**line(f"{invoice}7", customer, 1, 1000), "Country": "Elsewhere"})
    wait_until(lambda: page.text("#live-counts dd") != received, 10, "the page to have read again")
    sell(till, {**line(f"{invoice}8", customer, 1, 5), "Country": land})
    wait_until(lambda: shown(page, "gross") == 25, 10, "the sale of the filter")
    wait_until(lambda: loyal_of(page) == 1, 10, "a customer who ordered twice")
    assert {amount(text) for text in page.js("window.seen")} <= {20, 25}
    page.js("document.querySelector('#filter').reset()")
    wait_until(lambda: shown(page, "gross") > 1000, 10, "all data again")
    assert page.text("#totals-scope") == "All data"


def test_charts_have_the_currency_that_the_filter_leaves(till, page):
    """The currency of the charts changes by choice or when a filter leaves only another, never by itself."""
    for number in range(3):
        sold = sale("STORE_1", f"2024-11-15T10:00:0{number}Z", 7.0)
        assert till.post("pos", sold).status == 202
    wait_until(lambda: page.text("#total-gross-EUR") not in (None, "", "–"), 10, "euros")
    wait_until(lambda: "Sum GBP" in page.text("#time-table tfoot"), 10, "the sum in pounds, as before the euros")
    assert "€" not in page.text("#time-table"), "no rows of another currency above a sum"
    choose = "(s => { s.value = 'EUR'; s.dispatchEvent(new Event('change', {bubbles: true})); })"
    page.js(f"{choose}(document.querySelector('#currency-choice select'))")
    wait_until(lambda: "Sum EUR" in page.text("#time-table tfoot"), 10, "the sum in euros, which were chosen")
    assert "£" not in page.text("#time-table") and "£" not in page.text("#products-table")
    page.js("(f => { f.country.value = 'United Kingdom'; f.requestSubmit(); })(document.querySelector('#filter'))")
    wait_until(lambda: page.text("#time-scope") == "Filtered: United Kingdom", 10, "the filter")
    page.js("document.querySelector('#filter').reset()")
    wait_until(lambda: page.text("#time-scope") == "All data", 10, "all data")
    wait_until(lambda: "Sum GBP" in page.text("#time-table tfoot"), 10, "the sum in pounds, which the filter left")
    assert "undefined" not in page.text("#time-table")


def test_a_country_that_nobody_named_is_refused_at_its_field(page):
    said = "document.querySelector('#filter').country.validationMessage"
    page.js("(f => { f.country.value = 'United Kingdm'; f.requestSubmit(); })(document.querySelector('#filter'))")
    wait_until(lambda: "United Kingdm" in page.js(said) and "United Kingdom" in page.js(said), 10, "what is wrong")
    assert page.text("#totals-scope") == "All data", "no figures stand under a filter that is none"
    page.errors.clear()  # the refused request
    page.js(
        "(f => { f.country.value = 'United Kingdom'; f.dispatchEvent(new Event('input', {bubbles: true}));"
        " f.requestSubmit(); })(document.querySelector('#filter'))"
    )
    wait_until(lambda: page.text("#totals-scope") == "Filtered: United Kingdom", 10, "the filter")
    page.js("document.querySelector('#filter').reset()")
    wait_until(lambda: page.text("#totals-scope") == "All data", 10, "all data")


def test_a_return_lowers_net_and_leaves_gross(till, page, invoice, customer):
    gross, net = shown(page, "gross"), shown(page, "net")
    sell(till, line(f"C{invoice}", customer, -1, 2.55))
    wait_until(lambda: shown(page, "net") == net - Decimal("2.55"), 5, "2.55 less in net sales")
    assert shown(page, "gross") == gross


def test_finds_a_customer_by_keyboard_and_opens_an_invoice(till, page, invoice, customer, tmp_path):
    sell(till, line(f"C{invoice}", customer, -1, 2.55))
    page.focus("#search")
    page.type(str(customer))
    wait_until(lambda: page.text("#results-status") == "1 match.", 10, "one match")
    page.press("ArrowDown")
    wait_until(lambda: page.js("document.activeElement.closest('#results') !== null"), 5, "the focus in the results")
    page.press("Enter")

    def spend():
        return [
            amount(text)
            for text in page.js(
                "[...document.querySelectorAll('#customer-spend dd:not(.caption)')].slice(0, 3).map(n => n.textContent)"
            )
        ]

    expected = [Decimal("15.30"), Decimal("2.55"), Decimal("12.75")]
    wait_until(lambda: [abs(a) for a in spend()] == expected, 10, "gross, returns and net of the customer")
    assert invoice in page.text("#customer")
    page.focus(f"[data-key='order:invoices:{invoice}']")
    page.press("Enter")
    wait_until(lambda: "15.30" in (page.text("#invoice-body") or ""), 10, "the invoice")
    page.screenshot(tmp_path / "invoice.png", whole_page=False)
    page.press("Escape")
    assert page.js("document.querySelector('#invoice').open") is False


def test_drills_from_year_to_day_and_every_level_adds_up(page):
    page.js("document.querySelector('#grain input[value=year]').click()")
    first = "document.querySelector('#time-table [data-key^=\"period:2010\"]')?.textContent"
    wait_until(lambda: page.js(first) == "2010", 10, "the year 2010")

    def total():
        return page.text("#time-table tfoot td")

    page.focus("#time-table [data-key^='period:2010']")
    row = page.js("document.activeElement.closest('tr').children[1].textContent")
    for depth, start in enumerate(("Q4 2010", "Dec 2010", "W48 2010", "1 Dec 2010"), start=2):
        page.press("Enter")
        button = f"[...document.querySelectorAll('#time-table tbody th')].find(n => n.textContent === '{start}')"
        wait_until(lambda button=button: page.js(f"{button} !== undefined"), 10, start)
        assert page.js("document.querySelectorAll('#crumbs > :not([aria-hidden])').length") == depth
        assert total() == row, start
        row = page.js(f"{button}.nextElementSibling.textContent")
        page.js(f"{button}.querySelector('button')?.focus()")


def test_shows_quarantined_lines_as_text(till, page):
    bad = line("<img src=x onerror=alert(1)>", None, 0, 1)
    assert till.post("invoices", [bad]).status == 422
    page.js("document.querySelector('#quarantine-table').replaceChildren()")
    wait_until(lambda: "<img" in (page.text("#quarantine-table") or ""), 15, "the quarantined line")
    assert page.js("document.querySelectorAll('#quarantine-table img').length") == 0


def test_fits_a_phone(page, tmp_path):
    page.size(*PHONE, mobile=True)
    time.sleep(0.5)
    page.screenshot(tmp_path / "phone.png")
    wide = page.js(
        "[...document.body.querySelectorAll('*')].filter(n => !n.closest('.scroll') && !n.closest('.skip') &&"
        " n.getBoundingClientRect().right > innerWidth + 0.5).map(n => n.tagName + '#' + n.id)"
    )
    assert page.js("document.documentElement.scrollWidth") <= PHONE[0], wide
    assert wide == []


def test_says_when_the_connection_is_lost_and_recovers(till, page):
    if till.is_external:
        pytest.skip("needs a server that may be stopped")
    till.kill9()
    wait_until(lambda: "Disconnected" in page.text("#connection"), 10, "the disconnected state")
    till.start()
    wait_until(lambda: page.text("#connection") == "Live", 40, "the page to reconnect")
    page.errors.clear()  # the refused requests in between
