"""Requests that are refused as a whole, and why: paths, headers, codings, sizes, saturation."""

import gzip
import json
import threading

from support import JSON, line, new_till, raw_exchange, totals


def error(reply):
    assert reply.headers["content-type"] == "application/json"
    (found,) = reply.json.values()
    assert list(reply.json) == ["error"] and found["message"]
    return reply.status, found["code"]


def test_refused_requests(server):
    assert error(server.post("nothing", line())) == (404, "feed_unknown")
    assert error(server.post("invoices", "<a/>", "application/xml")) == (415, "content_type_unknown")
    assert error(server.post("invoices", b"")) == (400, "body_empty")
    assert error(server.get("/v1/feeds/invoices"))[0] == 405
    assert error(server.get("/invoicedata"))[0] == 405
    assert error(server.post("invoices", line(), headers={"X-Till-Sequence": "one"})) == (400, "sequence_invalid")
    assert error(server.post("invoices", line(), headers={"X-Till-Sequence": "1"})) == (400, "sender_missing")
    assert error(server.post("invoices", line(), headers={"X-Till-Sender": "s" * 513})) == (400, "header_too_long")
    zipped = server.post("invoices", gzip.compress(json.dumps(line()).encode()), headers={"Content-Encoding": "gzip"})
    assert error(zipped) == (415, "content_encoding_unknown")
    assert server.post("invoices", line(), headers={"Content-Encoding": "identity"}).status == 202
    for method in ("PUT", "DELETE", "PATCH"):
        assert server.request(method, "/v1/feeds/invoices", line(), JSON).status == 405


def test_a_body_above_the_limit(tmp_path):
    till = new_till(tmp_path, "--http.body_mebibytes_max", "1").start()
    try:
        body = b"[" + json.dumps(line()).encode() + b" " * (1 << 20) + b"]"
        head = f"POST /v1/feeds/invoices HTTP/1.1\r\nHost: localhost\r\nContent-Length: {len(body)}\r\n\r\n"
        answer = raw_exchange(till, head.encode())
        assert answer.startswith(b"HTTP/1.1 413 "), "told before the body is sent"
        assert b"1048576 bytes" in answer
        assert json.loads(answer.partition(b"\r\n\r\n")[2])["error"]["code"]
        chunked = b"POST /v1/feeds/invoices HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n"
        chunked += f"{len(body):x}\r\n".encode() + body + b"\r\n0\r\n\r\n"
        assert raw_exchange(till, chunked).startswith(b"HTTP/1.1 413 ")
        assert totals(till)["received"] == 0
    finally:
        till.kill9()


def test_too_many_records(server):
    assert error(server.post("invoices", b"[" + b",".join([b"1"] * 200_001) + b"]")) == (413, "too_many_records")
    assert error(server.post("invoices", b"1\n" * 200_001, "application/x-ndjson")) == (413, "too_many_records")


def test_saturation_is_told_and_harms_nothing(tmp_path):
    """A disk that takes 0.5 s and room for 1 MiB: some senders get 429 with Retry-After, nobody a wrong 202."""
    till = new_till(
        tmp_path, "--log.waiting_mebibytes", "1", "--log.added_sync_milliseconds", "500",
    ).start()  # fmt: skip
    replies = {}
    try:

        def send(number):
            lines = [line(InvoiceNo=f"S{number}", client_line_no=str(n)) for n in range(1500)]
            replies[number] = till.post("invoices", lines)

        threads = [threading.Thread(target=send, args=(number,)) for number in range(16)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        statuses = {number: reply.status for number, reply in replies.items()}
        assert set(statuses.values()) == {202, 429}, statuses
        for reply in replies.values():
            if reply.status == 429:
                assert int(reply.headers["retry-after"]) >= 1 and reply.json["error"]["code"], reply
        accepted = [number for number, status in statuses.items() if status == 202]
        assert totals(till)["received"] == 1500 * len(accepted)
        for number in accepted:
            assert len(till.get(f"/v1/invoices/S{number}").json["lines"]) == 1500
        metrics = till.get("/metrics").body.decode()
        assert f"till_ingest_saturated_total {16 - len(accepted)}" in metrics
    finally:
        till.kill9()
