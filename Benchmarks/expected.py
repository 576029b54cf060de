"""What the tables must say of the generated traffic, computed a second time and in another way: plainly, in one pass.

Money is `Decimal` from the text of the file, instants are whole microseconds; nothing is rounded anywhere.
"""

import json
from collections import Counter
from datetime import UTC, datetime, timedelta
from decimal import Decimal

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)
WINDOW = 10_000_000  # settings of Contracts/pos.yaml, µs
LATENESS = 10_000_000


def micros(text):
    return (datetime.fromisoformat(text) - EPOCH) // MICROSECOND


def turnover(path):
    """Turnover by store and window of 10 s of the sales in `path`, and how many sales come after their window closed.

    Each id counts once, failed payments do not count, the total is the sum of the lines. A window is closed when its
    store has seen an event (of any kind) that is younger than its end by the allowed lateness.
    """
    seen, newest, windows, late = set(), {}, {}, 0
    with open(path, "rb") as source:
        for row in source:
            sale = json.loads(row, parse_float=Decimal)
            at, store = micros(sale["timestamp"]), sale["store_id"]
            start = at - at % WINDOW
            known = newest.get(store, at)
            newest[store] = max(known, at)
            if sale["transaction_id"] in seen:
                continue
            seen.add(sale["transaction_id"])
            if sale["payment_status"] != "success":
                continue
            late += start + WINDOW + LATENESS <= known
            window = windows.setdefault((store, start), [Decimal(0), 0])
            window[0] += sum((x["quantity"] * x["price_per_unit"] for x in sale["items"]), Decimal(0))
            window[1] += 1
    return {"windows": {key: (total, count) for key, (total, count) in windows.items()}, "late": late}


def counters(orders, restaurants):
    """Closed orders by user and product and by user and category, of the newest version of each order."""
    category = {}
    with open(restaurants, "rb") as source:
        for row in source:
            restaurant = json.loads(row)
            for item in restaurant["menu"]:
                if category.setdefault((restaurant["_id"], item["_id"]), item["category"]) != item["category"]:
                    raise ValueError("the generated menus are expected to name each product once")
    newest = {}
    with open(orders, "rb") as source:
        for row in source:
            order = json.loads(row)
            payload = order["payload"]
            products = frozenset(x["id"] for x in payload["order_items"])
            version = micros(payload["update_ts"])
            content = (payload["final_status"], payload["user"]["id"], payload["restaurant"]["id"], products)
            known = newest.get(order["object_id"])
            if known and known[0] == version and known[1] != content:
                raise ValueError("the generated versions of an order are expected to differ in time")
            if not known or known[0] < version:
                newest[order["object_id"]] = (version, content)
    by_product, by_category = Counter(), Counter()
    for _, (status, user, restaurant, products) in newest.values():
        if status == "CLOSED":
            by_product.update((user, product) for product in products)
            by_category.update((user, name) for name in {category[restaurant, product] for product in products})
    return {"product": dict(by_product), "category": dict(by_category), "orders": len(newest)}
