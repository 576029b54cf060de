"""Senders that go on whatever the server answers, and remember what it answered: one invoice a request."""

import http.client
import json
import sqlite3
import threading
import time
from contextlib import closing
from decimal import Decimal

PENCE = Decimal("0.01")


def price(request, index):
    return (request * 31 + index * 7 + 1) % 9_973 * PENCE


class SteadyLoad:
    """`senders` threads; each request is one invoice of `lines` lines that nobody sends twice."""

    taken = (202,)

    def __init__(self, till, senders=2, lines=50, name="D"):
        self.till, self.lines, self.name = till, lines, name
        self.acknowledged, self.refused, self.unknown = {}, [], []
        self.lock, self.next = threading.Lock(), 0
        self.stopping = threading.Event()
        self.threads = [threading.Thread(target=self._send, daemon=True) for _ in range(senders)]

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self.stop()

    def stop(self):
        self.stopping.set()
        for thread in self.threads:
            thread.join(40)

    def invoice(self, request):
        return f"{self.name}{request}"

    def amount(self, request):
        return sum((index % 9 + 1) * price(request, index) for index in range(self.lines))

    def feed(self, request):
        return "invoices"

    def headers(self, request):
        return {}

    def body(self, request):
        return json.dumps(
            [
                {
                    "InvoiceNo": self.invoice(request), "StockCode": f"P{index % 50}", "Description": f"THING {index}",
                    "Quantity": index % 9 + 1, "InvoiceDate": f"{request % 28 + 1:02}/05/2011 10:{index % 60:02}",
                    "UnitPrice": float(price(request, index)), "CustomerID": 10_000 + request % 7,
                    "Country": "United Kingdom", "client_line_no": str(index + 1),
                }
                for index in range(self.lines)
            ]
        )  # fmt: skip

    def _send(self):
        while not self.stopping.is_set():
            with self.lock:
                request, self.next = self.next, self.next + 1
            try:
                reply = self.till.post(self.feed(request), self.body(request), headers=self.headers(request))
            except (OSError, http.client.HTTPException):
                self.unknown.append(request)
                time.sleep(0.05)
                continue
            with self.lock:
                if reply.status in self.taken:
                    self.acknowledged[request] = reply.json["position"]
                else:
                    self.refused.append((request, reply))
            if reply.status not in self.taken:
                time.sleep(0.02)

    def refusals(self, code):
        with self.lock:
            return [r for r, reply in self.refused if reply.status == 503 and reply.json["error"]["code"] == code]


def lines_by_invoice(data):
    """Invoice number → how many lines the tables have."""
    query = "select d.source_key, count(*) from document d join line l on l.document_id = d.id group by d.id"
    with closing(sqlite3.connect(f"file:{data}/tables.sqlite?mode=ro", uri=True)) as db:
        return dict(db.execute(query))


def sums(database):
    """Control totals, positions and money of a tables file, read without till."""
    wide = ("gross", "returns", "adjustments", "reference")
    with closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True)) as db:
        columns = ", ".join(f"sum({name}_hi), sum({name}_lo)" for name in wide)
        row = db.execute(f"select {columns}, sum(units), sum(orders) from sales_day").fetchone()
        cells = [value or 0 for value in row]
        money = {name: Decimal((cells[2 * i] << 32) + cells[2 * i + 1]) / 100_000 for i, name in enumerate(wide)}
        names = ("received", "distinct_events", "duplicates", "quarantined", "current", "superseded", "conflicting")
        control = db.execute(f"select {', '.join(f'sum({name})' for name in names)} from feed_total").fetchone()
        positions = {f"{t}/{p}": offset for t, p, offset in db.execute("select * from till_position")}
        schema = db.execute("pragma user_version").fetchone()[0]
    control = dict(zip(names, (value or 0 for value in control), strict=True))
    return {
        "schema": schema, "positions": positions, "control": control, "money": money,
        "units": cells[-2], "orders": cells[-1],
    }  # fmt: skip
