"""Backups beside a running till, their verification, and restoring them elsewhere."""

import hashlib
import json
import shutil
from collections import Counter
from decimal import Decimal

import pytest
from conftest import wait_until
from steady_load import SteadyLoad, lines_by_invoice, sums
from support import DAMAGED, DONE, USAGE, ended, line, log_dump, new_till, running, till_command, totals


@pytest.fixture
def server(tmp_path):
    # Small segments, so that a backup has several and meets one that is being closed.
    with running(new_till(tmp_path / "first", "--log.segment_mebibytes", "1")) as till:
        yield till


@pytest.fixture(autouse=True)
def first(tmp_path):
    (tmp_path / "first").mkdir()


def backup(till, directory, code=DONE):
    return ended(till_command("backup", directory, "--data", till.data), code)


def manifest_of(directory):
    manifest = json.loads((directory / "MANIFEST.json").read_text())
    assert manifest["format"] == 1 and manifest["till"]
    for file in manifest["files"]:
        content = (directory / file["path"]).read_bytes()
        assert (len(content), hashlib.sha256(content).hexdigest()) == (file["bytes"], file["sha256"]), file
    names = {str(path.relative_to(directory)) for path in directory.rglob("*") if path.is_file()}
    assert names == {file["path"] for file in manifest["files"]} | {"MANIFEST.json", "MANIFEST.sha256"}
    return manifest


def expected(records):
    """Gross, number of invoices and lines of each, of the first records of a log: all distinct, no returns."""
    gross, lines = Decimal(0), Counter()
    for record in records:
        event = json.loads(record["value"], parse_float=Decimal)
        gross += event["Quantity"] * event["UnitPrice"]
        lines[event["InvoiceNo"]] += 1
    return gross, len(lines), lines


def test_backups_under_load_are_complete_states_that_go_on_elsewhere(server, tmp_path):
    directories = [tmp_path / f"backup-{number}" for number in range(3)]
    with SteadyLoad(server, senders=3, lines=40) as load:
        for number, directory in enumerate(directories):
            wait_until(lambda wanted=(number + 1) * 150: len(load.acknowledged) > wanted, 60, "the load")
            before = dict(load.acknowledged)
            said = backup(server, directory)
            assert "tables at feed.invoices/0:" in said
            # What was acknowledged before the backup began is in it.
            latest = max(int(position.split(":")[1]) for position in before.values())
            assert {p["partition"]: p["end"] for p in manifest_of(directory)["log"]}["feed.invoices/0"] >= latest
    assert not load.refused and not load.unknown
    totals(server)
    records = log_dump(server)
    assert len(records) == 40 * len(load.acknowledged)

    for directory in directories:
        manifest = manifest_of(directory)
        ends = {part["partition"]: part["end"] for part in manifest["log"]}
        end, stored = ends["feed.invoices/0"], int(manifest["positions"].split(":")[1])
        assert 0 < stored <= end <= len(records)
        copied = sums(directory / "tables.sqlite")
        gross, orders, _ = expected(records[:stored])
        assert copied["positions"]["feed.invoices/0"] == copied["control"]["received"] == stored
        assert (copied["money"]["gross"], copied["orders"]) == (gross, orders)

    place = tmp_path / "second"
    said = ended(till_command("restore", directories[1], "--data", place / "data"), DONE)
    assert f"restored {place / 'data'}" in said
    with running(new_till(place)) as restored:
        end = {p["partition"]: p["end"] for p in manifest_of(directories[1])["log"]}["feed.invoices/0"]
        gross, orders, lines = expected(records[:end])
        found = totals(restored)
        assert (found["received"], found["distinct"], found["duplicates"]) == (end, end, 0)
        (total,) = restored.get("/v1/sales/total").json["totals"]
        assert (Decimal(total["gross"]), total["orders"]) == (gross, orders)
        assert lines_by_invoice(restored.data) == lines
        reply = restored.post("invoices", line(InvoiceNo="AFTER"))
        assert (reply.status, reply.json["position"]) == (202, f"feed.invoices/0:{end + 1}")
        assert totals(restored)["distinct"] == end + 1
        assert restored.stop() == 0
        assert b"0 damages" in till_command("log", "verify", "--data", restored.data).stdout


@pytest.fixture
def made(server, tmp_path):
    """A backup of a few segments, and the till it was made of."""
    with SteadyLoad(server, senders=2, lines=200) as load:
        wait_until(lambda: len(load.acknowledged) > 60, 60, "the load")
    totals(server)
    directory = tmp_path / "backup"
    backup(server, directory)
    assert len(manifest_of(directory)["files"]) >= 4
    return directory


def refused(directory, target, name):
    """Neither verifying nor restoring accepts the backup; both name the file and write nothing."""
    for words in (["restore", "--verify", directory], ["restore", directory, "--data", target]):
        said = ended(till_command(*words), DAMAGED)
        assert name in said, said
        assert not target.exists() and not target.with_name(target.name + ".partial").exists()
    return said


def test_a_flipped_byte_in_any_file_is_named_and_refused(made, tmp_path):
    assert "verified" in ended(till_command("restore", "--verify", made), DONE)
    target = tmp_path / "target"
    for path in sorted(path for path in made.rglob("*") if path.is_file()):
        whole = path.read_bytes()
        for at in {0, len(whole) // 2, len(whole) - 1}:
            damaged = bytearray(whole)
            damaged[at] ^= 1
            path.write_bytes(damaged)
            said = refused(made, target, str(path))
            if not path.name.startswith("MANIFEST"):
                assert f"expected {hashlib.sha256(whole).hexdigest()}" in said and "use another backup" in said
        path.write_bytes(whole[:-1])
        refused(made, target, str(path))
        path.write_bytes(whole)
    assert "verified" in ended(till_command("restore", "--verify", made), DONE)


def test_a_missing_file_is_named_and_refused(made, tmp_path):
    for path in sorted(path for path in made.rglob("*") if path.is_file()):
        away = path.rename(tmp_path / "away")
        assert "is missing" in refused(made, tmp_path / "target", str(path))
        away.rename(path)


def test_nothing_that_exists_is_written_over(server, made, tmp_path):
    target = tmp_path / "target"
    target.mkdir()
    ended(till_command("restore", made, "--data", target), DONE)  # an empty one is taken
    listing = sorted(target.rglob("*"))
    for words in (["restore", made, "--data", target], ["backup", made, "--data", server.data]):
        said = ended(till_command(*words), USAGE)
        assert "exists and is not empty; nothing was changed" in said
    assert sorted(target.rglob("*")) == listing and manifest_of(made)
    file = tmp_path / "file"
    file.write_text("mine")
    backup(server, file, USAGE)
    assert file.read_text() == "mine"


def test_a_half_made_backup_is_recognised(server, made, tmp_path):
    partial = tmp_path / "other.partial"
    shutil.copytree(made, partial)
    (partial / "MANIFEST.json").unlink()
    assert "remove it when no other runs" in backup(server, tmp_path / "other", USAGE)
    said = refused(partial, tmp_path / "target", "MANIFEST.json")
    assert "one that was not finished" in said


def test_beside_nobody_and_as_json(server, made, tmp_path):
    before = totals(server)
    server.kill9()
    target = tmp_path / "cold"
    done = till_command("backup", f"{target}/", "--data", server.data, "--json")
    answer = json.loads(ended(done, DONE))
    assert answer["backup"] == str(target) and answer["manifest"] == manifest_of(target)
    assert answer["files"] == len(answer["manifest"]["files"])
    verified = json.loads(ended(till_command("restore", "--verify", target, "--json"), DONE))
    assert verified["verified"] == str(target) and verified["bytes"] == answer["bytes"]
    restored = json.loads(ended(till_command("restore", target, "--data", tmp_path / "r/data", "--json"), DONE))
    assert restored["restored"] == str(tmp_path / "r/data")
    with running(new_till(tmp_path / "r")) as again:
        assert totals(again) == before


def test_a_damaged_log_makes_no_backup(server, made, tmp_path):
    server.kill9()
    segment = sorted((server.data / "log/feed.invoices/0").glob("*.log"))[0]
    content = bytearray(segment.read_bytes())
    content[len(content) // 2] ^= 1
    segment.write_bytes(content)
    target = tmp_path / "damaged"
    said = backup(server, target, DAMAGED)
    assert segment.name in said and "at byte" in said
    assert not target.exists()


@pytest.mark.parametrize(
    "words",
    [["backup"], ["backup", "a", "b"], ["restore", "a"], ["restore"], ["restore", "--verify", "a", "--data", "b"]],
)
def test_words_that_make_no_sense_are_usage_errors(server, words):
    ended(till_command(*words), USAGE)


def test_a_directory_without_a_log_is_no_source(server, tmp_path):
    assert "holds no log" in ended(till_command("backup", tmp_path / "b", "--data", tmp_path / "none"), USAGE)
    assert not (tmp_path / "b").exists() and not (tmp_path / "b.partial").exists()
