"""Order counters, reference data, parked records, conflicts and senders over HTTP."""

import pytest
from messages import MENU, at, order, restaurant, sale, send, user
from support import check_shape, new_till, pages, running, schema_of, totals


@pytest.fixture(scope="module")
def till(tmp_path_factory):
    with running(new_till(tmp_path_factory.mktemp("counters"))) as till:
        till.openapi = till.get("/v1/openapi.json").json
        send(till, "users", user("u1", "Anna"), user("u2", "Boris"))
        send(till, "restaurants", restaurant("r1", "Kitchen", MENU))
        send(till, "orders", order(1, "u1", "r1", MENU, ["p1", "p2"]))
        send(till, "orders", order(2, "u1", "r1", MENU, ["p1", "p3"], when="2024-02-02T12:00:00+00:00"))
        send(till, "orders", order(3, "u1", "r1", MENU, ["p4"], when="2024-02-03T12:00:00+00:00"))
        # Counted, then cancelled: it counts nowhere.
        send(till, "orders", order(3, "u1", "r1", MENU, ["p4"], "CANCELLED", "2024-02-03T12:00:00+00:00", 5))
        send(till, "orders", order(4, "u2", "r1", MENU, ["p1", "p1"], "OPEN"))
        yield till


def asked(till, path, template=None):
    reply = till.get(path + ("&" if "?" in path else "?") + "after=latest")
    assert reply.status == 200, reply
    check_shape(reply.json, schema_of(till.openapi, template or path.split("?")[0]))
    return reply.json


def products(till, who, query=""):
    return asked(till, f"/v1/users/{who}/products{query}", "/v1/users/{id}/products")


def categories(till, who):
    return asked(till, f"/v1/users/{who}/categories", "/v1/users/{id}/categories")


def test_products_of_a_user(till):
    answer = products(till, "u1")
    assert answer["user"] == {"id": "orders:u1", "key": "u1", "name": "Anna", "login": "anna"}
    found = [(item["name"], item["orders"], item["last_order_at"]) for item in answer["items"]]
    assert found == [
        ("Borscht", 2, "2024-02-02T12:00:00Z"), ("Solyanka", 1, "2024-02-01T12:00:00Z"),
        ("Tea", 1, "2024-02-02T12:00:00Z"),
    ]  # fmt: skip
    assert answer["items"][0]["product"].startswith("orders:") and answer["items"][0]["key"] == "p1"
    assert pages(till, "/v1/users/orders:u1/products", 1) == answer["items"]
    assert products(till, "u1", "?limit=1")["items"] == answer["items"][:1]


def test_a_category_counts_once_in_an_order(till):
    found = [(item["category"], item["orders"], item["last_order_at"]) for item in categories(till, "u1")["items"]]
    assert found == [("Soups", 2, "2024-02-02T12:00:00Z"), ("Drinks", 1, "2024-02-02T12:00:00Z")]
    assert pages(till, "/v1/users/u1/categories", 1) == categories(till, "u1")["items"]


def test_an_open_order_counts_when_it_is_closed_and_an_unknown_user_is_404(till):
    assert products(till, "u2")["items"] == [] == categories(till, "u2")["items"]
    send(till, "orders", order(4, "u2", "r1", MENU, ["p1", "p1"], "CLOSED", version=3))
    assert [(i["name"], i["orders"]) for i in products(till, "u2")["items"]] == [("Borscht", 1)]
    for path in ("/v1/users/u9/products", "/v1/users/orders:u9/categories"):
        reply = till.get(path)
        assert reply.status == 404 and reply.json["error"]["code"] == "not_found", reply


def test_a_renamed_product_keeps_its_row(till):
    before = products(till, "u1")["items"]
    renamed = {**MENU, "p3": ("Black tea", "Drinks", 110)}
    send(till, "restaurants", restaurant("r1", "Kitchen", renamed, "2025-01-01 00:00:00"))
    after = products(till, "u1")["items"]
    assert {i["key"]: i["orders"] for i in after} == {i["key"]: i["orders"] for i in before}
    assert {i["key"]: i["name"] for i in after}["p3"] == "Black tea"


def test_references_by_entity(till):
    found = {(i["entity"], i["source"]): i for i in asked(till, "/v1/references")["items"]}
    assert set(found) == {("customer", "orders"), ("store", "orders"), ("product", "orders")}
    assert found["customer", "orders"]["keys"] >= 2 and found["product", "orders"]["keys"] == 4
    assert found["store", "orders"]["versions"] >= 1


def test_parked_orders_wait_for_their_user(till):
    send(till, "orders", order(50, "later", "r1", MENU, ["p1"]))
    assert totals(till)["parked"] == 1
    (parked,) = asked(till, "/v1/parked")["items"]
    assert parked["missing"] == ["customer:orders:later"] and parked["feed"] == "orders"
    assert '"object_id": 50' in parked["bytes"] and parked["encoding"] == "utf8"
    assert asked(till, "/v1/parked?feed=pos")["items"] == []
    send(till, "users", user("later", "Late"))
    assert totals(till)["parked"] == 0 and asked(till, "/v1/parked")["items"] == []
    assert [i["orders"] for i in products(till, "later")["items"]] == [1]


def test_conflicts_of_documents_and_references(till):
    send(till, "users", user("u7", "One"), user("u7", "Two"))
    send(till, "orders", order(70, "u1", "r1", MENU, ["p3"], "OPEN"), order(70, "u1", "r1", MENU, ["p4"], "OPEN"))
    found = asked(till, "/v1/conflicts")["items"]
    assert [(i["kind"], i["id"]) for i in found] == [("document", "orders:70"), ("customer", "orders:u7")]
    for item in found:
        assert item["content_hash"] < item["current_hash"] and item["line"] is None and item["version_at"]
    assert pages(till, "/v1/conflicts", 1) == found
    assert till.get("/v1/conflicts?cursor=7A7A").status == 400


def test_senders_with_gaps(till):
    for number in [*range(1, 4), 7, *range(9, 12)]:
        send(till, "users", user(f"s{number}", "Same"), sender="till-7", sequence=number)
    send(till, "users", user("s0", "Same"), sender="unnumbered")
    gaps, plain = asked(till, "/v1/senders?feed=users")["items"]
    assert (gaps["name"], gaps["records"], gaps["missing"], gaps["missing_count"]) == ("till-7", 7, ["4-6", "8"], 4)
    assert gaps["complete_until"] == {"sequence": 3, "time": None} and gaps["clock_offset"] is None
    assert (plain["name"], plain["missing"], plain["complete_until"]) == ("unnumbered", [], None)
    send(till, "users", user("s4", "Same"), sender="till-7", sequence=4)
    assert asked(till, "/v1/senders?feed=users")["items"][0]["missing"] == ["5-6", "8"]
    assert pages(till, "/v1/senders", 1) == asked(till, "/v1/senders")["items"]


def test_a_sender_of_orders_has_a_clock_and_a_time(till):
    send(till, "orders", order(80, "u1", "r1", MENU, ["p1"], "OPEN"), sender="app", sequence=1)
    (app,) = asked(till, "/v1/senders?feed=orders")["items"]
    assert app["complete_until"] == {"sequence": 1, "time": "2024-02-01T12:00:00Z"}
    assert app["clock_offset"] > 1_000_000


def test_the_name_is_the_menus_whatever_orders_say(till):
    """Orders that come later, orders that were cancelled and orders that were parked do not rename a product."""
    menu = {"m1": ("Old soup", "Soups", 100)}
    send(till, "users", user("u5", "Eve"))
    send(till, "restaurants", restaurant("r5", "Corner", menu, "2024-01-01 00:00:00"))
    send(till, "restaurants", restaurant("r5", "Corner", {"m1": ("Soup", "Soups", 100)}, "2024-01-05 00:00:00"))
    hacked = {"m1": ("Hacked", "Soups", 100)}
    send(till, "orders", order(90, "u5", "r5", menu, ["m1"]), order(91, "u5", "r5", hacked, ["m1"], "CANCELLED"))
    send(till, "orders", order(92, "late-user", "r5", hacked, ["m1"]))
    assert [(i["name"], i["orders"]) for i in products(till, "u5")["items"]] == [("Soup", 1)]
    send(till, "users", user("late-user", "Zoe"))
    assert [(i["name"], i["orders"]) for i in products(till, "late-user")["items"]] == [("Soup", 1)]
    assert [(i["name"], i["orders"]) for i in products(till, "u5")["items"]] == [("Soup", 1)]


def test_status_names_every_feed_before_its_first_record(tmp_path_factory):
    with running(new_till(tmp_path_factory.mktemp("fresh"))) as fresh:
        feeds = {feed["feed"]: feed for feed in fresh.get("/v1/status").json["feeds"]}
        assert set(feeds) >= {"invoices", "orders", "pos", "restaurants", "users"}
        assert all(feed["log_end"] == 0 == feed["lag"] for feed in feeds.values())
        assert fresh.get("/v1/status").json["proof"] is False
        assert fresh.get("/v1/proof").status == 404


def test_the_reference_average_divides_by_what_it_adds_up(directory):
    """Failed, open and cancelled documents are neither in the sum nor in the count."""
    with running(new_till(directory)) as till:
        till.openapi = till.get("/v1/openapi.json").json
        send(till, "pos", sale("STORE_1", at(1), 10.0), sale("STORE_1", at(2), 7.0, payment_status="failed"))
        send(till, "users", user("u1", "Anna"))
        send(till, "restaurants", restaurant("r1", "Kitchen", MENU))
        orders = [
            order(n, "u1", "r1", MENU, ["p1"], status) for n, status in enumerate(("OPEN", "CLOSED", "CANCELLED"))
        ]
        send(till, "orders", *orders)
        for definition in ("reference", "native"):
            answer = asked(till, f"/v1/sales/average-order-value?definition={definition}")
            assert {i["currency"]: (i["average"], i["orders"]) for i in answer["items"]} == {
                "EUR": ("10.00", 1), "RUB": ("300.00", 1),
            }  # fmt: skip


def test_a_run_of_several_feeds_is_ambiguous(directory):
    with running(new_till(directory)) as till:
        till.openapi = till.get("/v1/openapi.json").json
        for feed, event in (("users", user("u1", "Anna")), ("restaurants", restaurant("r1", "Kitchen", MENU))):
            assert till.post(feed, [event], headers={"X-Till-Run": "trade"}).status == 202
        assert till.post("users", [user("u2", "Boris")], headers={"X-Till-Run": "alone"}).status == 202
        reply = till.get("/v1/runs/trade?after=latest")
        assert reply.status == 409 and reply.json["error"] == {
            "code": "ambiguous", "message": '2 feeds have a run "trade"; name one of the candidates.',
            "candidates": ["restaurants", "users"],
        }, reply  # fmt: skip
        check_shape(reply.json, schema_of(till.openapi, "/v1/runs/{run}", "409"))
        for feed in reply.json["error"]["candidates"]:
            run = asked(till, f"/v1/runs/trade?feed={feed}", "/v1/runs/{run}")
            assert (run["feed"], run["read"], run["distinct"]) == (feed, 1, 1)
        assert asked(till, "/v1/runs/alone", "/v1/runs/{run}")["feed"] == "users"
        assert till.get("/v1/runs/trade?feed=pos").status == 404


def test_documents_show_their_status_flags_and_what_was_reported(directory):
    """What counts as nothing yet is listed too, and says so."""
    with running(new_till(directory)) as till:
        till.openapi = till.get("/v1/openapi.json").json
        send(till, "users", user("u1", "Anna"))
        send(till, "restaurants", restaurant("r1", "Kitchen", MENU))
        days = [f"2024-02-0{day}T12:00:00+00:00" for day in range(1, 6)]
        statuses = ["OPEN", "COOKING", "DELIVERING", "CANCELLED", "CLOSED"]
        orders = [order(n, "u1", "r1", MENU, ["p1"], status, days[n]) for n, status in enumerate(statuses)]
        # Two steps in the wrong order, and a cost that the items do not add up to.
        orders[4]["payload"]["statuses"] = [
            {"status": "CLOSED", "dttm": "2024-02-05T12:20:00+00:00"},
            {"status": "COOKING", "dttm": "2024-02-05T12:30:00+00:00"},
            {"status": "OPEN", "dttm": days[4]},
        ]
        orders[4]["payload"]["cost"] = 299
        send(till, "orders", *orders)
        found = asked(till, "/v1/customers/u1/orders", "/v1/customers/{id}/orders")["items"]
        assert [(i["number"], i["status"], i["amount"]) for i in found] == [
            ("4", "closed", "300.00"), ("3", "cancelled", "300.00"), ("2", "delivering", "300.00"),
            ("1", "cooking", "300.00"), ("0", "open", "300.00"),
        ]  # fmt: skip
        assert [i["flags"] for i in found] == [["corrected", "status_order"], [], [], [], []]
        assert [i["reported_total"] for i in found] == ["299.00", None, None, None, None]
        assert [i["orders"] for i in asked(till, "/v1/users/u1/products", "/v1/users/{id}/products")["items"]] == [1]
        last = asked(till, "/v1/invoices/orders:4", "/v1/invoices/{id}")
        assert (last["status"], last["flags"], last["reported_total"]) == (
            "closed", ["corrected", "status_order"], "299.00",
        )  # fmt: skip
        assert last["status_history"] == [
            {"status": "open", "at": "2024-02-05T12:00:00Z"}, {"status": "closed", "at": "2024-02-05T12:20:00Z"},
            {"status": "cooking", "at": "2024-02-05T12:30:00Z"},
        ]  # fmt: skip
        assert last["receipt"] is None and last["lines"][0]["reported_total"] is None
        # A newer version: its statuses stand beside those of the old one, which stay.
        send(till, "orders", order(0, "u1", "r1", MENU, ["p1"], "CANCELLED", days[0], version=5))
        first = asked(till, "/v1/invoices/orders:0", "/v1/invoices/{id}")
        assert first["status"] == "cancelled"
        assert [h["status"] for h in first["status_history"]] == ["open", "cancelled"]


def test_a_corrected_sale_shows_what_its_till_reported(directory):
    with running(new_till(directory)) as till:
        till.openapi = till.get("/v1/openapi.json").json
        wrong = sale("STORE_1", at(1), 10.0, "11111111-1111-4111-8111-111111111111", customer_id="CUSTOMER_7")
        wrong["total_amount"] = 99.99
        wrong["items"][0]["total_price"] = 9.0
        wrong["receipt"]["payment_method"] = "voucher"
        failed = sale("STORE_1", at(2), 5.0, customer_id="CUSTOMER_7", payment_status="failed")
        send(till, "pos", wrong, failed)
        one, two = asked(till, "/v1/customers/CUSTOMER_7/orders", "/v1/customers/{id}/orders")["items"]
        assert (one["status"], one["flags"], one["amount"]) == ("failed", [], "5.00")
        assert (two["status"], two["flags"], two["amount"], two["reported_total"]) == (
            "closed", ["corrected", "receipt_differs"], "10.00", "99.99",
        )  # fmt: skip
        detail = asked(till, "/v1/invoices/11111111-1111-4111-8111-111111111111", "/v1/invoices/{id}")
        assert detail["status_history"] == [] and detail["lines"][0]["reported_total"] == "9.00"
        assert detail["receipt"] == {
            "number": "r1", "at": at(1), "total": "10.00", "payment_method": "voucher", "document": "t1",
        }  # fmt: skip
        assert (detail["totals"][0]["gross"], detail["reported_total"]) == ("10.00", "99.99")


def test_the_last_order_goes_back_when_it_leaves(directory):
    with running(new_till(directory)) as till:
        till.openapi = till.get("/v1/openapi.json").json
        send(till, "users", user("u1", "Anna"))
        send(till, "restaurants", restaurant("r1", "Kitchen", MENU))
        first, moved, last = "2024-02-01T12:00:00+00:00", "2024-02-01T06:00:00+00:00", "2024-02-02T12:00:00+00:00"

        def times():
            spend = asked(till, "/v1/customers/u1/spend", "/v1/customers/{id}/spend")
            found = {spend["last_order_at"]}
            for items in (products(till, "u1")["items"], categories(till, "u1")["items"]):
                found |= {item["last_order_at"] for item in items}
            return found

        send(till, "orders", order(1, "u1", "r1", MENU, ["p1"], when=first))
        send(till, "orders", order(2, "u1", "r1", MENU, ["p1"], when=last))
        assert times() == {"2024-02-02T12:00:00Z"}
        earlier = order(2, "u1", "r1", MENU, ["p1"], when=moved)
        earlier["payload"]["update_ts"] = "2024-02-03T00:00:00+00:00"
        send(till, "orders", earlier)
        assert times() == {"2024-02-01T12:00:00Z"}
        gone = order(1, "u1", "r1", MENU, ["p1"], "CANCELLED", first, version=5)
        send(till, "orders", gone)
        assert times() == {"2024-02-01T06:00:00Z"}
