"""What is in no table of routes, against the OpenAPI document: health, metrics, live feed, and what takes records.

test_api.py has the routes.
"""

import contextlib
import http.client
import json

import pytest
from support import JSON, check_documented, check_shape, line, new_till, raw_exchange, running, schema_of
from test_pos_endpoint import HEALTH, PATH
from test_pos_endpoint import sale as transaction

BAD_SALE, GOOD = transaction(1, store_id="STORE_0"), [("", None, None)]
RUN = {**JSON, "X-Till-Run": "r", "X-Till-Run-Row": "0"}
# Path, method and status of what is in no table of routes: feed, body and headers of examples.
OTHERS = {
    ("/health", "get", "200"): GOOD, ("/health/live", "get", "200"): GOOD, ("/health/ready", "get", "200"): GOOD,
    ("/metrics", "get", "200"): GOOD, ("/v1/openapi.json", "get", "200"): GOOD, (HEALTH, "get", "200"): GOOD,
    ("/v1/contracts/{feed}", "get", "200"): [("invoices", None, None), ("pos", None, None)],
    ("/v1/contracts/{feed}", "get", "404"): [("nothing", None, None)],
    ("/v1/feeds/{feed}", "post", "202"): [("invoices", line(), JSON), ("invoices", [line(), line(Quantity=0)], JSON)],
    ("/v1/feeds/{feed}", "post", "400"): [("invoices", b"", JSON)],
    ("/v1/feeds/{feed}", "post", "404"): [("nothing", line(), JSON)],
    ("/v1/feeds/{feed}", "post", "409"): [("invoices", line(), RUN)],
    ("/v1/feeds/{feed}", "post", "415"): [("pos", b"x", {"Content-Type": "text/plain"})],
    ("/v1/feeds/{feed}", "post", "422"): [("pos", BAD_SALE, JSON), ("pos", [BAD_SALE] * 1001, JSON)],
    ("/invoicedata", "post", "201"): [("", line(), JSON), ("", line(CustomerID=None, Description=None), JSON)],
    ("/invoicedata", "post", "400"): [("", line(InvoiceDate="yesterday"), JSON)],
    ("/invoicedata", "post", "422"): [
        ("", line(Quantity=0), JSON), ("", b"", JSON), ("", b"{", JSON), ("", b"{}", {"Content-Type": "text/plain"}),
    ],
    (PATH, "post", "200"): [("", transaction(2), JSON)],
    (PATH, "post", "422"): [
        ("", BAD_SALE, JSON), ("", b"", JSON), ("", b"{", JSON), ("", b"{}", {"Content-Type": "text/plain"}),
    ],
}  # fmt: skip
# Here below, in test_pos_endpoint.py (credentials, a slow disk), test_disk_full.py and test_quarantine_quota.py.
TRIED_ELSEWHERE = {
    ("/v1/live", "get", "200"), ("/v1/live", "get", "503"), ("/health/ready", "get", "503"), (HEALTH, "get", "503"),
    (PATH, "post", "401"), (PATH, "post", "403"),
} | {
    (path, "post", status)
    for path in (PATH, "/invoicedata", "/v1/feeds/{feed}")
    for status in ("413", "429", "503", "507")
}  # fmt: skip


@pytest.fixture(scope="module")
def other(tmp_path_factory):
    """A till for requests that change what it holds."""
    with running(new_till(tmp_path_factory.mktemp("other"))) as till:
        assert till.post("invoices", line(), headers=RUN).status == 202
        yield till


@pytest.fixture(scope="module")
def openapi(other):
    return other.get("/v1/openapi.json").json


def test_every_documented_status_is_tried(openapi):
    statuses = {
        (path, method, status)
        for path, item in openapi["paths"].items()
        if path in {path for path, _, _ in OTHERS} | {"/v1/live"}
        for method in item
        for status in item[method]["responses"]
    }
    assert statuses == set(OTHERS) | TRIED_ELSEWHERE


@pytest.mark.parametrize("path,method,status", sorted(OTHERS))
def test_other_answers_fit_the_document(other, openapi, path, method, status):
    answer = openapi["paths"][path][method]["responses"][status]
    for feed, body, headers in OTHERS[path, method, status]:
        reply = other.request(method.upper(), path.replace("{feed}", feed), body, headers)
        assert str(reply.status) == status, reply
        (kind,) = answer["content"]
        assert reply.headers["content-type"].startswith(kind)
        if kind == "application/json":
            check_shape(reply.json, answer["content"][kind]["schema"])


@pytest.mark.parametrize("path", [PATH, "/invoicedata", "/v1/feeds/{feed}"])
def test_a_body_that_is_too_large_is_told_as_documented(other, openapi, path):
    target = path.replace("{feed}", "pos")
    head = f"POST {target} HTTP/1.1\r\nHost: t\r\nContent-Type: application/json\r\nContent-Length: 20000000\r\n\r\n"
    answer = raw_exchange(other, head.encode())
    assert answer.startswith(b"HTTP/1.1 413 ")
    body = json.loads(answer.split(b"\r\n\r\n", 1)[1])
    check_shape(body, schema_of(openapi, path, "413", "post"))


def test_the_live_feed_is_a_stream_and_has_a_limit(tmp_path, openapi):
    host = {"Accept": "text/event-stream"}
    with running(new_till(tmp_path)) as till, contextlib.ExitStack() as open_ones:
        for number in range(500):
            connection = http.client.HTTPConnection("127.0.0.1", till._port, timeout=20)
            open_ones.callback(connection.close)
            connection.request("GET", "/v1/live", headers=host)
            answer = connection.getresponse()
            assert answer.status == 200 and answer.getheader("content-type") == "text/event-stream", number
            assert list(openapi["paths"]["/v1/live"]["get"]["responses"]["200"]["content"]) == ["text/event-stream"]
        refused = till.get("/v1/live", host)
        assert refused.status == 503 and refused.json["error"]["code"] == "live_full"
        check_documented(till, refused, "/v1/live", "get")


def test_paths_that_are_off_are_not_in_the_document(tmp_path):
    with running(new_till(tmp_path, "--compatibility.pos", "off", "--compatibility.invoices", "off")) as till:
        paths = till.get("/v1/openapi.json").json["paths"]
        assert "/v1/feeds/{feed}" in paths and not {PATH, HEALTH, "/invoicedata"} & set(paths)
