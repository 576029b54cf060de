"""Queries that take long neither last for ever nor keep those that are quick from their answers."""

import threading

from conftest import wait_until
from support import line, metric, new_till, running

MANY = 20_000


def fill(till):
    names = ",".join(line())
    for start in range(0, MANY, 5_000):
        rows = [
            ",".join(str(x) for x in line(InvoiceNo=f"Q{n}", StockCode=f"P{n}").values())
            for n in range(start, start + 5_000)
        ]
        reply = till.request(
            "POST", "/v1/feeds/invoices", "\n".join([names, *rows]).encode(), {"Content-Type": "text/csv"}
        )
        assert reply.json["accepted"] == 5_000, reply
    assert till.get("/v1/status?after=latest&wait_ms=30000").status == 200


def test_a_query_beyond_its_time_is_interrupted(directory):
    config = directory / "till.yaml"
    config.write_text("queries: { milliseconds_max: 1 }\n")
    with running(new_till(directory, "--config", config)) as till:
        fill(till)
        reply = till.get("/v1/views/sale_line?limit=100000")
        assert (reply.status, reply.json["error"]["code"]) == (503, "query_over_budget"), reply
        assert "longer than 1 ms (queries.milliseconds_max)" in reply.json["error"]["message"]
        assert metric(till, "query_interrupted_total") == 1
        # The connection to the tables is as good as before.
        assert till.get("/v1/invoices/invoices:Q7").json["totals"][0]["gross"] == "15.30"


def test_quick_queries_do_not_wait_behind_long_ones(directory):
    with running(new_till(directory)) as till:
        fill(till)
        done = []

        def long():
            done.append(till.get("/v1/views/sale_line?limit=20000").status)

        clients = [threading.Thread(target=long) for _ in range(24)]
        for client in clients:
            client.start()
        wait_until(lambda: metric(till, "query_requests_total") > 2)
        for path in ["/v1/status", "/v1/sales/total", "/v1/overview", "/v1/invoices/invoices:Q7", "/health/ready"]:
            assert till.get(path).status == 200
        assert len(done) < 12, "all these were answered while most of the others waited"
        for client in clients:
            client.join()
        assert done == [200] * 24
