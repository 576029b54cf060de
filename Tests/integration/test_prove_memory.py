"""The memory of `till prove` does not grow with the log: measured on a log and on one four times as long."""

import re
import subprocess
import time
from pathlib import Path

import pytest
from support import DONE, USAGE, binary, ended, till_command

SALES = 20_000
# Small, so that short logs fill every buffer; what does not depend on the log (threads, batches, code) is about 40 MiB.
MEMORY = 8
MEBIBYTE = 1 << 20
GROWTH = 20 * MEBIBYTE


def peak(*words):
    """The greatest resident size of a command that ends well, bytes: its high-water mark, looked at until it ends. What
    wait4 says contains the memory of this process, which forked it."""
    found = 0
    with subprocess.Popen([str(word) for word in (binary(), *words)], stdout=subprocess.PIPE) as process:
        while process.poll() is None:
            mark = re.search(r"VmHWM:\s+(\d+) kB", Path(f"/proc/{process.pid}/status").read_text())
            found = max(found, int(mark[1]) * 1024 if mark else 0)
            time.sleep(0.005)
        said = process.stdout.read().decode()
    assert process.returncode == DONE and ": 0 differences" in said, said
    return found


def size(directory):
    return sum(path.stat().st_size for path in directory.rglob("*") if path.is_file())


@pytest.fixture(scope="module")
def logs(tmp_path_factory):
    """Data directories with simulated sales, the second with eight times as many."""
    directory = tmp_path_factory.mktemp("memory")
    for number, count in enumerate((SALES, 8 * SALES)):
        sales = directory / f"{number}.ndjson"
        words = [
            "--count",
            count,
            "--rate",
            "0",
            "--seed",
            7,
            "--duplicates",
            "0.05",
            "--late",
            "0.01",
            "--gaps",
            "0.01",
        ]
        ended(till_command("simulate", "pos", "--out", sales, "--quiet", *words), DONE)
        ended(till_command("ingest", "pos", sales, "--data", directory / str(number), "--quiet", timeout=120), DONE)
    return directory / "0", directory / "1"


@pytest.mark.parametrize("words", [[], ["--rows"]])
def test_memory_grows_by_far_less_than_the_log(logs, words):
    short, long = (size(data / "log") for data in logs)
    assert long - short > 100 * MEBIBYTE, "the logs say something"
    before, after = (peak("prove", "--data", data, "--memory", MEMORY, *words) for data in logs)
    print(f"\nlog {short >> 20} to {long >> 20} MiB, memory {before >> 20} to {after >> 20} MiB")
    # Facts are twice the bytes of the log: in memory they would be ten times this. What grows are the read buffers of
    # the runs that are merged, up to 64 of them.
    assert after - before < GROWTH
    assert 20 * MEBIBYTE < after < 100 * MEBIBYTE


def test_memory_is_a_number_of_mebibytes(logs):
    for text in ("3", "65537", "much", "-8"):
        said = ended(till_command("prove", "--data", logs[0], f"--memory={text}"), USAGE)
        assert re.search(r"--memory is a number of mebibytes from 4 to 65536\.", said), said
