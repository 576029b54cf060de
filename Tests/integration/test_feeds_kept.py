"""All feeds through a backup and a restore, and through full disks of log and of tables; then the proof."""

import json
import sqlite3
from contextlib import closing

from conftest import wait_until
from feeds_load import FeedsLoad, check_feeds, send_references
from support import DONE, ended, new_till, running, till_command, totals
from test_disk_full import MEBIBYTE, is_ready, parts, server, small_disk  # noqa: F401


def prove(data):
    report = json.loads(ended(till_command("prove", "--data", data, "--json"), DONE).splitlines()[0])
    assert report["differences"] == 0, report["found"]
    return {feed["feed"]: feed for feed in report["feeds"]}, report["position"]


def contents(data):
    """Every row of every table, with ids and positions."""
    with closing(sqlite3.connect(f"file:{data}/tables.sqlite?mode=ro", uri=True)) as tables:
        names = [name for (name,) in tables.execute("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY 1")]
        # The owner's number counts starts, not data.
        names.remove("till_owner")
        return {name: sorted(map(repr, tables.execute(f'SELECT * FROM "{name}"'))) for name in names}


def test_a_restored_directory_is_proved_and_equal(tmp_path):
    for name in ("first", "second", "third"):
        (tmp_path / name).mkdir()
    till = new_till(tmp_path / "first", "--log.segment_mebibytes", "1")
    with running(till):
        send_references(till)
        with FeedsLoad(till, senders=3, lines=20) as load:
            wait_until(lambda: len(load.acknowledged) > 60, 60, "the load")
            # On a busy machine the tables follow later.
            totals(till)
            ended(till_command("backup", tmp_path / "beside", "--data", till.data), DONE)
            so_far = len(load.acknowledged)
            wait_until(lambda: len(load.acknowledged) > so_far, 60, "more load")
        check_feeds(till, load)
        ended(till_command("backup", tmp_path / "rest", "--data", till.data), DONE)
        assert till.stop() == 0
    source = contents(till.data)
    assert all(source[name] for name in ("parked", "quarantine", "store_window", "user_product", "menu_item", "sender"))

    # Made at rest: the same rows, before anything was folded.
    ended(till_command("restore", tmp_path / "rest", "--data", tmp_path / "second/data"), DONE)
    assert contents(tmp_path / "second/data") == source
    feeds, position = prove(tmp_path / "second/data")
    assert feeds["orders"]["parked"] and feeds["pos"]["quarantined"] and feeds["invoices"]["distinct"]
    assert position == prove(till.data)[1]

    # Made beside the load: proved as it is, and again when the log behind its positions was folded.
    ended(till_command("restore", tmp_path / "beside", "--data", tmp_path / "third/data"), DONE)
    feeds, _ = prove(tmp_path / "third/data")
    assert set(feeds) == {"invoices", "orders", "pos", "restaurants", "users"}
    assert 0 < feeds["orders"]["received"] <= load.size(2) * len(load.acknowledged)
    restored = new_till(tmp_path / "third")
    with running(restored):
        totals(restored)
        assert restored.stop() == 0
    prove(restored.data)


def test_all_feeds_on_one_full_disk(small_disk, server):  # noqa: F811
    disk = small_disk("disk", 48)
    till = server(disk.path)
    till.start()
    send_references(till)
    with FeedsLoad(till, senders=3, lines=40) as load:
        wait_until(lambda: len(load.acknowledged) > 20, 30, "the load")
        disk.fill(6 * MEBIBYTE)
        wait_until(lambda: len(load.refusals("log.full")) > 20, 60, "refusals")
        # Each feed's log has something written ahead, and goes on until that is full.
        feeds = {"invoices", "pos", "orders"}
        wait_until(lambda: {load.feed(request) for request, _ in list(load.refused)} == feeds, 60, "all to be refused")
        so_far = len(load.acknowledged)
        disk.release()
        wait_until(lambda: len(load.acknowledged) > so_far + 20, 30, "ingest to go on")
    assert {(reply.status, reply.json["error"]["code"]) for _, reply in load.refused} == {(503, "log.full")}
    wait_until(lambda: is_ready(till), 20, "readiness")
    check_feeds(till, load)
    assert till.stop() == 0
    prove(till.data)


def test_all_feeds_while_the_tables_are_on_a_full_disk(small_disk, server, tmp_path):  # noqa: F811
    disk = small_disk("tables-disk", 48)
    till = server(tmp_path)
    till.data.mkdir()
    (till.data / "tables.sqlite").symlink_to(disk.path / "tables.sqlite")
    till.start()
    send_references(till)
    with FeedsLoad(till, senders=3, lines=40) as load:
        wait_until(lambda: len(load.acknowledged) > 20, 30, "the load")
        disk.fill(1 * MEBIBYTE)
        wait_until(lambda: not parts(till).get("processing", {"ok": True})["ok"], 60, "processing to fail")
        so_far = len(load.acknowledged)
        wait_until(lambda: len(load.acknowledged) > so_far + 12, 30, "ingest to go on meanwhile")
        assert parts(till)["log"]["ok"]
        disk.release()
    assert not load.refused
    wait_until(lambda: is_ready(till), 30, "readiness")
    check_feeds(till, load)
    assert till.stop() == 0
    prove(till.data)
