"""Turnover, counters, quarantine, senders, reference data and the proof on the page, in a real browser."""

import time

import pytest
from conftest import ROOT, wait_until
from messages import MENU, at, changed_contract, order, restaurant, sale, send, user
from support import ended, line, new_till, till_command, totals

LAPTOP = (1366, 900)
PHONE = (390, 844)


@pytest.fixture
def till(directory):
    till = new_till(directory)
    try:
        yield till.start()
    finally:
        till.kill9()


@pytest.fixture
def page(till, chromium, tmp_path):
    chromium.size(*LAPTOP)
    chromium.open(till.url + "/")
    wait_until(lambda: chromium.text("#connection") == "Live", 15, "the live connection")
    chromium.js("window.marker = 'still here'")
    yield chromium
    chromium.screenshot(tmp_path / "at-the-end.png")
    assert chromium.js("window.marker") == "still here", "the page was not loaded again"
    assert chromium.errors == []


def is_hidden(page, panel):
    return page.js(f"document.querySelector('#{panel}').hidden")


def shows(page, selector, text, seconds=15):
    wait_until(lambda: text in (page.text(selector) or ""), seconds, f"{text!r} in {selector}")


def reject(till, *sales):
    assert till.post("pos", list(sales)).status == 422


def test_sections_are_hidden_until_there_is_data(page):
    time.sleep(1.5)
    assert all(is_hidden(page, f"{name}-panel") for name in ("turnover", "senders", "held", "proof"))
    assert "Nothing waits" in page.text("#quarantine-table") and page.text("#quarantine-scope") == "Nothing open"


def test_charts_show_the_currency_that_is_chosen(till, page):
    send(till, "pos", sale("STORE_1", at(1), 12.5), sale("STORE_1", at(2), 7.5))
    chart = "document.querySelector('#time-chart').getAttribute('aria-label')"
    wait_until(lambda: "in EUR" in (page.js(chart) or ""), 15, "the chart of the only currency")
    assert page.js("document.querySelector('#currency-choice').hidden"), "one currency is nothing to choose from"
    assert till.post("invoices", line()).status == 202
    wait_until(lambda: not page.js("document.querySelector('#currency-choice').hidden"), 15, "the choice")
    select = "document.querySelector('#currency-choice select')"
    assert page.js(f"[...{select}.options].map(o => o.value).join()") == "EUR,GBP"
    assert page.js(f"{select}.value") == "EUR", "the one with most orders"
    page.js(f"{select}.value = 'GBP'; {select}.dispatchEvent(new Event('change', {{bubbles: true}}))")
    wait_until(lambda: "in GBP" in page.js(chart), 15, "the chart of the chosen currency")
    send(till, "pos", sale("STORE_1", at(3), 1))
    shows(page, "#totals", "€21.00")
    assert "in GBP" in page.js(chart) and page.js(f"{select}.value") == "GBP", "a live figure changes no choice"
    page.js("document.querySelector('#filter').reset()")
    send(till, "pos", sale("STORE_1", at(4), 1))
    shows(page, "#totals", "€22.00")
    assert "in GBP" in page.js(chart) and page.js(f"{select}.value") == "GBP", "nor does another filter"


def test_a_sale_shows_as_a_window(till, page):
    send(till, "pos", sale("STORE_1", at(1), 12.5))
    shows(page, "[data-store='pos:STORE_1'] .value", "€12.50")
    shows(page, "[data-store='pos:STORE_1'] .caption", "Open")
    assert page.js("document.querySelectorAll('[data-store=\"pos:STORE_1\"] rect.window-open').length") == 1
    send(till, "pos", sale("STORE_1", at(3), 7.5))
    shows(page, "[data-store='pos:STORE_1'] .value", "€20.00")
    # Published, then corrected: another symbol and words, not only another colour.
    send(till, "pos", sale("STORE_1", at(45), 1))
    shows(page, "[data-store='pos:STORE_1'] .value", "€1.00")
    wait_until(lambda: page.js("document.querySelectorAll('.windows .window-published').length") == 1, 10, "a bar")
    send(till, "pos", sale("STORE_1", at(4), 2))
    shows(page, "#turnover-revisions", "€22.00")
    shows(page, "#turnover-revisions", "▲ +€2.00")
    shows(page, "#turnover-revisions", "Late sale")
    wait_until(lambda: page.js("document.querySelectorAll('.windows .window-revised').length") == 1, 10, "a mark")
    page.focus("[data-store='pos:STORE_1'] summary")
    page.press("Enter")
    shows(page, "[data-store='pos:STORE_1'] table", "▲ Revision 2, 1 late")
    send(till, "pos", sale("STORE_2", at(46), 3))
    shows(page, "[data-store='pos:STORE_2'] .value", "€3.00")
    assert page.js("document.querySelector('[data-store=\"pos:STORE_1\"] details').open"), "what is open stays open"


def test_redrive_by_keyboard_confirms_and_counts_without_a_reload(till, page, directory):
    reject(till, sale("STORE_12", at(2), 2.5), sale("STORE_15", at(3), 3.5))
    shows(page, "#quarantine-rules", "store_range")
    entry = "#quarantine-table button[data-key^='entry:']"
    page.focus(entry)
    page.press("Enter")
    shows(page, "#quarantine-result", "✗ Entry 2 is rejected again: store_id: Store ID must be")
    till.stop()
    till.arguments = ["--config", changed_contract(directory, ROOT, "pos", "stores_max: 10", "stores_max: 20")]
    till.start()
    wait_until(lambda: page.text("#connection") == "Live", 40, "the page to reconnect")
    page.errors.clear()  # the refused requests in between
    page.focus(entry)
    page.press(" ")
    shows(page, "#quarantine-result", "✓ Entry 2 is accepted")
    shows(page, "[data-store='pos:STORE_15'] .value", "€3.50")
    page.focus("#quarantine-rules button[data-key='rule:pos:store_range']")
    page.press("Enter")
    shows(page, "#quarantine-result", "✓ 1 entry judged again for store_range; none is left.")
    shows(page, "[data-store='pos:STORE_12'] .value", "€2.50")
    wait_until(lambda: page.text("#quarantine-scope") == "Nothing open", 10, "an empty quarantine")
    assert page.js("document.activeElement.id") == "quarantine-result", "the focus is not lost with the button"
    assert totals(till)["distinct"] == 2 and totals(till)["quarantined"] == 0
    page.js("document.querySelector('#quarantine-resolved').click()")
    shows(page, "#quarantine-table", "✓ Resolved")


def test_the_look_up_shows_what_a_customer_orders_most(till, page):
    send(till, "users", user("u1", "Anna"))
    send(till, "restaurants", restaurant("r1", "Kitchen", MENU))
    send(till, "orders", order(1, "u1", "r1", MENU, ["p1", "p2"]), order(2, "u1", "r1", MENU, ["p1"]))
    shows(page, "#results", "Anna")
    page.focus("[data-key='result:orders:u1']")
    page.press("Enter")
    shows(page, "#top-products tbody tr", "Borscht2")
    shows(page, "#top-categories tbody tr", "Soups2")
    send(till, "orders", order(3, "u1", "r1", MENU, ["p2"]), order(4, "u1", "r1", MENU, ["p2"]))
    shows(page, "#top-products tbody tr", "Solyanka3")


def test_an_invoice_customer_has_no_counters(till, page):
    assert till.post("invoices", line()).status == 202
    shows(page, "#results", "17850")
    page.focus("[data-key='result:invoices:17850']")
    page.press("Enter")
    shows(page, "#customer-spend", "£15.30")
    assert page.text("#top-products") is None


def test_senders_parked_and_conflicting_records(till, page):
    for number in (1, 2, 5):
        send(till, "pos", sale("STORE_1", at(number), 1), sender="till-7", sequence=number)
    shows(page, "#senders-table", "✗ 3-4 (2)")
    assert page.text("#senders-scope") == "1 of 1 with gaps"
    for number in (3, 4):
        send(till, "pos", sale("STORE_1", at(number), 1), sender="till-7", sequence=number)
    shows(page, "#senders-table", "✓ Nothing")
    send(till, "orders", order(1, "nobody", "r1", MENU, ["p1"]))
    send(till, "users", user("u2", "One"), user("u2", "Two"))
    shows(page, "#held-lists", "customer:orders:nobody")
    shows(page, "#held-lists", "customer orders:u2")
    shows(page, "#held-stats", "Parked1")


def test_the_last_proof_and_whether_it_adds_up(till, page):
    send(till, "pos", sale("STORE_1", at(1), 1), sale("STORE_1", at(2), 2))
    reject(till, sale("STORE_77", at(3), 3))
    totals(till)
    assert "0 differences" in ended(till_command("prove", "--data", till.data), 0)
    shows(page, "#proof-verdict", "✓ No difference")
    row = "[...document.querySelectorAll('#proof-table tbody tr')].find(r => r.textContent.startsWith('pos'))"
    assert page.js(f"{row}.textContent") == "pos✓ equal32010"
    # A report whose totals do not add up is shown as such.
    report = (till.data / "proof.json").read_text().replace('"differences":0', '"differences":3')
    (till.data / "proof.json").write_text(report.replace('"feed":"pos","received":3', '"feed":"pos","received":4'))
    send(till, "pos", sale("STORE_1", at(4), 2))
    shows(page, "#proof-verdict", "✗ 3 differences")
    shows(page, "#proof-table", "✗ differs")


def test_everything_fits_a_phone(till, page, tmp_path):
    reject(till, sale("STORE_12", at(2), 2.5))
    for store in range(1, 8):
        send(till, "pos", *(sale(f"STORE_{store}", at(second), second) for second in range(1, 90, 9)), sender="till-1")
    send(till, "orders", order(1, "a-user-with-a-long-key-1234567890", "r1", MENU, ["p1", "p2", "p3"]))
    send(till, "users", user("u2", "One"), user("u2", "Two"))
    totals(till)
    assert "0 differences" in ended(till_command("prove", "--data", till.data), 0)
    page.size(*PHONE, mobile=True)
    shows(page, "#proof-verdict", "✓")
    shows(page, "#held-lists", "a-user-with-a-long-key")
    time.sleep(1)
    page.screenshot(tmp_path / "phone.png")
    wide = page.js(
        "[...document.body.querySelectorAll('*')].filter(n => !n.closest('.scroll') && !n.closest('.skip') &&"
        " n.getBoundingClientRect().right > innerWidth + 0.5).map(n => n.tagName + '#' + n.id)"
    )
    assert page.js("document.documentElement.scrollWidth") <= PHONE[0], wide
    assert wide == []


def test_a_document_that_is_not_closed_says_so(till, page):
    send(till, "pos", sale("STORE_1", at(1), 10.0, customer_id="CUSTOMER_7", payment_status="failed"))
    shows(page, "#results", "CUSTOMER_7")
    page.focus("[data-key='result:pos:CUSTOMER_7']")
    page.press("Enter")
    shows(page, "#customer", "payment failed")
    wrong = sale("STORE_1", at(2), 10.0, customer_id="CUSTOMER_7")
    wrong["total_amount"] = 99.99
    send(till, "pos", wrong)
    number = wrong["transaction_id"]
    shows(page, "#customer", number)
    assert page.text("#customer").count("payment failed") == 1
    page.js(f"document.querySelector(\"[data-key='order:pos:{number}']\").click()")
    shows(page, "#invoice-body", "total corrected")
    assert "99.99" in page.text("#invoice-body") and "counts in no figure" not in page.text("#invoice-body")
