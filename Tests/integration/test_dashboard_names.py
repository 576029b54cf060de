"""The dashboard with names as long as contracts allow them, at the width of a phone."""

import pytest
from conftest import wait_until
from messages import at, sale, send
from support import line, new_till, running, totals

LONG = "W" * 250


@pytest.fixture
def till(directory):
    with running(new_till(directory)) as till:
        for number in range(3):
            sold = line(
                InvoiceNo=f"77{number}", Description=LONG[:200], CustomerID=77, Country="K" * 60, client_line_no="1"
            )
            reply = till.post("invoices", {**sold, "customerName": LONG}, headers={"X-Till-Sender": "S" * 60})
            assert reply.status == 202 and reply.json["accepted"] == 1, reply
        send(till, "pos", sale("STORE_1", at(1), 1.5))
        assert till.post("pos", sale("STORE_" + "9" * 250, at(2), 1.5)).status == 422
        totals(till)
        yield till


@pytest.mark.parametrize("width", [390, 1280])
def test_long_names_stay_on_the_page(till, chromium, width, tmp_path):
    chromium.size(width, 900, mobile=width < 500)
    chromium.open(till.url + "/")
    wait_until(lambda: "W" * 30 in (chromium.text("#loyal-table") or ""), 15, "the long name")
    wait_until(lambda: "9" * 30 in (chromium.text("body") or ""), 15, "the quarantine")
    chromium.js("document.querySelectorAll('details').forEach((d) => { d.open = true; })")
    wide = """[...document.querySelectorAll('body *')].filter((n) => n.getBoundingClientRect().right > @ + 1
      && !n.closest('.scroll')).slice(0, 5).map((n) => `${n.tagName}.${n.className}#${n.id}`).join()"""
    chromium.screenshot(tmp_path / "names.png")
    assert chromium.js("document.documentElement.scrollWidth") <= width, chromium.js(wide.replace("@", str(width)))
