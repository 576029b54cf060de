"""Quarantine over HTTP: lists and details, redrive under a changed contract, redrive twice, discard, refusals."""

import base64

import pytest
from conftest import ROOT
from messages import MENU, at, changed_contract, order, restaurant, sale, send, user
from support import JSON, check_shape, line, new_till, running, schema_of, till_command, totals

STORES = ("stores_max: 10", "stores_max: 20")


def reject(till, feed, *events, content_type="application/json"):
    body = events[0] if content_type != "application/json" else list(events)
    reply = till.post(feed, body, content_type)
    assert reply.status == 422, reply


def ask(till, path):
    reply = till.get(path + ("&" if "?" in path else "?") + "after=latest")
    assert reply.status == 200, reply
    return reply.json


def entries(till, query=""):
    return ask(till, f"/v1/quarantine{query}")["items"]


def act(till, verb, body, status=202):
    reply = till.request("POST", f"/v1/quarantine/{verb}?after=latest", body, JSON)
    assert reply.status == status, reply
    openapi = till.get("/v1/openapi.json").json
    check_shape(reply.json, schema_of(openapi, f"/v1/quarantine/{verb}", str(status), "post"))
    return reply.json


def restart(till, directory, feed="pos", change=STORES):
    """The same till with a changed contract of the feed."""
    till.stop()
    till.arguments = ["--config", changed_contract(directory, ROOT, feed, *change)]
    till.start()


@pytest.fixture
def shop(directory):
    """A till with one good sale and two of stores that the contract does not know yet."""
    with running(new_till(directory)) as till:
        send(till, "pos", sale("STORE_1", at(1), 1.5))
        reject(till, "pos", sale("STORE_12", at(2), 2.5), sale("STORE_15", at(3), 3.5))
        yield till


def test_lists_by_state_feed_and_rule(shop):
    reject(shop, "invoices", line(Quantity=0))
    assert len(entries(shop)) == 3 and entries(shop, "?state=resolved") == []
    assert {e["feed"] for e in entries(shop, "?feed=pos")} == {"pos"}
    (zero,) = entries(shop, "?rule=quantity_zero")
    assert zero["feed"] == "invoices" and zero["attempts"] == 1
    misspelled = shop.get("/v1/quarantine?rule=quantity")
    assert misspelled.status == 400, "a rule is named whole"
    assert "quantity_zero" in misspelled.json["error"]["message"]
    rules = ask(shop, "/v1/quarantine/rules")
    assert rules["open"] == 3 and rules["complete"]
    assert [(r["feed"], r["rule"], r["entries"]) for r in rules["items"]] == [
        ("pos", "store_range", 2), ("invoices", "quantity_zero", 1),
    ]  # fmt: skip


def test_one_entry_with_its_bytes(shop):
    newest = entries(shop)[0]
    entry = ask(shop, f"/v1/quarantine/{newest['id']}")
    assert '"STORE_15"' in entry["text"] and base64.b64decode(entry["base64"]).decode() == entry["text"]
    assert entry["size"] == len(entry["text"].encode()) and entry["csv_header"] is None
    assert [reason["rule"] for reason in entry["reasons"]] == ["store_range"] and entry["resolved_at"] is None
    reject(shop, "pos", b"\xff\xfe", content_type="application/json; charset=utf-8")
    entry = ask(shop, f"/v1/quarantine/{entries(shop)[0]['id']}")
    assert entry["text"] is None and entry["base64"] == "//4="
    for unknown in ("999", "x"):
        assert shop.get(f"/v1/quarantine/{unknown}").status == 404


def test_a_list_shows_the_beginning_of_a_large_record(shop):
    # An array that is not closed is one record; the cut falls inside a sign of two bytes.
    body = b'[ "' + "é".encode() * (3 << 20) + b'",'
    reject(shop, "pos", body, content_type="application/json; charset=utf-8")
    shown = shop.get("/v1/quarantine?after=latest")
    assert len(shown.body) < 20_000, len(shown.body)
    newest = shown.json["items"][0]
    assert newest["encoding"] == "utf8" and newest["bytes"] == body[:4095].decode()
    assert newest["bytes_size"] == len(body) and newest["bytes_complete"] is False
    assert all(entry["bytes_complete"] for entry in shown.json["items"][1:])
    entry = ask(shop, f"/v1/quarantine/{newest['id']}")
    assert base64.b64decode(entry["base64"]) == body and entry["size"] == len(body)
    words = ["quarantine", "list", "--to", shop.url]
    assert len(till_command(*words).stdout) < 2_000 and len(till_command(*words, "--json").stdout) < 20_000
    whole = till_command("quarantine", "show", newest["id"], "--to", shop.url).stdout
    assert body.decode() in whole.decode()
    assert shop.post("pos", bytes(3) + b"\xff" * 9_000).status == 422
    assert len(base64.b64decode(entries(shop)[0]["bytes"])) == 4_096


def test_many_reasons_are_cut(shop):
    bad = sale("STORE_1", at(4), 1) | {"items": list(range(300))}
    listed = shop.post("pos", bad).json["rejected"][0]["reasons"]
    assert len(listed) == 101 and listed[-1]["message"] == (
        "200 more reasons are not listed; correct the listed ones first"
    )
    newest = entries(shop)[0]
    assert newest["reasons"] == listed[:10] and newest["reasons_count"] == 101
    assert ask(shop, f"/v1/quarantine/{newest['id']}")["reasons"] == listed
    assert "(and 100 more)" in till_command("quarantine", "list", "--to", shop.url).stdout.decode()
    rules = ask(shop, "/v1/quarantine/rules")["items"]
    assert {(r["rule"], r["entries"]) for r in rules} == {("store_range", 2), ("type", 1), ("more_reasons", 1)}


def test_a_list_shows_the_beginning_of_a_parked_record(directory):
    with running(new_till(directory)) as till:
        menu = {f"p{n}": (f"Dish {n}", "Mains", 100) for n in range(60)}
        send(till, "orders", order(1, "u1", "r1", menu, list(menu)))
        (parked,) = ask(till, "/v1/parked")["items"]
        assert len(parked["missing"]) == 20 and parked["missing_count"] == 62
        assert len(parked["bytes"]) == 4_096 < parked["bytes_size"] and not parked["bytes_complete"]
        assert "(and 42 more)" in till_command("parked", "--to", till.url).stdout.decode()


def test_redrive_under_the_same_contract_is_rejected_again(shop):
    first = entries(shop)[-1]
    answer = act(shop, "redrive", {"ids": [first["id"]]})
    assert answer["submitted"] == 1 and answer["position"] == "feed.pos/0:4" and answer["next"] is None
    again = ask(shop, f"/v1/quarantine/{first['id']}")
    assert again["attempts"] == 2 and again["resolved_at"] is None and again["reasons"] == first["reasons"]
    assert totals(shop)["quarantined"] == 2 and totals(shop)["received"] == 3


def test_redrive_counts_once_after_the_contract_was_changed(shop, directory):
    restart(shop, directory)
    before = totals(shop)
    for _ in range(2):
        answer = act(shop, "redrive", {"feed": "pos", "rule": "store_range"})
        reply = shop.get(f"/v1/windows?after={answer['position']}")
        assert {(w["store_key"], w["total"]) for w in reply.json["items"]} == {
            ("STORE_1", "1.50"), ("STORE_12", "2.50"), ("STORE_15", "3.50"),
        }  # fmt: skip
    assert answer["submitted"] == 0, "nothing is open any more"
    after = totals(shop)
    assert after["quarantined"] == before["quarantined"] - 2 == 0
    assert after["distinct"] == before["distinct"] + 2 == 3 and after["received"] == before["received"] == 3
    (one, two) = entries(shop, "?state=resolved")
    assert one["attempts"] == two["attempts"] == 2 and one["resolved_at"] and entries(shop, "?state=open") == []
    # What is sent again is a duplicate, also after a restart.
    shop.kill9()
    shop.start()
    send(shop, "pos", sale("STORE_1", at(9), 9))
    assert totals(shop)["distinct"] == 4
    assert ask(shop, "/v1/quarantine/rules")["items"] == []


def test_two_redrives_at_the_same_time_count_once(shop, directory):
    restart(shop, directory)
    ids = [entry["id"] for entry in entries(shop)]
    for _ in range(3):
        shop.request("POST", "/v1/quarantine/redrive", {"ids": ids + ids}, JSON)
    assert totals(shop)["distinct"] == 3 and totals(shop)["duplicates"] == 0
    assert {e["attempts"] for e in entries(shop)} == {2}


def test_a_csv_row_is_read_with_its_header(directory):
    with running(new_till(directory)) as till:
        country = "Long" * 30
        header = "InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country,customerName"
        row = f'536365,85123A,"HEART, WHITE",6,01/12/2010 08:26,2.55,17850,{country},A'
        reply = till.post("invoices", f"{header}\n{row}\n".encode(), "text/csv")
        assert reply.status == 422, reply
        (entry,) = entries(till)
        assert ask(till, f"/v1/quarantine/{entry['id']}")["csv_header"] == header
        restart(
            till, directory, "invoices",
            ("    max_characters: 100\n    max_bytes: 400\n", "    max_characters: 200\n    max_bytes: 800\n"),
        )  # fmt: skip
        act(till, "redrive", {"ids": [entry["id"]]})
        left = entries(till, "?state=open")
        assert left == [], left[0]["reasons"]
        assert totals(till)["distinct"] == 1 and totals(till)["quarantined"] == 0
        assert ask(till, "/v1/invoices/536365")["country"] == country


def test_a_redriven_order_can_be_parked(directory):
    with running(new_till(directory)) as till:
        send(till, "restaurants", restaurant("r1", "Kitchen", MENU))
        bad = order(1, "u1", "r1", MENU, ["p1"])
        bad["object_type"] = "order2"
        reject(till, "orders", bad)
        restart(till, directory, "orders", ('object_type == "order"', 'object_type in ["order", "order2"]'))
        act(till, "redrive", {"feed": "orders"})
        assert (totals(till)["quarantined"], totals(till)["parked"], totals(till)["distinct"]) == (0, 1, 1)
        send(till, "users", user("u1", "Anna"))
        assert (totals(till)["parked"], totals(till)["distinct"]) == (0, 3)
        assert ask(till, "/v1/users/u1/products")["items"][0]["orders"] == 1


def test_discard_resolves_and_counts_nothing(shop, directory):
    first, second = sorted(entry["id"] for entry in entries(shop))
    assert act(shop, "discard", {"ids": [first]})["submitted"] == 1
    assert ask(shop, f"/v1/quarantine/{first}")["resolved_at"] and totals(shop)["quarantined"] == 2
    assert ask(shop, "/v1/quarantine/rules")["open"] == 1
    restart(shop, directory)
    assert act(shop, "redrive", {"ids": [first, second]})["submitted"] == 1, "a discarded entry stays given up"
    assert totals(shop)["distinct"] == 2 and totals(shop)["quarantined"] == 1
    assert act(shop, "discard", {"feed": "pos"})["submitted"] == 0


def test_a_filter_continues_after_an_entry(shop):
    ids = sorted(entry["id"] for entry in entries(shop))
    assert act(shop, "redrive", {"feed": "pos", "after": ids[0]})["submitted"] == 1
    assert [ask(shop, f"/v1/quarantine/{number}")["attempts"] for number in ids] == [1, 2]
    assert act(shop, "redrive", {"feed": "pos", "rule": "bad_json"})["submitted"] == 0
    assert act(shop, "redrive", {"feed": "pos", "rule": None})["submitted"] == 2


@pytest.mark.parametrize(
    "body",
    [
        "[]", "{}", "x", '{"ids":[]}', '{"ids":["a"]}', '{"ids":[1.5]}', '{"ids":1}', '{"rule":"type"}',
        '{"ids":[1],"feed":"pos"}', '{"ids":[1],"rule":"type"}', '{"feed":"pos","all":true}', '{"feed":7}',
        '{"ids":[' + ",".join(map(str, range(10_001))) + "]}",
    ],
)  # fmt: skip
def test_bodies_that_are_not_understood(quiet, body):
    answer = act(quiet, "redrive", body, 400)
    assert answer["error"]["code"] == "body_invalid" and "ids" in answer["error"]["message"]


@pytest.fixture(scope="module")
def quiet(tmp_path_factory):
    with running(new_till(tmp_path_factory.mktemp("quiet"))) as till:
        yield till


def test_refusals(quiet):
    assert act(quiet, "discard", {"ids": [77]}, 404)["error"]["code"] == "not_found"
    reply = quiet.request("POST", "/v1/quarantine/redrive", '{"ids":[1]}', {"Content-Type": "text/plain"})
    assert reply.status == 415 and reply.json["error"]["code"] == "content_type_unknown"
    for verb, path in (("GET", "/v1/quarantine/redrive"), ("DELETE", "/v1/quarantine/discard")):
        reply = quiet.request(verb, path)
        assert reply.status == 405 and reply.headers["allow"] == "POST", reply
    assert quiet.request("POST", "/v1/quarantine", "{}", JSON).headers["allow"] == "GET, HEAD"
    assert quiet.request("POST", "/v1/quarantine/redrive", b" " * 300_000, JSON).status == 413
