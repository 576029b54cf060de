"""The scripted trade of the mutant tests: small, and with everything that till can get wrong in it.

Every request is folded before the next one is sent, except where the script holds the tables' writer on purpose. The
script looks at no answer's content: under a mutant, records are missing or counted twice.
"""

import contextlib
import json
import sqlite3
import time
from pathlib import Path

from conftest import ROOT, Till
from retail_records import PIE, SOUP, TEA, order, restaurant, sale, user
from support import JSON, line

DAY = 86_400
IDLE_SECONDS = 2


def contract(directory, name, version, *changes):
    """A built-in contract with some text replaced, as a file."""
    text = (ROOT / f"Contracts/{name}.yaml").read_text()
    for old, new in (("version: 1\n", f"version: {version}\n"), *changes):
        assert old in text, (name, old)
        text = text.replace(old, new)
    path = directory / f"{name}-{version}.yaml"
    path.write_text(text)
    return path.name


class Trade:
    """One till on one directory, and what it is sent."""

    def __init__(self, directory, binary, environment):
        self.directory = Path(directory)
        # The compatible path would count the feed under its own window policy, which till refuses.
        arguments = ["--config", "till.yaml", "--compatibility.pos", "off"]
        self.till = Till(directory, binary=binary, arguments=arguments, environment=environment)

    def run(self):
        self.start(1)
        self.invoices()
        self.orders()
        self.menus()
        self.sales()
        self.rejected()
        self.restart(2)
        self.redriven_twice()
        self.restart(3)
        self.redriven_at_last()
        self.settle()
        assert self.till.stop() == 0

    def start(self, version):
        """Each version of the contracts accepts more cashiers; the second also smaller bonuses."""
        idle = ("window_idle_seconds: 30", f"window_idle_seconds: {IDLE_SECONDS}")
        cashiers = ("cashiers_max: 8", f"cashiers_max: {(8, 12, 16)[version - 1]}")
        bonus = ("check: bonus_grant >= 0", f"check: bonus_grant >= {0 if version == 1 else -100}")
        files = [
            contract(self.directory, "pos", version, idle, cashiers),
            contract(self.directory, "orders", version, bonus),
        ]
        (self.directory / "till.yaml").write_text(f"contracts: [{', '.join(files)}]\n")
        self.till.start()

    def restart(self, version):
        self.settle()
        assert self.till.stop() == 0
        self.start(version)

    def settle(self):
        reply = self.till.get("/v1/status?after=latest&wait_ms=30000")
        assert reply.status == 200, f"{reply}\n{self.till.log_tail()}"

    def send(self, feed, *records, key=None, sender=None, sequence=None, run=None):
        headers = {"Idempotency-Key": key, "X-Till-Sender": sender, "X-Till-Sequence": sequence, "X-Till-Run": run}
        headers = {name: str(value) for name, value in headers.items() if value is not None}
        reply = self.till.post(feed, json.dumps(list(records)), headers=headers)
        assert reply.status in (202, 207, 422), reply
        self.settle()

    @contextlib.contextmanager
    def writer_held(self):
        """Nothing is folded meanwhile."""
        connection = sqlite3.connect(self.till.data / "tables.sqlite", timeout=30, isolation_level=None)
        try:
            connection.execute("BEGIN IMMEDIATE")
            yield
            connection.execute("ROLLBACK")
        finally:
            connection.close()

    # --- what is sent ---

    def invoices(self):
        """Sub-cent prices, summer time, duplicates, conflicts, cancellations, adjustments, older descriptions."""
        summer = {"InvoiceDate": "15/06/2010 23:40"}

        def sold(number, code, quantity, price, **changes):
            return line(InvoiceNo=number, StockCode=code, Quantity=quantity, UnitPrice=price, **summer, **changes)

        self.send("invoices", sold("I1", "A1", 3, 0.00125), sold("I1", "A2", 7, 2.55567), key="i1", run="night")
        self.send("invoices", sold("I1", "A1", 3, 0.00125), sold("I1", "A2", 7, 2.55567), key="i1", run="night")
        for price in (1.5, 1.25, 1.75, 1.3, 1.6):
            self.send("invoices", sold("I2", "A3", 2, price, client_line_no="1"))
        self.send("invoices", sold("CI1", "A1", -1, 0.5), key="c1")
        self.send("invoices", sold("AI1", "B", 1, -11.5, CustomerID=...), sold("I3", "POST", 1, 4.5), key="a1")
        self.send("invoices", line(InvoiceNo="I4", Description="OF TODAY", InvoiceDate="01/12/2010 08:26"), key="i4")
        self.send("invoices", line(InvoiceNo="I6", Quantity=0), line(InvoiceNo="I6"), key="i6")
        self.send("invoices", line(InvoiceNo="I5", Description="OF OLD", InvoiceDate="01/12/2009 08:26"), key="i5")

    def orders(self):
        """Parked and released, versions in both orders, conflicts, cancelled, changed lines, wrong cost."""
        self.send("orders", order(1, 0, 60), key="o1", run="evening")
        self.send("orders", order(1, 0, 60), key="o1", run="evening")
        self.send("orders", order(2, 5, 60, user="u9"), key="o2")
        self.send("orders", order(3, 9, 60, restaurant="r2", items=((PIE, 1),)), key="o3")
        self.send("restaurants", restaurant("r1", -90 * DAY, (SOUP, "Супы"), (TEA, "Напитки"), (PIE, "Выпечка")))
        self.send("users", user("u1", "Ольга"), user("u2", "Пётр"))
        self.send("users", user("u1", "Ольга прежняя", -DAY))
        self.send("orders", order(10, 20, 60, "OPEN"))
        self.send("orders", order(10, 20, 120, items=((SOUP, 3), (PIE, 1))))
        self.send("orders", order(10, 20, 180, items=((SOUP, 1), (PIE, 2))))
        self.send("orders", order(11, 30, 120, user="u2"))
        self.send("orders", order(11, 30, 180, "CANCELLED", user="u2"))
        self.send("orders", order(12, 40, 120, items=((PIE, 4),)))
        self.send("orders", order(12, 40, 30, "COOKING", items=((PIE, 2),)))
        self.send("orders", order(12, 40, 60, "OPEN", items=((PIE, 1),)))
        self.send("orders", order(12, 40, 120, items=((PIE, 4),)))
        for count in range(1, 7):
            self.send("orders", order(13, 50, 60, items=((TEA, count),)))
        self.send("orders", order(14, 60, 60, cost=1))
        self.send("orders", order(15, 70, 60, items=((SOUP, 0),)), key="o15")

    def menus(self):
        """Categories that change from an instant on, also one in the past, and two records of one instant."""
        self.send("orders", order(20, -20 * DAY, 60, user="u2"), order(21, -40 * DAY, 60, user="u2"))
        self.send("restaurants", restaurant("r1", -10 * DAY, (SOUP, "Первые блюда"), (TEA, "Чай и кофе")))
        self.send("restaurants", restaurant("r1", -30 * DAY, (SOUP, "Горячее"), (TEA, "Напитки")))
        for category in ("Суп дня", "Сезонное", "Зимнее"):
            self.send("restaurants", restaurant("r1", -25 * DAY, (SOUP, category), (TEA, "Напитки")))
        self.send("restaurants", restaurant("r1", DAY, (SOUP, "Завтрашнее"), (TEA, "Завтрашнее")))

    def sales(self):
        """Window boundaries, failed payments, a watermark, late sales, corrections, idle stores, gaps of sequences."""
        self.send("pos", sale("p1", 0), sale("p2", 3), sender="till-1", sequence=1)
        self.send("pos", sale("p3", 10), sale("p4", 19.999999), sender="till-1", sequence=2)
        self.send("pos", sale("p5", 11, payment_status="failed"), sender="till-1", sequence=4)
        self.send("pos", sale("p6", 12, payment_status="failure"), sender="till-1", sequence=8)
        self.send("pos", sale("p3", 10), sender="till-1", sequence=7)
        self.send("pos", sale("q1", 40, store_id="STORE_03"), sender="till-2", sequence=1)
        self.send("pos", sale("p7", 100), sender="till-1", sequence=9)
        self.send("pos", sale("p8", 5), sender="till-1", sequence=12)
        for count in range(1, 7):
            self.send("pos", sale("p2", 3, (("Brot", count, "2.49"),)), sender="till-1", sequence=12 + count)
        self.send("pos", sale("p9", 20, total_amount=9.99), sender="till-1", sequence=30)
        ahead = {"timestamp": "2099-01-01T00:00:00Z"}
        self.send("pos", sale("p10", 0, **ahead), sender="till-3", sequence=1)
        time.sleep(IDLE_SECONDS + 0.5)
        self.send("pos", sale("q2", 41, store_id="STORE_3"), sender="till-2", sequence=3)

    def rejected(self):
        """Twelve to sixteen cashiers, a bad bonus, and a user without a name; each sent twice."""
        for _ in range(2):
            for cashier in (11, 12, 15, 99):
                self.send("pos", sale(f"x{cashier}", 15, cashier_id=f"CASHIER_{cashier}"), key=f"x{cashier}", run="x")
            self.send(
                "orders", order(30, 80, 60, bonus_grant=-5), order(31, 90, 60, user="u3", bonus_grant=-5), key="x"
            )
            self.send("users", {"_id": "u4", "update_ts_utc": "2025-01-01 00:00:00"}, key="u4")

    def redriven_twice(self):
        """The same entries go into the log twice before the first redrive is folded; one is given up, also twice."""
        with self.writer_held():
            for _ in range(2):
                self.redrive("pos")
        self.settle()
        self.redrive("orders")
        self.settle()
        self.send("users", user("u3", "Вера"))
        entries = self.till.get("/v1/quarantine?feed=pos").json["items"]
        given_up = [entry["id"] for entry in entries if b"CASHIER_99" in json.dumps(entry).encode()]
        with self.writer_held():
            for _ in range(2 if given_up else 0):
                self.quarantine("discard", {"ids": [int(given_up[0])]})
        self.settle()

    def redriven_at_last(self):
        self.redrive("pos")
        self.settle()
        self.send("pos", sale("x11", 15, cashier_id="CASHIER_11"), sender="till-1", sequence=40)

    def redrive(self, feed):
        self.quarantine("redrive", {"feed": feed})

    def quarantine(self, action, selection):
        reply = self.till.request("POST", f"/v1/quarantine/{action}", selection, JSON)
        assert reply.status == 202, reply
