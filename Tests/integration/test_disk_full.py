"""A full disk refuses, says so, and till goes on by itself when there is room: on small file systems in memory."""

import contextlib
import gzip
import itertools
import subprocess
import time

import pytest
from conftest import wait_until
from steady_load import SteadyLoad, lines_by_invoice
from support import DAMAGED, EXAMPLE, JSON, check_documented, ended, line, new_till, till_command, totals
from test_pos_endpoint import HEALTH, PATH
from test_pos_endpoint import sale as transaction

MEBIBYTE = 1 << 20
ROWS = 40_000


class SmallDisk:
    """A tmpfs with a ballast file that leaves only `room` bytes."""

    def __init__(self, path):
        self.path, self.ballast = path, path / "ballast"

    def fill(self, room):
        free = self.free()
        # Others write meanwhile: that nothing is left is all right.
        with contextlib.suppress(OSError), open(self.ballast, "ab", buffering=0) as file:
            file.write(b"\0" * max(0, free - room))

    def free(self):
        done = subprocess.run(["df", "-B1", "--output=avail", self.path], capture_output=True, text=True, check=True)
        return int(done.stdout.split()[1])

    def release(self):
        self.ballast.unlink()


@pytest.fixture
def small_disk(tmp_path):
    """Makes small file systems; unmounted at the end."""
    made = []

    def make(name, mebibytes):
        path = tmp_path / name
        path.mkdir()
        command = ["mount", "-t", "tmpfs", "-o", f"size={mebibytes}m", "tmpfs", str(path)]
        try:
            done = subprocess.run(command, capture_output=True, text=True, check=False)
        except FileNotFoundError:
            pytest.skip("no mount command: a small file system cannot be made")
        if done.returncode != 0:
            pytest.skip(f"mounting a tmpfs is not permitted here (run as root): {done.stderr.strip()}")
        made.append(path)
        return SmallDisk(path)

    yield make
    for path in made:
        subprocess.run(["umount", "-l", str(path)], check=False)


@pytest.fixture
def server(tmp_path, small_disk):
    """After `small_disk`, so that the till ends before its file systems do."""
    tills = []

    def make(directory):
        tills.append(new_till(directory, "--log.segment_mebibytes", "1"))
        return tills[-1]

    yield make
    for till in tills:
        till.kill9()


def parts(till):
    return {part["name"]: part for part in till.get("/health/ready").json["parts"]}


def is_ready(till):
    return till.get("/health/ready").status == 200


def check_exactly_once(till, load, others=False):
    """Everything acknowledged is there once, whole; nothing that was refused is."""
    found = lines_by_invoice(till.data)
    for request in load.acknowledged:
        assert found.get(load.invoice(request)) == load.lines, f"{load.invoice(request)}: {found.get(request)}"
    back = [request for request, _ in load.refused if load.invoice(request) in found]
    assert not back, f"refused, and there all the same: {back[:5]}"
    for request in load.unknown:  # sent, and the answer was lost: there whole or not at all
        assert found.get(load.invoice(request), load.lines) == load.lines
    assert others or len(found) <= len(load.acknowledged) + len(load.unknown)


def test_log_and_tables_on_one_full_disk(small_disk, server):
    disk = small_disk("disk", 48)
    till = server(disk.path)
    till.start()
    process = till.process.pid
    with SteadyLoad(till, senders=3, lines=100) as load:
        wait_until(lambda: len(load.acknowledged) > 20, 30, "the load")
        disk.fill(6 * MEBIBYTE)
        wait_until(lambda: len(load.refusals("log.full")) > 20, 60, "refusals")
        _, reply = next((r, reply) for r, reply in load.refused if reply.status == 503)
        assert reply.headers["retry-after"] == "1"
        message = reply.json["error"]["message"]
        assert str(till.data) in message and "free space and send again" in message and "no space left" in message
        log = parts(till)["log"]
        assert not log["ok"] and "no space left" in log["detail"] and "till goes on by itself" in log["detail"]
        assert till.get("/health/live").status == 200
        so_far = len(load.acknowledged)
        disk.release()
        wait_until(lambda: len(load.acknowledged) > so_far + 50, 30, "ingest to go on")
    assert till.process.poll() is None and till.process.pid == process
    assert {(reply.status, reply.json["error"]["code"]) for _, reply in load.refused} <= {(503, "log.full")}
    assert not load.unknown
    wait_until(lambda: is_ready(till), 20, "readiness")
    found = totals(till)
    assert found["received"] == found["distinct"] == load.lines * len(load.acknowledged)
    check_exactly_once(till, load)

    assert till.stop() == 0
    verified = ended(till_command("log", "verify", "--data", till.data), 0)
    assert "0 damages" in verified and "tail:" not in verified
    till.start()
    assert totals(till) == found
    check_exactly_once(till, load)


def test_the_paths_of_reference_systems_on_a_full_disk(small_disk, server, tmp_path):
    disk = small_disk("log-disk", 8)
    till = server(tmp_path)
    till.data.mkdir()
    (disk.path / "log").mkdir()
    (till.data / "log").symlink_to(disk.path / "log")
    till.start()
    sale = transaction(1, customer_id="C" * 200)
    assert till.request("POST", PATH, sale, JSON).status == 200 and till.get(HEALTH).status == 200
    disk.fill(0)

    def refused(path, body):
        # The last page of a file may have room for some records still.
        def ask():
            reply = till.request("POST", path, body, JSON)
            return reply if reply.status not in (200, 201) else None

        reply = wait_until(ask, 30, f"{path} to be refused")
        assert reply.status == 503 and reply.headers["retry-after"] == "1", reply
        check_documented(till, reply, path.replace("/pos", "/{feed}") if path.startswith("/v1/") else path)
        return reply.json

    answer = refused(PATH, sale)
    assert set(answer) == {"detail"} and "free space and send again" in answer["detail"]
    answer = refused("/invoicedata", line())
    assert answer["error"]["code"] == "log.full" and "free space and send again" in answer["error"]["message"]
    assert refused("/v1/feeds/pos", sale)["error"]["code"] == "log.full"
    check_documented(till, till.get("/health/ready"), "/health/ready", "get")
    reply = till.get(HEALTH)
    check_documented(till, reply, HEALTH, "get")
    assert reply.status == 503 and reply.json == {
        "error": {"code": "not_ready", "message": "A part of till is not ready; GET /health/ready names it."}
    }
    stored = totals(till)
    disk.release()
    wait_until(lambda: till.get(HEALTH).status == 200, 10, "the health of the reference system")
    assert till.request("POST", PATH, transaction(2), JSON).status == 200
    assert till.request("POST", "/invoicedata", line(InvoiceNo="7"), JSON).status == 201
    assert totals(till)["received"] == stored["received"] + 2


def test_only_the_log_is_on_a_full_disk(small_disk, server, tmp_path):
    disk = small_disk("log-disk", 32)
    till = server(tmp_path)
    till.data.mkdir()
    (disk.path / "log").mkdir()
    (till.data / "log").symlink_to(disk.path / "log")
    till.start()
    with SteadyLoad(till, senders=3, lines=100) as load:
        wait_until(lambda: len(load.acknowledged) > 20, 30, "the load")
        disk.fill(1 * MEBIBYTE)
        wait_until(lambda: len(load.refusals("log.full")) > 20, 60, "refusals")
        state = parts(till)
        assert not state["log"]["ok"] and state["processing"]["ok"], state
    # What was acknowledged is in the tables while the log is full.
    assert totals(till)["received"] == load.lines * len(load.acknowledged)

    # A file of many batches in a row, which are refused and sent again until there is room.
    rows = till.directory / "rows.csv"
    with gzip.open(EXAMPLE, "rb") as example:
        rows.write_bytes(b"".join(itertools.islice(example, ROWS + 1)))
    with open(till.directory / "ingest.out", "wb") as out:
        words = [till.binary, "ingest", "invoices", rows, "--to", till.url, "--json"]
        ingest = subprocess.Popen(list(map(str, words)), stdout=out, stderr=subprocess.STDOUT)
    time.sleep(2)
    assert ingest.poll() is None and not is_ready(till)
    before = totals(till)
    disk.release()
    assert ingest.wait(120) == 0, (till.directory / "ingest.out").read_text()
    after = totals(till)
    assert after["received"] - before["received"] == ROWS
    # A second load of the file stores every row again and finds nothing new: the first one had them all.
    ended(till_command("ingest", "invoices", rows, "--to", till.url, "--quiet", timeout=300), 0)
    again = totals(till)
    assert again["received"] - after["received"] == ROWS
    assert (again["distinct"], again["quarantined"]) == (after["distinct"], after["quarantined"])
    check_exactly_once(till, load, others=True)

    # Nobody sends: readiness comes back all the same.
    disk.fill(0)
    more = [line(InvoiceNo=f"X{n}") for n in range(300)]
    # What the log had written ahead has room for some requests still.
    kept = 0
    while (reply := till.post("invoices", more)).status == 202:
        kept += len(more)
        assert kept < 30_000, "a full disk takes no end of requests"
    assert (reply.status, reply.json["error"]["code"]) == (503, "log.full")
    assert not is_ready(till)
    disk.release()
    wait_until(lambda: is_ready(till), 10, "readiness without a sender")
    assert totals(till)["received"] == again["received"] + kept


def test_only_the_tables_are_on_a_full_disk(small_disk, server, tmp_path):
    disk = small_disk("tables-disk", 48)
    till = server(tmp_path)
    till.data.mkdir()
    (till.data / "tables.sqlite").symlink_to(disk.path / "tables.sqlite")
    till.start()
    with SteadyLoad(till, senders=3, lines=100) as load:
        wait_until(lambda: len(load.acknowledged) > 20, 30, "the load")
        disk.fill(1 * MEBIBYTE)
        wait_until(lambda: not parts(till).get("processing", {"ok": True})["ok"], 60, "processing to fail")
        so_far = len(load.acknowledged)
        wait_until(lambda: len(load.acknowledged) > so_far + 30, 30, "ingest to go on meanwhile")
        found = wait_until(lambda: next((p for p in parts(till).values() if not p["ok"]), None), 20, "the failing part")
        assert found["name"] == "processing" and "no space left" in found["detail"], found
        assert "tables.sqlite" in found["detail"] and str(till.data) not in found["detail"]
        assert parts(till)["log"]["ok"]
        assert till.get("/v1/sales/total").status == 200, "what is in the tables can be read"
        disk.release()
    assert not load.refused and not load.unknown
    wait_until(lambda: is_ready(till), 30, "readiness")
    found = totals(till)
    assert found["received"] == found["distinct"] == load.lines * len(load.acknowledged)
    check_exactly_once(till, load)


def test_kills_while_the_log_is_full(small_disk, server, tmp_path):
    disk = small_disk("log-disk", 32)
    till = server(tmp_path)
    till.data.mkdir()
    (disk.path / "log").mkdir()
    (till.data / "log").symlink_to(disk.path / "log")
    loads = []
    for life in range(4):
        till._port = None
        till.start()
        with SteadyLoad(till, senders=3, lines=60, name=f"L{life}-") as load:
            wait_until(lambda load=load: len(load.acknowledged) > 10, 30, "the load")
            disk.fill((life + 1) * 100_000)
            wait_until(lambda load=load: len(load.refusals("log.full")) > 5, 60, "refusals")
            if life % 2:
                disk.release()  # killed while it goes on again
                time.sleep(0.02)
            till.kill9()
            load.stopping.set()
        disk.ballast.unlink(missing_ok=True)
        loads.append(load)
        assert "0 damages" in ended(till_command("log", "verify", "--data", till.data), 0)
    till._port = None
    till.start()
    found = totals(till)
    assert found["received"] == found["distinct"] == sum(lines_by_invoice(till.data).values())
    for load in loads:
        check_exactly_once(till, load, others=True)


def test_a_backup_that_does_not_fit_is_none(small_disk, server, tmp_path):
    till = server(tmp_path)
    till.start()
    with SteadyLoad(till, senders=2, lines=200) as load:
        wait_until(lambda: len(load.acknowledged) > 40, 30, "the load")
    before = totals(till)
    for number, mebibytes in enumerate((1, 3)):
        disk = small_disk(f"backups-{number}", mebibytes)
        target = disk.path / "monday"
        said = ended(till_command("backup", target, "--data", till.data), 1)
        assert "no space left on the device" in said and str(target) in said
        assert not target.exists() and (disk.path / "monday.partial").exists()
        ended(till_command("restore", "--verify", disk.path / "monday.partial"), DAMAGED)
    assert totals(till) == before and is_ready(till)
