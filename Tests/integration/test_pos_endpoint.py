"""POST validate_transaction of the reference system: codes and bodies, credentials, durability, metrics."""

import base64
import copy
import hashlib
import json
from concurrent.futures import ThreadPoolExecutor

import pytest
from support import (
    JSON,
    check_documented,
    ended,
    line,
    log_dump,
    metric,
    new_till,
    quarantined,
    running,
    till_command,
    totals,
)

PATH = "/validation-service/api/v1/pos/validate_transaction"
HEALTH = "/validation-service/api/v1/health"
EXAMPLE = {
    "transaction_id": "11111111-1111-4111-8111-111111111111", "timestamp": "2024-12-19T18:42:24.008000Z",
    "store_id": "STORE_1", "cashier_id": "CASHIER_1",
    "items": [
        {"item_id": "i1", "name": "Milch - 1L", "quantity": 2, "price_per_unit": 1.29, "total_price": 2.58},
        {"item_id": "i2", "name": "Brot", "quantity": 1, "price_per_unit": 1.99, "total_price": 1.99},
    ],
    "total_amount": 4.57, "payment_method": "cash", "payment_status": "success", "customer_id": "CUSTOMER_7",
    "loyalty_points_earned": 3,
    "receipt": {
        "receipt_id": "r1", "date": "2024-12-01T00:00:00Z", "total_amount": 4.57, "payment_method": "cash",
        "transaction_id": "22222222-2222-4222-8222-222222222222",
    },
}  # fmt: skip
STORE = "Store ID must be in the format STORE_01 to STORE_10"
CASHIER = "Cashier ID must be in the format CASHIER_1 to CASHIER_8"


def sale(number=1, **changes):
    """The example; `a__b` changes member b of a, a value of `...` leaves a member out."""
    made = copy.deepcopy(EXAMPLE)
    made["transaction_id"] = f"{number:032x}"
    for name, value in changes.items():
        *path, last = [int(part) if part.isdigit() else part for part in name.split("__")]
        target = made
        for part in path:
            target = target[part]
        if value is ...:
            del target[last]
        else:
            target[last] = value
    return made


@pytest.fixture(scope="module")
def pos(tmp_path_factory):
    with running(new_till(tmp_path_factory.mktemp("pos"))) as till:
        yield till


def send(till, body, headers=None):
    return till.request("POST", PATH, body, headers or JSON)


GOOD = {
    "example": {}, "leading zeros": {"store_id": "STORE_01", "cashier_id": "CASHIER_08"},
    "more zeros": {"store_id": "STORE_0010"}, "quantity 2.0": {"items__0__quantity": 2.0},
    "line total": {"items__0__total_price": 2.6}, "total": {"total_amount": 99.99},
    "receipt": {"receipt__total_amount": 1}, "method": {"receipt__payment_method": "x"},
    "anonymous": {"customer_id": ""}, "signs": {"customer_id": "a/b>c"}, "extra": {"extra": {"a": []}},
    "failure": {"payment_status": "failure"}, "failed": {"payment_status": "failed"},
    "fraction digits": {"total_amount": 4.569999999999999},
}  # fmt: skip


@pytest.mark.parametrize("name", GOOD)
def test_a_good_transaction_is_accepted(pos, name):
    number = 1_000 + list(GOOD).index(name)
    reply = send(pos, sale(number, **GOOD[name]))
    wanted = f"{number:032x}"
    wanted = "-".join([wanted[:8], wanted[8:12], wanted[12:16], wanted[16:20], wanted[20:]])
    assert reply.status == 200 and reply.headers["content-type"] == "application/json", reply
    assert reply.json == {"status": "success", "transaction_id": wanted, "message": "Transaction accepted"}


# Changes → field (last element of its path) and message; None: any message without the prefix of rules.
BAD = {
    "arabic digit": ({"store_id": "STORE_\u0663"}, ("store_id", STORE)),
    "superscript": ({"store_id": "STORE_\u00b2"}, ("store_id", STORE)),
    "store 0": ({"store_id": "STORE_0"}, ("store_id", STORE)),
    "store 11": ({"store_id": "STORE_11"}, ("store_id", STORE)),
    "cashier 9": ({"cashier_id": "CASHIER_9"}, ("cashier_id", CASHIER)),
    "store missing": ({"store_id": ...}, ("store_id", None)),
    "store a number": ({"store_id": 1}, ("store_id", None)),
    "total null": ({"total_amount": None}, ("total_amount", None)),
    "total missing": ({"total_amount": ...}, ("total_amount", None)),
    "total a string": ({"total_amount": "4.57"}, ("total_amount", None)),
    "quantity a string": ({"items__0__quantity": "2"}, ("quantity", None)),
    "item no object": ({"items__1": 7}, ("1", None)),
    "quantity 1.5": ({"items__0__quantity": 1.5}, ("quantity", None)),
    "no items": ({"items": []}, ("items", None)),
    "loyalty": ({"loyalty_points_earned": -5}, ("loyalty_points_earned", "Loyalty points must not be negative")),
    "yesterday": ({"timestamp": "yesterday"}, ("timestamp", None)),
    "no offset": ({"timestamp": "2024-12-19T18:42:24"}, ("timestamp", None)),
    "quantity 0": ({"items__0__quantity": 0}, ("quantity", "Quantity must be positive")),
    "price 0": ({"items__0__price_per_unit": 0}, ("price_per_unit", "Price per unit must be positive")),
    "line total 0": ({"items__0__total_price": 0}, ("total_price", "Total price must be positive")),
    "total 0": ({"total_amount": 0}, ("total_amount", "Total amount must be positive")),
    "receipt 0": ({"receipt__total_amount": 0}, ("total_amount", "Total amount must be positive")),
    "method": ({"payment_method": "shells"}, ("payment_method", "Invalid payment method: shells")),
    "status": ({"payment_status": "maybe"}, ("payment_status", "Invalid payment status: maybe")),
    "item ids": ({"items__1__item_id": "i1"}, ("item_id", "Item ID must be unique within the transaction")),
    "receipt": ({"receipt": 7}, ("receipt", None)),
    "id": ({"transaction_id": "t1"}, ("transaction_id", None)),
}


def error_of(field, message):
    return f"Field '{field}' validation failed: " + (f"Value error, {message}" if message else "")


@pytest.mark.parametrize("name", BAD)
def test_a_bad_transaction_is_refused_with_its_rule(pos, name):
    changes, (field, message) = BAD[name]
    reply = send(pos, sale(1, **changes))
    assert reply.status == 422 and reply.headers["content-type"] == "application/json", reply
    assert reply.json["status"] == "error" and reply.json["message"] == "Validation failed for the request body"
    (error,) = reply.json["errors"]
    if message:
        assert error == error_of(field, message)
    else:
        assert error.startswith(error_of(field, None)) and "Value error" not in error
    native = pos.post("pos", sale(1, **changes))
    assert native.status == 422 and len(native.json["rejected"][0]["reasons"]) == 1


def test_every_violated_rule_at_once(pos):
    changes = {"store_id": "STORE_0", "items__0__quantity": 0, "items__1__quantity": -1, "payment_status": "x"}
    reply = send(pos, sale(1, **changes))
    assert reply.json["errors"] == [
        error_of("store_id", STORE),
        error_of("quantity", "Quantity must be positive"),
        error_of("quantity", "Quantity must be positive"),
        error_of("payment_status", "Invalid payment status: x"),
    ]
    native = pos.post("pos", sale(1, **changes)).json["rejected"][0]["reasons"]
    assert [reason["field"] for reason in native] == [
        "store_id", "items[0].quantity", "items[1].quantity", "payment_status",
    ]  # fmt: skip


def test_bodies_that_are_no_transaction(pos):
    required = ["Field 'body' validation failed: Field required"]
    assert send(pos, b"null").json["errors"] == required
    assert send(pos, b"").json["errors"] == required
    assert send(pos, b"[]").json["errors"][0].startswith("Field 'body' validation failed: ")
    for body in (b"{", b"{]", json.dumps(sale()).replace("4.57", "NaN").encode(), b"\xff"):
        reply = send(pos, body)
        assert reply.status == 422 and "JSON decode error" in reply.json["errors"][0], reply
    assert send(pos, b"{]").json["errors"][0].startswith("Field '1' validation failed: JSON decode error")
    reply = pos.request("GET", PATH)
    assert reply.status == 405 and set(reply.json) == {"detail"} and reply.headers["allow"] == "POST"


@pytest.mark.parametrize("path", [PATH, "/invoicedata"])
def test_a_body_of_another_media_type_is_kept_and_refused(tmp_path, path):
    # Good as JSON, and not sent as such: judged so for ever, also when the tables are built again.
    body = json.dumps(sale(1) if path == PATH else line()).encode()
    feed = "pos" if path == PATH else "invoices"
    message = 'Content-Type "text/plain" is not read here; send application/json'
    with running(new_till(tmp_path)) as till:
        assert till.request("POST", path, b"", {"Content-Type": "text/plain"}).status == 422
        assert totals(till)["received"] == 0, "nothing is kept of no byte"
        reply = till.request("POST", path, body, {"Content-Type": "Text/Plain; charset=utf-8"})
        assert reply.status == 422, reply
        if path == PATH:
            assert reply.json["errors"] == [error_of("body", None) + message]
        else:
            (detail,) = reply.json["detail"]
            assert (detail["loc"], detail["type"], detail["msg"]) == (["body"], "content_type_unknown", message)
        till.stop()
        (tmp_path / "data/tables.sqlite").unlink()
        till.start()
        (entry,) = quarantined(till)
        assert entry["bytes"].encode() == body and entry["feed"] == feed
        assert [(r["rule"], r["value"], r["message"]) for r in entry["reasons"]] == [
            ("content_type_unknown", "text/plain", message)
        ]
        assert (totals(till)["quarantined"], totals(till)["distinct"]) == (1, 0)
        # Judged again it is read as JSON, because somebody looked at it.
        reply = till.request("POST", "/v1/quarantine/redrive?after=latest", {"ids": [entry["id"]]}, JSON)
        assert reply.status == 202 and totals(till)["distinct"] == 1
        till.stop()
        assert [record.get("media_type") for record in log_dump(till, f"feed.{feed}")] == ["text/plain", None]
        ended(till_command("prove", "--data", till.data), 0)


def test_the_health_of_the_reference_system(pos):
    reply = pos.get(HEALTH)
    assert reply.status == 200
    assert reply.json == {"status": "ok", "message": "The application is healthy and running."}
    assert pos.request("POST", HEALTH, b"{}").status == 405


def test_what_is_answered_survives_a_kill_and_what_is_refused_is_kept(tmp_path):
    till = new_till(tmp_path)
    with running(till):
        assert send(till, sale(1)).status == 200
        assert send(till, sale(2, store_id="STORE_0")).status == 422
        assert send(till, b"null").status == 422
        till.kill9()
        till.start()
        assert {item["bytes"] for item in quarantined(till)} == {"null", json.dumps(sale(2, store_id="STORE_0"))}
        assert totals(till)["received"] == 3
        till.stop()
        assert len(log_dump(till, "feed.pos")) == 3


def test_corrections_receipts_and_failed_payments_are_counted(tmp_path):
    with running(new_till(tmp_path)) as till:
        names = ("ingest_sales_corrected_total", "ingest_receipts_differing_total", "ingest_payments_failed_total")

        def counts():
            return [metric(till, name) for name in names]

        assert counts() == [0, 0, 0]
        assert send(till, sale(1)).status == 200
        assert counts() == [0, 0, 0]
        assert send(till, sale(2, total_amount=99.99)).status == 200
        assert send(till, sale(3, receipt__total_amount=9)).status == 200
        assert till.post("pos", [sale(4, payment_status="failure"), sale(5, items__0__total_price=1)]).status == 202
        assert send(till, sale(6, total_amount=99.99, store_id="STORE_0")).status == 422
        assert counts() == [2, 1, 1]


@pytest.mark.parametrize("path", [PATH, "/invoicedata", "/v1/feeds/{feed}"])
def test_a_slow_disk_is_answered_with_retry_after(tmp_path, path):
    # A mebibyte may wait while a sync takes a second; records of 50 KB pass it.
    note = {"note": "x" * 50_000}
    bodies = [line(**note) if path == "/invoicedata" else sale(number, **note) for number in range(60)]
    with running(new_till(tmp_path, "--log.waiting_mebibytes", "1", "--log.added_sync_milliseconds", "1000")) as till:
        target = path.replace("{feed}", "pos")
        with ThreadPoolExecutor(60) as pool:
            replies = list(pool.map(lambda body: till.request("POST", target, body, JSON), bodies))
        taken = [reply for reply in replies if reply.status < 300]
        refused = [reply for reply in replies if reply.status >= 300]
        assert taken and refused and {reply.status for reply in refused} == {429}, replies
        for reply in refused:
            sentence = reply.json["detail"] if path == PATH else reply.json["error"]["message"]
            assert "wait" in sentence and reply.headers["content-type"] == "application/json"
            assert reply.headers["retry-after"] == "1"
        check_documented(till, refused[0], path)
        assert totals(till)["received"] == len(taken)


def basic(name, password):
    return {**JSON, "Authorization": "Basic " + base64.b64encode(f"{name}:{password}".encode()).decode()}


def test_credentials_of_the_reference_system(tmp_path):
    scopes = {
        "pos-service_1": ["ingest:pos"],
        "every": ["ingest:*"],
        "aggregation": ["read:sales"],
        "other": ["ingest:invoices"],
    }
    config = tmp_path / "till.yaml"
    config.write_text(
        "identities:\n"
        + "".join(
            f"  - {json.dumps({'name': n, 'secret_sha256': hashlib.sha256(n.encode()).hexdigest(), 'scopes': s})}\n"
            for n, s in scopes.items()
        )
    )
    with running(new_till(tmp_path, "--config", config)) as till:
        for headers in (JSON, {**JSON, "Authorization": "Basic"}, {**JSON, "Authorization": "Digest x"}):
            reply = send(till, sale(), headers)
            assert reply.status == 401 and reply.json == {"detail": "Not authenticated"}, headers
            assert reply.headers["www-authenticate"].startswith("Basic")
        for headers in (basic("pos-service_1", "guess"), basic("nobody", "x"), {**JSON, "Authorization": "Basic ???"}):
            reply = send(till, sale(), headers)
            assert reply.status == 401 and reply.json == {"detail": "Invalid credentials"}, headers
            check_documented(till, reply, PATH, headers=basic("aggregation", "aggregation"))
            assert reply.headers["www-authenticate"].startswith("Basic")
        for name in ("aggregation", "other"):
            reply = send(till, sale(), basic(name, name))
            assert reply.status == 403 and list(reply.json) == ["detail"] and "ingest:pos" in reply.json["detail"]
            check_documented(till, reply, PATH, headers=basic("aggregation", "aggregation"))
        for name in ("pos-service_1", "every"):
            assert send(till, sale(), basic(name, name)).status == 200
        assert till.get(HEALTH).status == 200


def test_the_path_can_be_off(tmp_path):
    with running(new_till(tmp_path, "--compatibility.pos", "off")) as till:
        assert send(till, sale()).status in (404, 405) and till.get(HEALTH).status == 404
        assert till.post("pos", sale()).status == 202
