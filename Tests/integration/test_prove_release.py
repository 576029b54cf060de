"""A till that is killed while it counts parked records: the proof says so, and one start finishes the release."""

import json
import re
import sqlite3
import time
from contextlib import closing

from retail_records import PIE, SOUP, TEA, order, restaurant, user
from support import DONE, RELEASING, ended, new_till, running, till_command, totals

# Counted some hundred in a commit: enough that a kill meets the middle.
ORDERS = 6_000
MESSAGE = (
    r"till: Nothing was proved: the tables are in the middle of a release, parked records whose reference arrived are"
    r" still being counted \(references: [1-9]\d*\)\. Beside a running till, prove again; else start till once on this"
    r" directory, which finishes the release, then prove\.\n"
)


def post(till, feed, body):
    reply = till.post(feed, json.dumps(body))
    assert reply.status == 202, reply


def wait_for_release(till):
    """Until some of the parked orders were counted and others wait."""
    query = "SELECT (SELECT count(*) FROM parked_release), (SELECT count(*) FROM parked)"
    deadline = time.monotonic() + 20
    with closing(sqlite3.connect(f"file:{till.data}/tables.sqlite?mode=ro", uri=True)) as tables:
        while time.monotonic() < deadline:
            references, parked = tables.execute(query).fetchone()
            if references and parked < ORDERS:
                return
    raise AssertionError("no release was seen")


def test_a_kill_in_the_middle_of_a_release_is_said_to_be_one(tmp_path):
    till = new_till(tmp_path)
    with running(till):
        for first in range(1, ORDERS + 1, 1_000):
            post(till, "orders", [order(first + n, n % 500, 60) for n in range(1_000)])
        post(till, "users", [user("u1", "Ольга")])
        assert totals(till)["parked"] == ORDERS
        ended(till_command("prove", "--data", till.data), DONE)
        before = (till.data / "proof.json").read_bytes()
        post(till, "restaurants", [restaurant("r1", 0, (SOUP, "Супы"), (TEA, "Напитки"), (PIE, "Выпечка"))])
        wait_for_release(till)
        till.kill9()
        for words in ([], ["--json"], ["--rows"]):
            said = ended(till_command("prove", "--data", till.data, *words), RELEASING)
            assert re.fullmatch(MESSAGE, said), said
        assert (till.data / "proof.json").read_bytes() == before, "what was not proved is no report"
        till.start()
        found = totals(till)
        assert (found["parked"], found["distinct"]) == (0, ORDERS + 2)
        assert till.stop() == 0
        for words in ([], ["--rows"]):
            assert ": 0 differences" in ended(till_command("prove", "--data", till.data, *words), DONE)
