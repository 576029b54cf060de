"""What the kernel is told about the threads of a running till."""

import os
from pathlib import Path

import pytest
from support import new_till, running


def of_scheduler(task, name):
    found = [text for text in (task / "sched").read_text().splitlines() if text.startswith(name)]
    return int(found[0].split()[-1]) if found else None


@pytest.mark.skipif(tuple(map(int, os.uname().release.split(".")[:2])) < (6, 12), reason="Linux before 6.12")
def test_who_runs_first(tmp_path):
    """The log, which every sender waits for, has short slices; the tables stand behind those that receive."""
    with running(new_till(tmp_path)) as till:
        tasks = {(task / "comm").read_text().strip(): task for task in Path(f"/proc/{till.process.pid}/task").iterdir()}
        assert of_scheduler(tasks["till-log"], "se.slice") == 300_000
        assert of_scheduler(tasks["till-http"], "se.slice") != 300_000
        assert of_scheduler(tasks["till-process"], "prio") == of_scheduler(tasks["till-http"], "prio") + 10
