"""A data directory of an earlier version is taken over: its tables are folded again from its log, nothing is lost."""

import random
import sqlite3
import subprocess
import tarfile
import time
from contextlib import closing
from decimal import Decimal
from pathlib import Path

import pytest
from conftest import wait_until
from messages import at, sale, send
from steady_load import sums
from support import DAMAGED, USAGE, binary, ended, line, new_till, running, till_command, totals

FIXTURE = Path(__file__).with_name("fixtures") / "data-0.1.0.tar.gz"
OLD, NEW = 1, 7


@pytest.fixture
def server(tmp_path):
    with tarfile.open(FIXTURE) as archive:
        archive.extractall(tmp_path, filter="data")
    till = new_till(tmp_path)
    try:
        yield till
    finally:
        till.kill9()


def check_same(till, before):
    """Figures of the old tables, from the API and from the new file."""
    found = totals(till)
    control = {"distinct" if name == "distinct_events" else name: n for name, n in before["control"].items()}
    assert {name: found[name] for name in control} == control
    assert found["received"] == found["distinct"] + found["duplicates"] + found["quarantined"] + found["parked"]
    (total,) = till.get("/v1/sales/total?after=latest").json["totals"]
    money = before["money"]
    assert Decimal(total["gross"]) == money["gross"]
    assert Decimal(total["returns"]) == abs(money["returns"])
    assert Decimal(total["net"]) == money["gross"] - abs(money["returns"])
    assert (total["orders"], total["units"] * 1_000) == (before["orders"], before["units"])
    after = sums(till.data / "tables.sqlite")
    assert after["schema"] == NEW
    assert {name: after[name] for name in ("control", "money", "units", "orders")} == {
        name: before[name] for name in ("control", "money", "units", "orders")
    }


def prove(till):
    """The tables are what the log says."""
    done = till_command("prove", "--data", till.data)
    assert done.returncode == 0, (done.stdout + done.stderr).decode()


def test_an_earlier_data_directory_is_folded_again(server):
    before = sums(server.data / "tables.sqlite")
    assert before["schema"] == OLD and before["control"]["received"] > 800 and before["orders"] > 20
    server.start()
    check_same(server, before)
    # Said after the old tables were removed.
    wait_until(lambda: "tables.rebuild_finished schema=1" in server.log_tail(), 10, "the rebuild to be finished")
    assert not (server.data / "tables.v1.sqlite").exists()
    said = server.log_tail()
    assert "tables.rebuild_started schema=1" in said
    assert f"until=feed.invoices/0:{before['positions']['feed.invoices/0']}" in said
    reply = server.post("invoices", line(InvoiceNo="NEW1"))
    assert reply.status == 202, reply
    assert totals(server)["distinct"] == before["control"]["distinct_events"] + 1
    assert server.stop() == 0
    prove(server)
    verified = till_command("log", "verify", "--data", server.data)
    assert verified.returncode == 0 and b"0 damages" in verified.stdout
    names = {path.name for path in server.data.iterdir()} - {"tables.sqlite-wal", "tables.sqlite-shm"}
    assert names == {"ID", "LOCK", "log", "tables.sqlite", "proof.json"}

    # Once taken over it is a data directory like any other.
    server.start()
    assert totals(server)["distinct"] == before["control"]["distinct_events"] + 1
    assert server.log_tail().count("tables.rebuild_started") == 1


def test_a_kill_at_any_moment_of_the_upgrade_is_gone_on_from(server):
    before = sums(server.data / "tables.sqlite")
    chance = random.Random(20101201)
    for _ in range(20):
        command = [binary(), "up", "--data", server.data, "--listen", "127.0.0.1:0"]
        with (
            open(server.log_path, "ab") as log,
            subprocess.Popen(list(map(str, command)), stdout=log, stderr=log) as up,
        ):
            time.sleep(chance.uniform(0, 0.15))
            up.kill()
        assert any((server.data / name).exists() for name in ("tables.sqlite", "tables.v1.sqlite"))
    server.start()
    check_same(server, before)
    wait_until(lambda: not (server.data / "tables.v1.sqlite").exists(), 10, "the old tables to be removed")


def test_a_log_that_does_not_reach_as_far_as_the_old_tables_is_refused(server):
    segment = server.data / "log/feed.invoices/0/00000000000000000000.log"
    with open(segment, "r+b") as file:
        file.truncate(segment.stat().st_size - 10)
    for _ in range(2):
        said = ended(till_command("up", "--data", server.data, "--listen", "127.0.0.1:0"), DAMAGED)
        assert "feed.invoices/0" in said and "00000000000000000000.log" in said
    assert (server.data / "tables.v1.sqlite").exists(), "the old tables are kept"


def test_tables_of_a_newer_till_are_refused(server):
    with closing(sqlite3.connect(server.data / "tables.sqlite")) as db:
        db.execute("pragma user_version = 99")
    said = ended(till_command("up", "--data", server.data, "--listen", "127.0.0.1:0"), USAGE)
    assert "schema 99" in said and f"this till knows {NEW}" in said
    assert sums(server.data / "tables.sqlite")["schema"] == 99


def test_windows_of_an_earlier_rule_are_folded_again(tmp_path):
    """Schema 2 let idleness bring a watermark ahead of receipt time; its tables are not gone on with."""
    till = new_till(tmp_path)
    with running(till):
        send(till, "pos", sale("STORE_1", at(1), 1.0), sale("STORE_1", at(40), 2.0))
        (before,) = till.get("/v1/stores?after=latest").json["items"]
        assert till.stop() == 0
        with closing(sqlite3.connect(till.data / "tables.sqlite")) as db:
            db.execute("update store_watermark set watermark = 4070908800000000")
            db.execute("pragma user_version = 2")
            db.commit()
        till.start()
        assert till.get("/v1/stores?after=latest").json["items"] == [before] and before["watermark"] == at(40)
        wait_until(lambda: "tables.rebuild_finished schema=2" in till.log_tail(), 10, "the rebuild to be finished")
        assert not (till.data / "tables.v2.sqlite").exists()
        assert till.stop() == 0
        prove(till)
