"""What stands together is of one position: in each answer of /v1/overview, and on the page, while records arrive."""

import threading
import time
from decimal import Decimal

import pytest
from support import line, new_till, running

LOOKS = 30


@pytest.fixture
def busy(directory):
    """A till that takes sales without a return or adjustment: every total is the gross total, at every moment."""
    with running(new_till(directory)) as till:
        stop = threading.Event()

        def send():
            number = 0
            while not stop.is_set():
                lines = [
                    line(InvoiceNo=f"7{number:06}{n}", StockCode=f"P{n}", Quantity=1, UnitPrice=1.25,
                         client_line_no="1", InvoiceDate=f"{1 + n:02}/12/2010 08:26")
                    for n in range(5)
                ]  # fmt: skip
                assert till.post("invoices", lines).json["accepted"] == len(lines)
                number += 1
                time.sleep(0.005)

        thread = threading.Thread(target=send)
        thread.start()
        try:
            yield till
        finally:
            stop.set()
            thread.join()


def test_every_answer_is_of_one_position(busy):
    positions = set()
    deadline = time.monotonic() + 60
    while len(positions) < LOOKS and time.monotonic() < deadline:
        found = busy.get("/v1/overview?grain=day").json
        for total in found["totals"]:
            gross = Decimal(total["gross"])
            assert Decimal(total["reference"]) == Decimal(total["net"]) == gross
            assert sum(Decimal(one["gross"]) for one in found["time"]["items"]) == gross
            assert sum(Decimal(one["gross"]) for one in found["products"]["items"]) == gross
            assert sum(one["orders"] for one in found["loyal"]["top"]) in (0, total["orders"])
            records = int(found["position"].split("feed.invoices/0:")[1].split(",")[0])
            assert gross == Decimal("1.25") * records, "the position is the one of the figures"
        positions.add(found["position"])
    assert len(positions) == LOOKS, "the figures move"


def test_the_page_never_shows_tiles_of_two_positions(busy, chromium):
    chromium.size(1280, 900)
    chromium.open(busy.url + "/")
    chromium.js("""(() => {
        window.looks = []; window.seen = new Set();
        const look = () => {
          const text = (id) => document.querySelector(id)?.textContent ?? "";
          const [gross, reference] = [text("#total-gross"), text("#total-reference")];
          const time = text("#time-table tfoot td:nth-of-type(1)") || text("#time-table tfoot tr :nth-child(2)");
          window.seen.add(gross);
          if (gross !== reference || (time && time !== gross)) window.looks.push([gross, reference, time]);
        };
        setInterval(look, 3); // tasks see what a person sees: all that one answer changed
    })()""")
    deadline = time.monotonic() + 60
    while chromium.js("window.seen.size") < 6 and time.monotonic() < deadline:
        time.sleep(0.2)
    assert chromium.js("window.seen.size") >= 6, "the figures move"
    assert chromium.js("JSON.stringify(window.looks.slice(0, 5))") == "[]"
