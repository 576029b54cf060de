"""One till for one data directory, and the till that is meant: locks, rights, what a simulation may be sent to."""

import os
import shutil
import signal
import subprocess

import pytest
from conftest import free_port, wait_until
from support import binary, ended, line, new_till, running, till_command, totals

DONE, FAILED, USAGE, IN_USE = 0, 1, 2, 3


@pytest.fixture
def till(tmp_path):
    with running(new_till(tmp_path)) as till:
        yield till


def test_a_removed_lock_lets_no_second_till_in(till):
    (till.data / "LOCK").unlink()
    ended(till_command("up", "--data", till.data, "--listen", "127.0.0.1:0", timeout=20), IN_USE)
    assert till.post("invoices", line()).status == 202


def test_a_replaced_directory_is_not_acknowledged_to(till):
    assert till.post("invoices", line(InvoiceNo="1")).status == 202
    moved = till.data.with_name("moved")
    till.data.rename(moved)
    till.data.mkdir()
    reply = till.post("invoices", line(InvoiceNo="2"))
    assert reply.status == 503, reply
    shutil.rmtree(till.data)
    moved.rename(till.data)
    assert till.post("invoices", line(InvoiceNo="3")).status == 503, "until a restart"


def test_files_are_the_users_alone_and_older_ones_are_mended(tmp_path):
    before = os.umask(0)
    try:
        with running(new_till(tmp_path)) as till:
            assert till.post("invoices", line()).status == 202
            assert totals(till)["distinct"] == 1
            assert open_to_others(till.data) == []
            assert till.stop() == DONE
        for path in [till.data, *till.data.rglob("*")]:
            path.chmod(0o755)
        with running(till):
            assert open_to_others(till.data) == []
        ended(till_command("backup", tmp_path / "backup", "--data", till.data), DONE)
        assert open_to_others(tmp_path / "backup") == []
    finally:
        os.umask(before)


def open_to_others(directory):
    return [path for path in [directory, *directory.rglob("*")] if path.stat().st_mode & 0o077]


def test_a_simulation_names_its_till_and_spares_real_data(till):
    words = ["simulate", "pos", "--count", "5", "--rate", "0", "--to", till.url]
    said = ended(till_command(*words), DONE)
    assert f"{till.url}, data directory {(till.data / 'ID').read_text().split()[0]}" in said
    ended(till_command(*words), DONE)
    assert till.post("invoices", line()).status == 202
    assert totals(till)["distinct"] == 11
    said = ended(till_command(*words), USAGE)
    assert "holds 1 records that no simulation sent" in said and "--yes" in said
    ended(till_command(*words, "--yes"), DONE)
    assert till.get("/v1/status").json["data_id"] == till.get("/health/ready").json["data_id"]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_simulation_ends_at_a_signal_also_without_a_server(number):
    words = [binary(), "simulate", "pos", "--to", f"http://127.0.0.1:{free_port()}"]

    def undo_ignoring():
        # A shell starts its background jobs, and so this test, with SIGINT ignored.
        signal.signal(number, signal.SIG_DFL)

    with subprocess.Popen(words, stderr=subprocess.PIPE, preexec_fn=undo_ignoring) as process:
        try:
            # Until it blocks signals, a signal ends it at once. Those that it waits for count as free meanwhile, the
            # one of broken pipes is blocked with them.
            wait_until(lambda: blocked(process.pid) >> (signal.SIGPIPE - 1) & 1)
            process.send_signal(number)
            _, said = process.communicate(timeout=60)
        finally:
            process.kill()
    assert process.returncode == FAILED and b"The simulation was stopped" in said


def blocked(pid):
    with open(f"/proc/{pid}/status", encoding="ascii") as file:
        return int(next(text for text in file if text.startswith("SigBlk:")).split()[1], 16)


def test_a_backup_without_tables_and_a_restore_of_nothing_are_refused(till, tmp_path):
    assert till.post("invoices", line()).status == 202
    for path in till.data.glob("tables.sqlite*"):
        path.unlink()
    said = ended(till_command("backup", tmp_path / "backup", "--data", till.data), FAILED)
    assert "no tables.sqlite" in said and not (tmp_path / "backup").exists()
    ended(till_command("restore", tmp_path / "nothing", "--data", tmp_path / "new"), USAGE)


def without(what, *words):
    """Runs till in a mount namespace of its own that lacks something."""
    if subprocess.run(["unshare", "-m", "true"], capture_output=True, check=False).returncode:
        pytest.skip("mount namespaces are not allowed here")
    script = f'{what} && exec "$@"'
    return subprocess.run(
        ["unshare", "-m", "sh", "-c", script, "sh", binary(), *map(str, words)],
        capture_output=True, timeout=60, check=False,
    )  # fmt: skip


def test_without_proc_the_command_line_is_still_read():
    done = without("umount -l /proc", "log", "stat", "--data", "/nonexistent")
    assert done.returncode == USAGE and b"/nonexistent" in done.stderr, done


def test_without_a_time_zone_database_the_start_says_so(tmp_path):
    listen = ["--listen", "127.0.0.1:0"]
    done = without("mount -t tmpfs none /usr/share/zoneinfo", "up", "--data", tmp_path / "data", *listen)
    assert done.returncode == USAGE and b"Europe/London" in done.stderr and b"tzdata" in done.stderr, done
