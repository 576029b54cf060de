"""What a running till says of itself: readiness tries what it claims, disk space, senders that wait for the tables."""

import shutil
import subprocess

import pytest
from conftest import wait_until
from support import binary, ended, line, metric, new_till, running, till_command, totals

DONE = 0


def parts(reply):
    return {part["name"]: part for part in reply.json["parts"]}


@pytest.mark.parametrize("change", ["removed", "replaced"])
def test_readiness_fails_when_figures_cannot_be_read(tmp_path, change):
    with running(new_till(tmp_path)) as till:
        assert till.post("invoices", line()).status == 202
        assert totals(till)["distinct"] == 1
        assert parts(till.get("/health/ready"))["tables"]["ok"]
        tables = till.data / "tables.sqlite"
        tables.rename(tmp_path / "elsewhere.sqlite")
        if change == "replaced":
            shutil.copy(tmp_path / "elsewhere.sqlite", tables)
        reply = till.get("/health/ready")
        assert reply.status == 503
        assert parts(reply)["tables"]["detail"] == (
            "tables.sqlite was removed or replaced while till runs; "
            "restart till, it folds the tables again from the log."
        )
        assert str(tmp_path) not in reply.body.decode()
        (tmp_path / "elsewhere.sqlite").rename(tables)
        assert till.get("/health/ready").status == 200


def test_a_short_path_of_the_data_directory_is_no_part_of_other_words(tmp_path):
    """The directory `d` stood in `folded` and `removed`."""
    words = [binary(), "up", "--data", "d", "--listen", "127.0.0.1:0"]
    with subprocess.Popen(words, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        try:
            url = process.stdout.readline().split()[3].decode()
            ask = ["curl", "-s", "--noproxy", "*", f"{url}/health/ready"]

            def is_ready():
                return b'"status":"ready"' in subprocess.run(ask, capture_output=True, check=True, timeout=20).stdout

            wait_until(is_ready, 20, "the tables to be open")
            (tmp_path / "d/tables.sqlite").unlink()
            done = subprocess.run(ask, capture_output=True, check=True, timeout=20)
        finally:
            process.kill()
    assert b"tables.sqlite was removed or replaced while till runs" in done.stdout, done.stdout


def test_space_is_that_of_the_files(tmp_path):
    with running(new_till(tmp_path)) as till:
        assert till.post("invoices", [line(InvoiceNo=str(number)) for number in range(2_000)]).status == 202
        assert totals(till)["distinct"] == 2_000
        files = sum(path.stat().st_size for path in till.data.rglob("*") if path.is_file())

        def measured():
            storage = till.get("/v1/status").json["storage"]
            return storage if files * 0.8 <= storage["used_bytes"] <= files * 1.2 else None

        storage = wait_until(measured, 5, "a measurement of less than a second")
        free = shutil.disk_usage(till.data).free
        assert free * 0.5 <= storage["free_bytes"] <= free * 1.5
        assert storage["bytes_per_day"] is None and storage["days_left"] is None, "not known in the first minutes"
        assert metric(till, "storage_used_bytes") == storage["used_bytes"]
        said = ended(till_command("status", "--to", till.url), DONE)
        assert f"disk: {storage['used_bytes'] >> 20} MiB used" in said
        assert "invoices: 2000 of 2000 records are in the tables" in said


def test_senders_wait_while_the_tables_are_far_behind(tmp_path):
    """Beyond tables.lag_max a sender gets 429, and everything is taken once it sends again."""
    limit = 1_000
    with running(new_till(tmp_path, "--tables.lag_max", str(limit))) as till:
        taken, refused = 0, 0
        for batch in range(60):
            rows = [line(InvoiceNo=f"{batch}-{row}") for row in range(1_000)]

            def is_taken(rows=rows):
                nonlocal refused
                reply = till.post("invoices", rows)
                if reply.status == 202:
                    return True
                refused += 1
                assert reply.status == 429, reply
                assert reply.json["error"]["code"] == "tables_behind"
                assert f"may be {limit} (tables.lag_max)" in reply.json["error"]["message"]
                assert int(reply.headers["retry-after"]) >= 1
                # What is durable and not folded passes the limit by one request at most.
                assert till.get("/v1/status").json["lag"] <= limit + 1_000
                return False

            wait_until(is_taken, 60, "the tables to come nearer")
            taken += len(rows)
        assert refused > 0, "the limit was never met"
        assert totals(till)["distinct"] == taken
