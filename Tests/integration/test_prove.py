"""`till prove`: the tables computed from the log a second time, and what it says when they were changed."""

import contextlib
import gzip
import json
import shutil
import sqlite3
import threading

import pytest
from conftest import wait_until
from support import DAMAGED, DONE, EXAMPLE, FAILED, USAGE, ended, line, new_till, running, till_command

ROWS = 20_000
NOTHING = 5


@pytest.fixture(scope="module")
def loaded(tmp_path_factory):
    """A data directory with the first rows of Online Retail."""
    directory = tmp_path_factory.mktemp("prove")
    part = directory / "part.csv"
    with gzip.open(EXAMPLE, "rt", encoding="utf-8") as source, part.open("w", encoding="utf-8") as target:
        for _, text in zip(range(ROWS + 1), source, strict=False):
            target.write(text)
    ended(till_command("ingest", "invoices", part, "--data", directory / "data"), DONE)
    return directory / "data"


@pytest.fixture
def changed(loaded, tmp_path):
    """A copy of the directory whose tables were changed by one statement."""

    def change(sql):
        copy = tmp_path / "data"
        shutil.copytree(loaded, copy)
        with contextlib.closing(sqlite3.connect(copy / "tables.sqlite")) as connection, connection:
            assert connection.execute(sql).rowcount > 0
        return copy

    return change


def prove(data, code, *arguments):
    return ended(till_command("prove", "--data", data, *arguments), code)


def found(data):
    return json.loads(prove(data, FAILED, "--json"))


def test_sound_tables_are_proved(loaded):
    text = prove(loaded, DONE)
    assert f"invoices: received {ROWS} = distinct" in text and "✗" not in text
    assert f"{ROWS} events to feed.invoices/0:{ROWS}: 0 differences" in text
    saved = json.loads((loaded / "proof.json").read_text())
    assert saved["differences"] == 0 and saved["events"] == ROWS
    assert saved["position"] == f"feed.invoices/0:{ROWS}" and saved["proved_at"].endswith("Z")
    assert not (loaded / "tmp").exists()
    feed = saved["feeds"][0]
    assert feed["feed"] == "invoices" and feed["received"] == ROWS and feed["agrees"]


def test_rows_and_fingerprints_agree(loaded, changed):
    assert prove(loaded, DONE, "--rows").split(" in ")[0] == prove(loaded, DONE).split(" in ")[0]
    data = changed("UPDATE line SET flags = flags + 1 WHERE id IN (SELECT id FROM line ORDER BY id LIMIT 150)")
    one, other = found(data), json.loads(prove(data, FAILED, "--rows", "--json"))
    for report in (one, other):
        del report["seconds"], report["proved_at"]
    assert one == other and one["differences"] == 150 and len(one["found"]) == 100


def test_repeated_and_changed_loads_are_proved(loaded, tmp_path):
    data = tmp_path / "data"
    shutil.copytree(loaded, data)
    rows = (loaded.parent / "part.csv").read_text(encoding="utf-8").splitlines(keepends=True)
    again, moved = tmp_path / "again.csv", tmp_path / "moved.csv"
    again.write_text("".join(rows[:1] + rows[:0:-7]), encoding="utf-8")
    moved.write_text("".join(rows[:1]) + "".join(rows[1:2_000]).replace("United Kingdom", "France"), encoding="utf-8")
    for path in (again, moved, again):
        ended(till_command("ingest", "invoices", path, "--data", data), DONE)
    events = ROWS + 2 * len(rows[:0:-7]) + 1_999
    assert f"{events} events to feed.invoices/0:{events}: 0 differences" in prove(data, DONE)


def test_a_changed_sum_is_named(changed):
    data = changed(
        "UPDATE sales_day SET gross_lo = gross_lo + 1000 WHERE (day, country_id, store_id, currency) ="
        " (SELECT day, country_id, store_id, currency FROM sales_day WHERE gross_lo > 0 ORDER BY day LIMIT 1)"
    )
    report = found(data)
    row = next(d for d in report["found"] if d["kind"] == "differs")
    assert row["table"] == "sales_day" and "store=invoices/" in row["key"] and "day=2009-12-01" in row["key"]
    assert [c["name"] for c in row["columns"]] == ["gross"]
    # The control totals see it as well: one sum and one day.
    assert {d["kind"] for d in report["found"]} == {"differs", "total"}
    text = prove(data, FAILED)
    assert "sales_day" in text and "gross live=" in text and "sales_day gross GBP: differs from the lines on" in text


def test_a_changed_line_is_named(changed):
    data = changed("UPDATE line SET amount = amount + 1 WHERE id = 77")
    report = found(data)
    row = next(d for d in report["found"] if d["kind"] == "differs")
    assert row["table"] == "line" and row["key"].startswith("document=invoices/")
    assert row["columns"][0]["name"] == "amount"


def test_a_removed_customer_is_missed(changed):
    data = changed("DELETE FROM customer WHERE source_key = '13085'")
    report = found(data)
    assert {"table": "customer", "key": "source=invoices source_key=13085", "kind": "missing"} in report["found"]
    assert report["differences"] > 1, "its documents show it too"


def test_an_invented_row_is_extra(changed):
    data = changed("INSERT INTO country (id, name) VALUES (999, 'Atlantis')")
    report = found(data)
    assert report["differences"] == 1
    assert report["found"] == [{"table": "country", "key": "name=Atlantis", "kind": "extra"}]


def test_a_changed_view_is_named(loaded, tmp_path):
    data = tmp_path / "data"
    shutil.copytree(loaded, data)
    with contextlib.closing(sqlite3.connect(data / "tables.sqlite")) as connection, connection:
        (sql,) = connection.execute("SELECT sql FROM sqlite_master WHERE name = 'vw_AverageOrderValue'").fetchone()
        connection.execute('DROP VIEW "vw_AverageOrderValue"')
        connection.execute(sql.replace("SELECT", "SELECT  ", 1))
        connection.execute('DROP VIEW "sale_line"')
        connection.execute("CREATE VIEW private AS SELECT 1 AS one")
    report = found(data)
    assert [(d["table"], d["key"], d["kind"]) for d in report["found"]] == [
        ("sale_line", "view", "missing"), ("vw_AverageOrderValue", "view", "differs"), ("private", "view", "extra"),
    ]  # fmt: skip
    # A start puts them back.
    with running(new_till(tmp_path)):
        pass
    prove(data, FAILED)
    with contextlib.closing(sqlite3.connect(data / "tables.sqlite")) as connection, connection:
        connection.execute("DROP VIEW private")
    prove(data, DONE)


def test_at_most_a_hundred_differences_are_shown(changed):
    data = changed("UPDATE line SET quantity = quantity + 1 WHERE id <= 250")
    lines = prove(data, FAILED).splitlines()
    assert len([text for text in lines if text.startswith("line document=")]) == 100
    assert "… and 150 more" in lines


def test_a_directory_without_tables_is_refused(directory):
    assert "tables.sqlite" in prove(directory / "nothing", USAGE)
    assert "till prove" in ended(till_command("prove", "words"), USAGE)


def test_tables_that_lack_part_of_the_log_are_not_called_proved(tmp_path):
    """An older file of tables beside a newer log agrees with its positions, and the report says what is not in it."""
    data, kept = tmp_path / "data", tmp_path / "kept"
    kept.mkdir()

    def keep(name):
        one, other = sqlite3.connect(data / "tables.sqlite"), sqlite3.connect(kept / name)
        with contextlib.closing(one), contextlib.closing(other):
            one.backup(other)

    # Nothing is loaded, but the tables are made.
    ended(till_command("ingest", "users", "-", "--format", "ndjson", "--data", data, stdin=b""), USAGE)
    keep("empty")
    for number in range(2):
        rows = "".join(json.dumps(line(client_line_no=f"{number}-{n}")) + "\n" for n in range(3 + number))
        ended(till_command("ingest", "invoices", "-", "--format", "ndjson", "--data", data, stdin=rows.encode()), DONE)
        keep(str(number))
    assert "not in the tables" not in prove(data, DONE)
    for name, code, behind in (("0", DONE, 4), ("empty", NOTHING, 7)):
        for old in data.glob("tables.sqlite*"):
            old.unlink()
        shutil.copy(kept / name, data / "tables.sqlite")
        assert f"{behind} records of the log are not in the tables yet" in prove(data, code)
        assert json.loads(prove(data, code, "--json"))["records_behind"] == behind
    assert "7 records" not in ended(till_command("log", "verify", "--data", data), DONE)


def test_a_damaged_segment_is_named(tmp_path, loaded):
    data = tmp_path / "data"
    shutil.copytree(loaded, data)
    segment = sorted((data / "log/feed.invoices/0").glob("*.log"))[0]
    content = bytearray(segment.read_bytes())
    content[len(content) // 2] ^= 1
    segment.write_bytes(content)
    said = prove(data, DAMAGED)
    assert segment.name in said and "at byte" in said


def test_a_proof_beside_a_running_till(tmp_path):
    till = new_till(tmp_path)
    with running(till):
        stop, sent = threading.Event(), []

        def load():
            number = 0
            while not stop.is_set():
                invoice = 600_000 + number // 7
                body = [line(InvoiceNo=str(invoice), StockCode=f"S{number % 50}", Quantity=number % 9 + 1)]
                body.append(line(InvoiceNo="C" + str(600_000 + number // 9), Quantity=-1))
                body.append({"InvoiceNo": f"bad {number}"})
                reply = till.post("invoices", body)
                assert reply.status in (202, 207, 422), reply
                sent.append(len(body))
                number += 1

        thread = threading.Thread(target=load)
        thread.start()
        try:
            wait_until(lambda: len(sent) > 50, what="a load")
            for _ in range(3):
                before = len(sent)
                text = prove(till.data, DONE)
                assert ": 0 differences" in text
                wait_until(lambda before=before: len(sent) > before, what="more load")
        finally:
            stop.set()
            thread.join()
        reply = till.get("/v1/status?after=latest&wait_ms=30000")
        assert reply.json["totals"]["received"] == sum(sent)
        assert f"received {sum(sent)} =" in prove(till.data, DONE)
