"""Quarantine has a quota: beyond it bad records are refused and good ones are taken, until there is room again."""

import re

import pytest
from conftest import ROOT
from messages import at, changed_contract, sale, send
from support import JSON, check_documented, line, new_till, running, till_command, totals
from test_pos_endpoint import PATH

QUOTA = 1 << 20
SENTENCE = (
    r"Quarantine holds (\d+) bytes of open entries and may hold 1048576; the bad records of this request would add "
    r"(\d+), so nothing of it was stored\. See `till quarantine list`; correct the sender, redrive or discard entries, "
    r"or raise quarantine\.mebibytes_max\. Requests without bad records are still taken\."
)


def bad(number, size=300_000):
    """A sale of a store that the contract does not know, and a field that nobody reads."""
    return sale("STORE_12", at(number), 1.5, note="x" * size)


@pytest.fixture
def full(directory):
    """A till whose quarantine has four entries and room for none."""
    with running(new_till(directory, "--quarantine.mebibytes_max", "1")) as till:
        for number in range(3):
            assert till.post("pos", bad(number)).status == 422
            assert totals(till)["quarantined"] == number + 1
        used = open_bytes(till)
        each = used // 3 - 300_000
        assert each > 400, "keys and reasons count too"
        assert till.post("pos", bad(3, QUOTA - used - each - 50)).status == 422
        assert totals(till)["quarantined"] == 4
        assert QUOTA - 200 < open_bytes(till) <= QUOTA
        yield till


def open_bytes(till):
    for text in till.get("/metrics").body.decode().splitlines():
        if text.startswith('till_quarantine_open_bytes{feed="pos"}'):
            return int(text.split()[1])
    raise AssertionError("no metric quarantine_open_bytes")


def check_refused(till):
    end = totals(till)["received"]
    for body in (bad(5), [sale("STORE_1", at(6), 1), bad(7, 10)]):
        reply = till.post("pos", body)
        assert reply.status == 507 and reply.json["error"]["code"] == "quarantine_full", reply
        held = re.fullmatch(SENTENCE, reply.json["error"]["message"])
        check_documented(till, reply, "/v1/feeds/{feed}")
        assert held and int(held[1]) <= QUOTA < int(held[1]) + int(held[2]), reply.json
    assert totals(till)["received"] == end, "nothing of a refused request is stored"


def test_beyond_the_quota_only_good_records_are_taken(full):
    check_refused(full)
    send(full, "pos", sale("STORE_1", at(8), 1))
    # Every path that takes records, in its own words; the quota is one for all feeds.
    reply = full.request("POST", PATH, bad(9), JSON)
    assert reply.status == 507 and set(reply.json) == {"detail"} and re.fullmatch(SENTENCE, reply.json["detail"])
    check_documented(full, reply, PATH)
    assert full.request("POST", PATH, sale("STORE_1", at(9), 1), JSON).status == 200
    reply = full.request("POST", "/invoicedata", line(Quantity=0), JSON)
    assert reply.status == 507 and reply.json["error"]["code"] == "quarantine_full"
    check_documented(full, reply, "/invoicedata")
    assert full.request("POST", "/invoicedata", line(), JSON).status == 201
    assert (totals(full)["quarantined"], totals(full)["distinct"]) == (4, 3)
    full.kill9()
    full.start()
    totals(full)
    check_refused(full)


def test_discarding_makes_room(full):
    first = full.get("/v1/quarantine").json["items"][-1]["id"]
    said = till_command("quarantine", "discard", first, "--to", full.url)
    assert said.returncode == 0, said
    assert full.post("pos", bad(9)).status == 422
    totals(full)
    check_refused(full)


def test_redriving_makes_room(full, directory):
    full.stop()
    config = changed_contract(directory, ROOT, "pos", "stores_max: 10", "stores_max: 20")
    full.arguments += ["--config", config]
    full.start()
    totals(full)
    assert full.post("pos", sale("STORE_21", at(9), 1)).status == 507
    reply = full.request("POST", "/v1/quarantine/redrive?after=latest", {"feed": "pos"}, JSON)
    assert reply.status == 202 and totals(full)["distinct"] == 4
    assert full.post("pos", sale("STORE_21", at(9), 1)).status == 422


def test_a_request_of_tiny_records_counts_with_what_is_stored(directory):
    """200,000 times `{}` are 600 KB to send and hundreds of MB to keep; it was counted with 400 KB."""
    with running(new_till(directory, "--quarantine.mebibytes_max", "1")) as till:
        reply = till.post("pos", b"[" + b",".join([b"{}"] * 5_000) + b"]")
        assert reply.status == 507 and re.fullmatch(SENTENCE, reply.json["error"]["message"]), reply
        assert totals(till)["received"] == 0
        # One by one they are taken until the limit is met, however far the tables are behind.
        taken = 0
        while till.post("pos", b"{}").status == 422:
            taken += 1
        totals(till)
        assert 100 < taken < 1_000 and QUOTA - 5_000 < open_bytes(till) <= QUOTA
        assert till_command("prove", "--data", till.data).returncode == 0
