"""Messages of the built-in feeds, small and right: sales of tills, orders, users and restaurants."""

import uuid
from datetime import UTC, datetime, timedelta

EPOCH = datetime(2024, 11, 15, tzinfo=UTC)


def at(seconds, base=EPOCH):
    """ISO text of a time some seconds after `base`."""
    return (base + timedelta(seconds=seconds)).isoformat().replace("+00:00", "Z")


def sale(store, when, amount, transaction=None, **changes):
    """A cash sale of one loaf; `when` is ISO text, `amount` a float with at most two decimals."""
    total = round(float(amount), 2)
    return {
        "transaction_id": str(transaction or uuid.uuid4()), "timestamp": when, "store_id": store,
        "cashier_id": "CASHIER_1",
        "items": [{"item_id": "i1", "name": "Bread", "quantity": 1, "price_per_unit": total, "total_price": total}],
        "total_amount": total, "payment_method": "cash", "payment_status": "success", "customer_id": "",
        "loyalty_points_earned": 0,
        "receipt": {
            "receipt_id": "r1", "date": when, "total_amount": total, "payment_method": "cash", "transaction_id": "t1",
        },
        **changes,
    }  # fmt: skip


def user(key, name, updated="2024-01-01 00:00:00"):
    return {"_id": key, "name": name, "login": name.lower(), "update_ts_utc": updated}


def restaurant(key, name, menu, updated="2024-01-01 00:00:00"):
    """`menu`: {product: (name, category, price)}."""
    items = [{"_id": p, "name": n, "category": c, "price": price} for p, (n, c, price) in menu.items()]
    return {"_id": key, "name": name, "menu": items, "update_ts_utc": updated}


def order(number, who, where, menu, products, status="CLOSED", when="2024-02-01T12:00:00+00:00", version=0):
    """An order of one of each product; a greater `version` replaces it."""
    items = [
        {"id": p, "name": menu[p][0], "category": menu[p][1], "price": menu[p][2], "quantity": 1} for p in products
    ]
    cost = sum(item["price"] for item in items)
    updated = (datetime.fromisoformat(when) + timedelta(minutes=version)).isoformat()
    return {
        "object_id": number, "object_type": "order", "sent_dttm": when,
        "payload": {
            "restaurant": {"id": where}, "date": when, "user": {"id": who}, "order_items": items,
            "bonus_payment": 0, "cost": cost, "payment": cost, "bonus_grant": 0,
            "statuses": [{"status": status, "dttm": when}], "final_status": status, "update_ts": updated,
        },
    }  # fmt: skip


MENU = {
    "p1": ("Borscht", "Soups", 300), "p2": ("Solyanka", "Soups", 350), "p3": ("Tea", "Drinks", 100),
    "p4": ("Pelmeni", "Mains", 400),
}  # fmt: skip


def send(till, feed, *events, sender=None, sequence=None):
    """Sends events that are all good; returns the position after them."""
    headers = {} if sender is None else {"X-Till-Sender": sender}
    if sequence is not None:
        headers["X-Till-Sequence"] = str(sequence)
    reply = till.post(feed, list(events), headers=headers)
    assert reply.status == 202 and reply.json["accepted"] == len(events), reply
    return reply.json["position"]


def changed_contract(directory, root, feed, old, new):
    """A copy of a built-in contract with one text replaced, and a configuration that names it."""
    text = (root / "Contracts" / f"{feed}.yaml").read_text()
    assert old in text
    (directory / f"{feed}.yaml").write_text(text.replace(old, new))
    config = directory / "till.yaml"
    config.write_text(f"contracts: [{directory}/{feed}.yaml]\n")
    return config
