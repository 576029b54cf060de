"""A feed that is only a YAML file beside the built-in one, waiting for positions, and the live figures."""

import http.client
import json
import threading
import time

import pytest
from conftest import ROOT
from support import check_shape, line, new_till, schema_of, totals

CORNER_SHOP = ROOT / "Tests/ContractsTests/Fixtures/corner-shop.yaml"


def corner_shop_config(directory):
    """The fixture of the contract tests, with the setting that the mapper of this build asks for."""
    text = CORNER_SHOP.read_text()
    contract = directory / "corner-shop.yaml"
    if "\n  store:" not in text:
        text = text.replace("settings:\n", "settings:\n  store: CORNER\n", 1)
    contract.write_text(text)
    config = directory / "till.yaml"
    config.write_text(f"contracts: [{contract}]\n")
    return config


@pytest.fixture(scope="module")
def two_feeds(tmp_path_factory):
    """A till that knows a feed only from a YAML file."""
    directory = tmp_path_factory.mktemp("feeds")
    till = new_till(directory, "--config", corner_shop_config(directory))
    try:
        yield till.start()
    finally:
        till.kill9()


def receipt(**changes):
    return {
        "receipt": "R1", "store": "STORE_7", "sold_at": "2010-12-01T10:00:00Z", "total": 5.0, "customer": "17850",
        "lines": [{"item": "apple", "label": "APPLE", "quantity": 2, "unit_price": 2.5, "total_price": 5.0}], **changes,
    }  # fmt: skip


def test_a_feed_written_only_in_yaml_reaches_the_tables(two_feeds):
    till = two_feeds
    reply = till.post("corner-shop", receipt())
    assert reply.status == 202 and reply.json["accepted"] == 1, reply
    assert reply.json["position"].startswith("feed.corner-shop/0:")
    assert till.post("invoices", line()).status == 202
    bad = till.post("corner-shop", receipt(receipt="R2", store="SHOP", colour="red", payment="cheque"))
    assert bad.status == 422, bad
    rules = {reason["rule"] for reason in bad.json["rejected"][0]["reasons"]}
    assert {"store_form", "card_known"} <= rules and len(rules) >= 3, "all reasons at once"
    invoice = till.get("/v1/invoices/corner:R1?after=latest").json
    assert [(item["product"], item["total"], item["kind"]) for item in invoice["lines"]] == [("apple", "5.00", "gross")]
    by_currency = {item["currency"]: item["gross"] for item in till.get("/v1/sales/total").json["totals"]}
    assert by_currency == {"GBP": "15.30", "EUR": "5.00"}, "currencies are never added"
    assert {feed["feed"] for feed in till.get("/v1/status").json["feeds"]} >= {"invoices", "corner-shop"}
    assert till.post("corner-shop", receipt(receipt="R9"), headers={"X-Till-Run": "r"}).status == 202
    assert till.get("/v1/runs/r?after=latest").json["feed"] == "corner-shop"


def test_a_bare_key_of_two_sources_is_ambiguous(two_feeds):
    till = two_feeds
    openapi = till.get("/v1/openapi.json").json
    assert till.post("corner-shop", receipt(receipt="536365", customer="17850")).status == 202
    assert till.post("invoices", line()).status == 202
    totals(till)
    for path, key in (("/v1/customers/{id}/spend", "17850"), ("/v1/invoices/{id}", "536365")):
        reply = till.get(path.format(id=key))
        assert reply.status == 409, reply
        check_shape(reply.json, schema_of(openapi, path, "409"))
        assert reply.json["error"]["code"] == "ambiguous"
        assert sorted(reply.json["error"]["candidates"]) == [f"corner:{key}", f"invoices:{key}"]
        for candidate in reply.json["error"]["candidates"]:
            assert till.get(path.format(id=candidate)).status == 200


def test_a_contract_outlives_its_file(tmp_path):
    """Stored events are judged under the text they were received with, also when the configuration is gone."""
    till = new_till(tmp_path, "--config", corner_shop_config(tmp_path))
    try:
        till.start()
        assert till.post("corner-shop", receipt()).status == 202
        before = till.get("/v1/sales/total?after=latest").body
        assert till.stop() == 0
        for name in ("tables.sqlite", "tables.sqlite-wal", "tables.sqlite-shm"):
            (till.data / name).unlink(missing_ok=True)
        till.arguments = []
        till.start()
        assert till.get("/v1/sales/total?after=latest").body == before, "tables are rebuilt from the log alone"
        assert till.post("corner-shop", receipt()).status == 404
    finally:
        till.kill9()


# --- positions --------------------------------------------------------------------------------------------------------


def test_after_gives_read_your_writes(till):
    for number in range(20):
        reply = till.post("invoices", line(InvoiceNo=str(number)))
        position = reply.json["position"]
        assert till.get(f"/v1/invoices/{number}?after={position}").status == 200
        assert till.get(f"/v1/sales/total?after={position}").json["totals"][0]["orders"] == number + 1


def test_after_a_position_that_does_not_come(till):
    started = time.monotonic()
    reply = till.get("/v1/sales/total?after=feed.invoices/0:5&wait_ms=400")
    assert reply.status == 504 and reply.json["error"]["code"] == "position_timeout", reply
    assert 0.35 < time.monotonic() - started < 3
    assert till.get("/v1/sales/total?after=feed.invoices/0:0&wait_ms=1").status == 200


def test_after_waits_for_what_comes_later(till):
    results = []
    waiting = threading.Thread(
        target=lambda: results.append(till.get("/v1/sales/total?after=feed.invoices/0:1&wait_ms=20000"))
    )
    waiting.start()
    time.sleep(0.3)
    assert not results
    assert till.post("invoices", line()).status == 202
    waiting.join(10)
    assert results and results[0].status == 200 and results[0].json["totals"][0]["gross"] == "15.30"


def test_live_figures(till):
    """The first event comes at once, another after a change, with the totals of the API."""
    connection = http.client.HTTPConnection("127.0.0.1", int(till.url.rsplit(":", 1)[1]), timeout=15)
    try:
        connection.request("GET", "/v1/live", headers={"Accept": "text/event-stream"})
        stream = connection.getresponse()
        assert stream.status == 200 and stream.headers["content-type"].startswith("text/event-stream")

        def figures():
            while True:
                text = stream.readline().decode().rstrip("\r\n")
                if text.startswith("data:"):
                    return json.loads(text[5:])

        figures()
        assert till.post("invoices", line()).status == 202
        while not (shown := figures())["totals"]:
            pass
        (wanted,), (total,) = till.get("/v1/sales/total").json["totals"], shown["totals"]
        assert total == {**wanted, "reference": "15.30"}
        assert {"position", "at", "totals", "accept_rate_per_second", "lag"} <= set(shown)
    finally:
        connection.close()


def test_the_compatible_paths_can_be_off(tmp_path):
    till = new_till(tmp_path, "--compatibility.invoices", "off").start()
    try:
        assert till.request("POST", "/invoicedata", line(), {"Content-Type": "application/json"}).status in (404, 405)
        assert b"Bonjour" not in till.get("/", {"Accept": "application/json"}).body
        assert till.post("invoices", line()).status == 202
    finally:
        till.kill9()
