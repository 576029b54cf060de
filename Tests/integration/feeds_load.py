"""A steady load of all feeds: invoices, sales, orders that are counted or wait, and records that are rejected."""

import json
import sqlite3
from collections import Counter
from contextlib import closing

from retail_records import PIE, SOUP, TEA, order, restaurant, sale, sale_id, user
from steady_load import SteadyLoad
from support import totals

RECORDS = 40
NOBODY = "nobody"


def send_references(till):
    menu = ((SOUP, "Супы"), (TEA, "Напитки"), (PIE, "Выпечка"))
    for feed, record in (("users", user("u1", "Ольга")), ("restaurants", restaurant("r1", 0, *menu))):
        reply = till.post(feed, json.dumps(record))
        assert reply.status == 202, reply
    totals(till)


class FeedsLoad(SteadyLoad):
    """Requests in turn: an invoice, sales with a rejected one, orders, orders of a user that nobody sends."""

    taken = (202, 207)

    def feed(self, request):
        return ("invoices", "pos", "orders", "orders")[request % 4]

    def headers(self, request):
        return {"X-Till-Sender": f"till-{request % 3}", "X-Till-Sequence": str(request)}

    def waits(self, request):
        return request % 4 == 3

    def numbers(self, request):
        return [request * RECORDS + n + 1 for n in range(RECORDS)]

    def sales(self, request):
        return [(self.name, request, n) for n in range(RECORDS)]

    def body(self, request):
        match self.feed(request):
            case "invoices":
                return super().body(request)
            case "pos":
                records = [sale(name, request * 0.5 + n * 0.1) for n, name in enumerate(self.sales(request))]
                records.append(sale((self.name, request, "bad"), 0, store_id="STORE_77"))
            case "orders":
                buyer = NOBODY if self.waits(request) else "u1"
                records = [order(number, number % 900, 60, user=buyer) for number in self.numbers(request)]
        return json.dumps(records)

    def size(self, request):
        """Records of a request."""
        return {"invoices": self.lines, "pos": RECORDS + 1, "orders": RECORDS}[self.feed(request)]

    def documents(self, request):
        """What the tables have of it when it was stored: documents, with the lines of each."""
        match self.feed(request):
            case "invoices":
                return {("invoices", self.invoice(request)): self.lines}
            case "pos":
                return {("pos", sale_id(name)): 1 for name in self.sales(request)}
        return {} if self.waits(request) else {("orders", str(number)): 2 for number in self.numbers(request)}


def stored_documents(data):
    """Source and key of every document with the number of its lines; how many records each other table holds."""
    query = "SELECT source, source_key, count(*) FROM document d JOIN line l ON l.document_id = d.id GROUP BY d.id"
    with closing(sqlite3.connect(f"file:{data}/tables.sqlite?mode=ro", uri=True)) as tables:
        documents = {(source, key): count for source, key, count in tables.execute(query)}
        counts = {
            name: tables.execute(f"SELECT count(*) FROM {name}").fetchone()[0] for name in ("parked", "quarantine")
        }
    return documents, counts


def check_feeds(till, load):
    """Everything acknowledged is there once; nothing that was refused is. Without requests whose answer was lost."""
    assert not load.unknown
    said = totals(till)
    found, counts = stored_documents(till.data)
    wanted = Counter()
    for request in load.acknowledged:
        wanted.update(load.documents(request))
    assert found == dict(wanted)
    waiting = sum(load.waits(request) for request in load.acknowledged)
    rejected = sum(load.feed(request) == "pos" for request in load.acknowledged)
    assert counts == {"parked": RECORDS * waiting, "quarantine": rejected}
    assert {load.feed(request) for request in load.acknowledged} == {"invoices", "pos", "orders"} and waiting
    assert said["received"] == sum(load.size(request) for request in load.acknowledged) + 2
