"""Records of the built-in feeds pos, orders, users and restaurants, as their senders make them."""

import uuid
from datetime import UTC, datetime, timedelta

TRADE = datetime(2025, 3, 1, 10, 0, tzinfo=UTC)


def at(seconds=0.0, start=TRADE):
    """ISO 8601 of a time after the start of trade."""
    return (start + timedelta(seconds=seconds)).isoformat(timespec="microseconds")


def utc(seconds=0.0, start=TRADE):
    """A time as reference records write it."""
    return (start + timedelta(seconds=seconds)).strftime("%Y-%m-%d %H:%M:%S")


def sale_id(*name):
    return str(uuid.uuid5(uuid.NAMESPACE_OID, "/".join(map(str, name))))


def sale(name, seconds, items=(("Milch", 2, "1.29"),), **changes):
    """A sale of feed pos; prices are texts, so that their decimals stay as they are."""
    lines = [
        {"item_id": f"P{n}", "name": item, "quantity": count, "price_per_unit": float(price),
         "total_price": round(count * float(price), 5)}
        for n, (item, count, price) in enumerate(items)
    ]  # fmt: skip
    total = round(sum(line["total_price"] for line in lines), 5)
    identity = sale_id(name)
    method = changes.get("payment_method", "cash")
    return {
        "transaction_id": identity, "timestamp": at(seconds), "store_id": "STORE_2", "cashier_id": "CASHIER_1",
        "items": lines, "total_amount": total, "payment_method": method, "payment_status": "success",
        "customer_id": "C1", "loyalty_points_earned": 1,
        "receipt": {
            "receipt_id": f"R-{name}", "date": at(seconds + 1), "total_amount": total, "payment_method": method,
            "transaction_id": identity,
        },
        **changes,
    }  # fmt: skip


SOUP = ("p1", "Борщ", 609)
TEA = ("p2", "Чай", 120)
PIE = ("p3", "Пирог", 254)


def order(
    number, seconds, version, status="CLOSED", items=((SOUP, 1), (TEA, 2)), user="u1", restaurant="r1", **changes
):
    """An order of feed orders; `version` is seconds after `seconds`."""
    cost = sum(product[2] * count for product, count in items)
    payload = {
        "restaurant": {"id": restaurant}, "date": at(seconds), "user": {"id": user},
        "order_items": [
            {"id": key, "name": name, "price": price, "category": "как в меню", "quantity": count}
            for (key, name, price), count in items
        ],
        "bonus_payment": 0, "cost": cost, "payment": cost, "bonus_grant": 0,
        "statuses": [{"status": "OPEN", "dttm": at(seconds)}]
        + ([] if status == "OPEN" else [{"status": status, "dttm": at(seconds + version)}]),
        "final_status": status, "update_ts": at(seconds + version),
    }  # fmt: skip
    return {
        "object_id": number,
        "object_type": "order",
        "sent_dttm": at(seconds + version),
        "payload": {**payload, **changes},
    }


def user(key, name, seconds=0.0):
    return {"_id": key, "name": name, "login": f"{key}.login", "update_ts_utc": utc(seconds)}


def restaurant(key, seconds, *menu):
    """`menu`: pairs of product and category."""
    items = [{"_id": p[0], "name": p[1], "price": p[2], "category": category} for p, category in menu]
    return {"_id": key, "name": f"Кафе {key}", "menu": items, "update_ts_utc": utc(seconds)}
