"""An order that is no order is kept with its bytes and its reasons, and holds nobody up."""

import json

import pytest
from messages import MENU, order, restaurant, send, user
from support import JSON, original_bytes, quarantined

POISON = {
    "no JSON": b'{"object_id": 1, ', "a text": b'"order"', "no fields": b"{}", "zeros": b"\x00" * 40,
    "an empty list of items": ("order_items", []), "a wrong type": ("cost", {"much": True}),
    "an unknown status": ("final_status", "EATEN"),
}  # fmt: skip


@pytest.mark.parametrize("kind", POISON)
def test_a_good_order_behind_poison_is_counted(till, kind):
    send(till, "restaurants", restaurant("r1", "Kitchen", MENU))
    send(till, "users", user("u1", "One"))
    body = POISON[kind]
    if isinstance(body, tuple):
        bad = order(1, "u1", "r1", MENU, ["p1"])
        bad["payload"][body[0]] = body[1]
        body = json.dumps(bad).encode()
    assert till.request("POST", "/v1/feeds/orders", body, JSON).status == 422
    send(till, "orders", order(2, "u1", "r1", MENU, ["p1"]))
    # Within a second: the answer waits no longer for it.
    (counted,) = till.get("/v1/users/orders:u1/products?after=latest&wait_ms=1000").json["items"]
    assert counted["orders"] == 1
    (entry,) = quarantined(till)
    assert entry["reasons"] and original_bytes(till, entry) == body
