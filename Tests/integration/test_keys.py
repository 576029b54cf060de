"""Keys with slashes, percent signs, colons and other signs: every path that names a thing finds it."""

from urllib.parse import quote

import pytest
from messages import MENU, at, order, restaurant, sale, send, user
from support import line, new_till, running, totals

NASTY = [
    "INV/2031/00017", "50%", "a%2Fb",
    "%252F", "a:b", "::", "a+b", "two words", "ä/ö", "日本/東京", "a?b&c=d#e", "'; --",
    "/", "//x/", "100%/2:3+4 5", "..", ".", "a\\b", '"quoted"', "emoji 😀",
]  # fmt: skip


@pytest.fixture(scope="module")
def till(tmp_path_factory):
    with running(new_till(tmp_path_factory.mktemp("keys"))) as till:
        send(till, "restaurants", restaurant("r1", "Kitchen", MENU))
        for number, key in enumerate(NASTY):
            one = line(InvoiceNo=key, StockCode="85123A", client_line_no="1")
            reply = till.post("invoices", one, headers={"X-Till-Run": quote(f"run {number}", safe="")})
            assert reply.status == 202 and reply.json["accepted"] == 1, (key, reply)
            send(till, "users", user(key, "Name"))
            send(till, "orders", order(number + 1, key, "r1", MENU, ["p1"]))
        send(till, "pos", sale("STORE_1", at(1), 1.5))
        totals(till)
        yield till


@pytest.mark.parametrize("key", NASTY)
@pytest.mark.parametrize("source", ["invoices:", ""])
def test_an_invoice_is_found_by_its_key(till, key, source):
    reply = till.get(f"/v1/invoices/{quote(source + key, safe='')}")
    assert reply.status == 200, reply
    assert (reply.json["invoice"], reply.json["number"]) == (f"invoices:{key}", key)


@pytest.mark.parametrize("key", NASTY)
def test_customers_and_users_are_found_by_their_keys(till, key):
    for what in ("spend", "orders", "returns"):
        for name in (key, "orders:" + key):
            reply = till.get(f"/v1/customers/{quote(name, safe='')}/{what}")
            assert reply.status == 200, (what, reply)
            if what == "spend":
                assert reply.json["customer"]["key"] == key
    for what in ("products", "categories"):
        for name in (key, "orders:" + key):
            reply = till.get(f"/v1/users/{quote(name, safe='')}/{what}")
            assert reply.status == 200 and reply.json["user"]["key"] == key, (what, reply)


def test_a_key_of_two_sources_needs_its_source(till):
    assert till.post("invoices", line(InvoiceNo="1", client_line_no="1")).status == 202
    totals(till)
    both = till.get("/v1/invoices/1")
    assert both.status == 409 and sorted(both.json["error"]["candidates"]) == ["invoices:1", "orders:1"]


def test_a_page_goes_on_behind_every_key(till):
    """The cursor holds a key of any signs."""
    found, cursor = [], ""
    while cursor is not None:
        reply = till.get(f"/v1/customers?limit=1{cursor and '&cursor=' + cursor}")
        assert reply.status == 200, reply
        found += [item["id"] for item in reply.json["items"]]
        cursor = reply.json["next"]
    assert [one for one in found if one.startswith("orders:")] == [f"orders:{key}" for key in sorted(NASTY)]


def test_what_is_encoded_is_no_separator(till):
    """%2F belongs to a part, / ends it."""
    assert till.get("/v1/invoices/INV/2031/00017").json["error"]["code"] == "path_unknown"
    assert till.get("/v1%2Fsales%2Ftotal").json["error"]["code"] == "path_unknown"
    assert till.get("/v1/%73ales/total").status == 200, "another sign may be encoded anywhere"
    store = quote("pos:STORE_1", safe="")
    start = quote("2024-11-15T00:00:00+00:00", safe="")
    assert till.get(f"/v1/windows/{store}/{start}/revisions").status == 200
