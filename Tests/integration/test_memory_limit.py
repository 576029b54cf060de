"""A till that may use 256 MiB survives every request that its limits allow, and the starts after it."""

import contextlib
import os
from pathlib import Path

import pytest
from conftest import tell, wait_until
from support import binary, new_till, running, till_command, totals

GROUPS = Path("/sys/fs/cgroup/memory")
LIMIT = 256 << 20


@contextlib.contextmanager
def memory_group():
    """A cgroup of 256 MiB; skipped where none can be made."""
    group = GROUPS / f"till-test-{os.getpid()}"
    try:
        group.mkdir()
        (group / "memory.limit_in_bytes").write_text(str(LIMIT))
    except OSError as error:
        pytest.skip(f"no memory cgroup can be made here: {error}")
    try:
        yield group
    finally:
        group.rmdir()


def confined(directory, group):
    """A till that enters the group before it begins."""
    till = new_till(directory)
    script = Path(directory) / "confined.sh"
    script.write_text(f'#!/bin/sh\necho $$ > {group}/cgroup.procs\nexec {binary()} "$@"\n')
    script.chmod(0o755)
    till.binary = script
    return till


def test_a_request_of_60_000_bad_records_is_folded_in_256_mib(directory):
    with memory_group() as group, running(confined(directory, group)) as till:
        assert "memory.limit" in till.log_path.read_text(), "the caches fit the group"
        reply = till.post("pos", b"[" + b",".join([b"{}"] * 60_000) + b"]")
        assert reply.status == 422, reply
        assert reply.json["rejected_more"] + len(reply.json["rejected"]) == 60_000
        assert len(reply.body) < 300 << 10, "reasons are counted beyond 256 KiB"
        till.kill9()
        till.start()
        wait_until(lambda: till.get("/v1/status").json["lag"] == 0, 300, "the tables to have everything")
        assert totals(till)["quarantined"] == 60_000
        tell(f"60,000 bad records: {int((group / 'memory.max_usage_in_bytes').read_text()) >> 20} MiB at the most")
        assert till.process.poll() is None
        assert till.stop() == 0
        assert till_command("prove", "--data", till.data).returncode == 0


def test_a_clean_stop_leaves_one_file_of_tables(directory):
    with running(new_till(directory)) as till:
        till.post("pos", b"[{},{}]")
        assert totals(till)["quarantined"] == 2
        assert till.stop() == 0
        left = sorted(path.name for path in till.data.iterdir() if path.name.startswith("tables.sqlite"))
        assert left == ["tables.sqlite"]
