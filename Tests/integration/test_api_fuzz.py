"""Questions that make no sense, to every path: an answer as documented, never a crash, a hang or a 5xx.

Paths and parameters are those of the OpenAPI document, values are extreme numbers, times, keys, cursors that no page
gave, and bytes. TILL_FUZZ=full asks 100,000 times, TILL_SEED others.
"""

import json
import os
import random
from urllib.parse import quote

import pytest
from messages import EPOCH, MENU, at, order, restaurant, sale, send, user
from support import JSON, line, new_till, running, totals

REQUESTS = 100_000 if os.environ.get("TILL_FUZZ") == "full" else 4_000
SEED = int(os.environ.get("TILL_SEED", "1"))
INTEGERS = [0, 1, -1, 2**31, 2**32, 2**63 - 1, 2**63, -(2**63), -(2**63) - 1, 2**64, 10**30, 999, 1000, 1001, 30_000]
TEXTS = [
    "", " ", "0", "true", "false", "all", "open", "NaN", "1e400", "١", "\x00", "é", "😀", "'", '"', "%", "_", "--",
    "a" * 1_500, "; DROP TABLE document", "17850", "invoices:17850", ":", "::", "pos:", ":STORE_1", "pos:STORE_1",
    "orders:u1", "536365", "invoices:536365", "native", "reference", "day", "hour", "year", "vw_TotalSales", "latest",
]  # fmt: skip
TIMES = [
    "0000-00-00", "0001-01-01", "9999-12-31", "10000-01-01", "-0001-01-01", "1970-01-01", "2024-02-30", "2024-11-15",
    "2024-11-15T00:00:00Z", "2024-11-15T24:00:00Z", "9999-12-31T23:59:59.999999Z", "0001-01-01T00:00:00+14:00",
]  # fmt: skip
POSITIONS = [
    "feed.pos/0:1",
    f"feed.pos/0:{2**63 - 1}",
    f"feed.pos/0:{2**64}",
    "feed.pos/0:-1",
    "feed.pos/-1:1",
    ",",
    ":",
]
# Keys that there are.
KNOWN = {
    "id": ["17850", "invoices:17850", "orders:u1", "536365", "invoices:536365"], "run": ["night"], "feed": ["pos"],
    "store": ["pos:STORE_1", "STORE_1"], "start": [at(0, EPOCH), at(60, EPOCH)], "entry": ["1", "2"],
    "view": ["vw_TotalSales"],
}  # fmt: skip
# 414: a cursor longer than a request line may be.
ANSWERS = {200, 400, 404, 409, 414, 504}


@pytest.fixture(scope="module")
def till(tmp_path_factory):
    """A little of every feed, some of it bad, parked, late or in conflict."""
    with running(new_till(tmp_path_factory.mktemp("fuzz"))) as till:
        for lines in ([line(), line(StockCode="B")], [line(InvoiceNo="C536365", Quantity=-1)]):
            assert till.post("invoices", lines, headers={"X-Till-Run": "night"}).status == 202
        send(till, "restaurants", restaurant("r1", "First", MENU))
        send(till, "users", user("u1", "One"), user("u1", "Other"), sender="till-7", sequence=3)
        send(till, "users", user("u2", "Two"), sender="till-7", sequence=1)
        send(till, "orders", order(1, "u1", "r1", MENU, ["p1", "p2"]), order(2, "nobody", "r1", MENU, ["p1"]))
        for second in (1, 61, 121, 2):
            send(till, "pos", sale("STORE_1", at(second, EPOCH), 5.0))
        assert till.post("pos", [1, "x", {}]).status == 422
        totals(till)
        yield till


def cursor(chance):
    """What a page might have given, and what none has."""
    parts = [str(chance.choice(INTEGERS + TEXTS + TIMES)) for _ in range(chance.randrange(1, 6))]
    text = "\x1f".join(parts).encode().hex()
    return chance.choice([text, text.upper(), text[:-1], text + "zz", "1f" * chance.randrange(0, 5), "ff", "00"])


def value(chance, name):
    if name == "cursor" or chance.random() < 0.1:
        return cursor(chance)
    if name == "after":
        return chance.choice([*POSITIONS, "latest", "x"])
    if name == "wait_ms":
        return str(chance.choice([1, 2, 0, -1, 30_001, "x"]))
    if name in KNOWN and chance.random() < 0.5:
        return chance.choice(KNOWN[name])
    pool = chance.choice([INTEGERS, TEXTS, TIMES, [str(number) for number in range(12)]])
    return str(chance.choice(pool))


def path_of(chance, template, operation):
    known = [one for one in operation.get("parameters", []) if one["in"] == "query"]
    path = template
    for one in operation.get("parameters", []):
        if one["in"] == "path":
            known_keys = KNOWN[one["name"]] if chance.random() < 0.5 else [value(chance, one["name"])]
            path = path.replace("{" + one["name"] + "}", quote(chance.choice(known_keys), safe=""))
    chosen = chance.sample(known, chance.randrange(0, len(known) + 1)) if known else []
    query = [(one["name"], value(chance, one["name"])) for one in chosen]
    if "after" in dict(query):
        # Nobody is to wait here.
        query = [pair for pair in query if pair[0] != "wait_ms"] + [("wait_ms", chance.choice(["1", "x", "0"]))]
    return path + ("?" + "&".join(f"{name}={quote(text, safe='')}" for name, text in query) if query else "")


def test_no_question_breaks_it(till):
    chance = random.Random(SEED)
    document = till.get("/v1/openapi.json").json
    paths = [
        (template, operation)
        for template, methods in document["paths"].items()
        if (operation := methods.get("get")) and template != "/v1/live"
    ]
    assert len(paths) > 30
    seen = {}
    for _ in range(REQUESTS):
        template, operation = chance.choice(paths)
        path = path_of(chance, template, operation)
        reply = till.request(chance.choice(["GET", "GET", "GET", "HEAD"]), path)
        seen.setdefault(template, set()).add(reply.status)
        # NUL in a path is refused by the transport, with 400.
        assert reply.status in ANSWERS, f"{path}: {reply}"
        if reply.status != 200 and reply.body:
            error = reply.json["error"]
            assert error["code"] and error["message"].endswith((".", "?")), f"{path}: {error}"
    assert till.process.poll() is None and till.get("/health/ready").status == 200
    answered = [template for template, statuses in seen.items() if 200 in statuses]
    # There is no proof.
    assert set(seen) - set(answered) <= {"/v1/proof"}, f"never answered: {set(seen) - set(answered)}"


def test_no_body_breaks_an_action(till):
    chance = random.Random(SEED)
    for _ in range(REQUESTS // 10):
        selection = {
            name: chance.choice([value(chance, name), chance.choice(INTEGERS), [chance.choice(INTEGERS)], None, [], {}])
            for name in chance.sample(["ids", "feed", "rule", "after", "other"], chance.randrange(0, 4))
        }
        body = json.dumps(selection)
        if chance.random() < 0.2:
            body = body[: chance.randrange(0, len(body))]
        reply = till.request("POST", "/v1/quarantine/redrive", body.encode(), JSON)
        assert reply.status in {202, 400, 404, 409, 413}, f"{body}: {reply}"
    assert till.process.poll() is None and totals(till)["received"] > 0
