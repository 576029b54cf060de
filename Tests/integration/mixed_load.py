"""The mixed load of the kill loop: sales, orders and invoice lines, every request a function of (connection, request).

Run as a program it is kill_load.py with these requests. Of each connection's requests some repeat earlier ones, bring
older or newer versions, cancel, return goods (also before they were sold), are late, or hold a record that is rejected.
Reference data is not sent here: the test sends it late, so that orders park.
"""

import json
import sys
from functools import cache

import kill_load
from kill_load import Sender
from retail_records import PIE, SOUP, TEA, order, restaurant, sale, sale_id, user

TAKEN = (202, 207, 422)
MENU = (SOUP, TEA, PIE)
# Requests of one connection whose orders wait for the same users and restaurant.
EPOCH = 25
SECONDS_OF_EPOCH = 600


def feed_of(connection):
    return ("pos", "orders", "invoices", "orders")[connection % 4]


def epoch_of(request):
    return request // EPOCH


def references(epoch):
    """The users and the restaurant that the orders of an epoch wait for."""
    users = [user(f"u{epoch}-{n}", f"Гость {epoch}/{n}") for n in range(3)]
    menu = [(product, f"Раздел {(epoch + n) % 4}") for n, product in enumerate(MENU)]
    return users, restaurant(f"r{epoch}", epoch, *menu)


# --- orders: groups of five requests about the same one to three orders ---


def order_numbers(connection, request):
    group = request // 5
    return [1 + connection + 24 * (3 * group + n) for n in range(group % 3 + 1)]


def order_records(connection, request):
    """Version 3 comes before version 2; some are cancelled, repeated, or get a rival of the same version time."""
    group, step = divmod(request, 5)
    epoch = epoch_of(request - step)
    records = []
    for number in order_numbers(connection, request):
        known = {"user": f"u{epoch}-{number % 3}", "restaurant": f"r{epoch}"}
        seconds = epoch * SECONDS_OF_EPOCH + number % 599
        count = number % 4 + 1
        closed = order(number, seconds, 180, items=((SOUP, count), (PIE, 1)), **known)
        if step == 0:
            records.append(order(number, seconds, 60, "OPEN", items=((TEA, count),), **known))
        elif step == 1:
            records.append(closed)
        elif step == 2:
            records.append(order(number, seconds, 120, "COOKING", items=((SOUP, 1),), **known))
        elif step == 3 and group % 4 == 0:
            records.append(order(number, seconds, 240, "CANCELLED", items=((SOUP, count), (PIE, 1)), **known))
        elif step == 4 and group % 5 == 0:
            records.append(order(number, seconds, 180, items=((SOUP, count), (PIE, 1)), bonus_grant=7, **known))
        else:
            records.append(closed)
    if step == 3:
        records.append(order(900_000_000 + connection * 1_000_000 + request, 0, 60, items=((SOUP, 0),)))
    return records


# --- sales: late ones, failed ones, repeats, corrections, bad ones ---


def sale_records(connection, request):
    if request % 6 == 5:
        return sale_records(connection, request - 1)
    seconds = request * 0.4 - (200 if request % 11 == 4 else 0)
    store = f"STORE_{connection % 5 + 1}"
    records = []
    for n in range(request % 4 + 1):
        items = (("Milch", (request + n) % 3 + 1, "1.29"), ("Brot", n + 1, "2.49"))
        status = "failed" if request % 13 == 0 else "success"
        records.append(sale((connection, request, n), seconds, items, store_id=store, payment_status=status))
    if request % 6 == 3:
        # The first sale of the request before with another amount: which of the two wins is up to their hashes.
        former = sale_records(connection, request - 1)[0]
        name = (connection, request - 1, 0)
        assert former["transaction_id"] == sale_id(name)
        records.append(sale(name, seconds, (("Käse", 1, "3.99"),), store_id=store))
    if request % 7 == 2:
        records.append(sale((connection, request, "bad"), seconds, store_id="STORE_77"))
    return records


# --- invoice lines: sales, and what is returned of them before or after ---


def returned_request(request):
    """The request whose invoice a request's `C` invoice returns: one still to come, an earlier one, or none. Every
    request is named by one other at most, so every `C` invoice is of one request."""
    return {1: request + 2, 4: request - 2}.get(request % 5)


def invoice_records(connection, request):
    lines = list(kill_load.events(connection, request))
    target = returned_request(request)
    if target is not None:
        for line in list(kill_load.events(connection, target))[: request % 3 + 1]:
            number, quantity = f"C{line['InvoiceNo']}", line["Quantity"]
            lines.append({**line, "InvoiceNo": number, "Quantity": -max(1, quantity - request % 2)})
    if request % 7 == 6:
        # Goods taken back within a sale: a return on an invoice of its own kind.
        lines.append({**lines[0], "client_line_no": "back", "Quantity": -1})
    if request % 8 == 3:
        lines.append({**lines[0], "client_line_no": "0", "Quantity": 0})
    return lines


# --- all ---


@cache
def records(connection, request):
    feed = feed_of(connection)
    if feed == "pos":
        return sale_records(connection, request)
    if feed == "orders":
        return order_records(connection, request)
    return invoice_records(connection, request)


def is_bad(feed, record):
    if feed == "pos":
        return record["store_id"] == "STORE_77"
    if feed == "orders":
        return record["payload"]["order_items"][0]["quantity"] == 0
    return record["Quantity"] == 0


def headers(connection, request):
    """Sequences skip a number now and then. The key makes a repeated request's records the same ones."""
    return {
        "X-Till-Sender": f"till-{connection}",
        "X-Till-Sequence": str(request + request // 17),
        "X-Till-Run": f"run-{(connection + request) % 3}",
        "Idempotency-Key": f"{connection}/{request}",
    }


def http_request(connection, request):
    body = json.dumps(records(connection, request)).encode()
    head = [f"POST /v1/feeds/{feed_of(connection)} HTTP/1.1", "Host: localhost", "Content-Type: application/json"]
    head += [f"Content-Length: {len(body)}"]
    head += [f"{name}: {value}" for name, value in headers(connection, request).items()]
    return "\r\n".join([*head, "", ""]).encode() + body


if __name__ == "__main__":
    kill_load.main([Sender(number, http_request, TAKEN) for number in range(*map(int, sys.argv[1:3]))])
