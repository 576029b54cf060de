"""`./dev up`, as a stranger uses it: built, loaded with the example year, looked at, stopped; and once more."""

import csv
import gzip
import http.client
import json
import os
import re
import signal
import subprocess
from pathlib import Path

import pytest
from conftest import ROOT, free_port
from support import EXAMPLE, binary, new_till, running

RELEASE = ROOT / ".build/release/till"
PROGRESS = re.compile(r"^(\d+) rows, (\d+) rows/s, (\d+) %, (\d+) s left$", re.MULTILINE)
REPORT = re.compile(r"^run \S+: read (\d+) = distinct (\d+) \+ duplicates (\d+) \+ quarantined (\d+)$", re.MULTILINE)


class Up:
    """One run of `./dev up` until its last line, then a signal."""

    def __init__(self, directory):
        self.port = free_port()
        self.errors = directory / "errors"
        words = [ROOT / "dev", "up", "--listen", f"127.0.0.1:{self.port}", "--data", directory / "data"]
        with self.errors.open("wb") as errors:
            self.process = subprocess.Popen(
                list(map(str, words)), cwd=directory, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=errors,
                start_new_session=True,
            )  # fmt: skip

    def __enter__(self):
        self.said = ""
        for text in iter(self.process.stdout.readline, b""):
            self.said += text.decode()
            if text.startswith(b"Tillstream is at "):
                assert f"http://127.0.0.1:{self.port}/" in self.said
                return self
        pytest.fail(f"./dev up ended with {self.process.wait()}: {self.said}\n{self.errors.read_text()}")

    def __exit__(self, *_):
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
        # Till is in a session of its own, and a failed test must not leave it behind.
        subprocess.run(["pkill", "-KILL", "-f", f"127.0.0.1:{self.port}"], check=False)

    def get(self, path):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        connection.request("GET", path)
        reply = connection.getresponse()
        assert reply.status == 200
        return json.loads(reply.read())

    def stop(self, number):
        """The exit code after a signal to the script, as Ctrl-C and a service manager send it."""
        self.process.send_signal(number)
        return self.process.wait(timeout=60)


def test_the_year_is_loaded_once_and_a_second_start_adds_nothing(tmp_path):
    if Path(binary()) != RELEASE:
        pytest.skip("./dev up runs the release build, TILL_BIN names another")
    with gzip.open(EXAMPLE, "rt", encoding="utf-8", newline="") as file:
        lines = sum(1 for _ in csv.reader(file)) - 1

    with Up(tmp_path) as up:
        (report,) = REPORT.findall(up.said)
        read, distinct, duplicates, quarantined = map(int, report)
        assert read == lines == distinct + duplicates + quarantined
        progress = [tuple(map(int, found)) for found in PROGRESS.findall(up.errors.read_text())]
        assert len(progress) >= 2, "shown about twice a second, and a year takes several"
        rows, rates, shares, left = zip(*progress, strict=True)
        assert list(rows) == sorted(rows)
        assert 0 < rows[0] < rows[-1] <= lines
        assert list(shares) == sorted(shares)
        assert min(rates) > 0
        assert left[-1] < left[0]
        total = up.get("/v1/sales/total")
        assert total["totals"][0]["orders"] > 0
        assert up.stop(signal.SIGTERM) == 0

    with Up(tmp_path) as up:
        (report,) = REPORT.findall(up.said)
        assert list(map(int, report)) == [lines, 0, lines, 0]
        assert up.get("/v1/sales/total") == total
        assert up.stop(signal.SIGINT) == 0


def test_reset_removes_the_demo_data_and_no_other(tmp_path):
    def reset(data, *words):
        done = subprocess.run(
            [ROOT / "dev", "reset", *words], env={**os.environ, "TILL_DATA": str(data)}, stdin=subprocess.DEVNULL,
            capture_output=True, check=False,
        )  # fmt: skip
        return done.returncode, (done.stdout + done.stderr).decode()

    for name, arguments in (("demo", ["--demo"]), ("real", [])):
        (tmp_path / name).mkdir()
        with running(new_till(tmp_path / name, *arguments)) as till:
            if name == "demo":
                code, said = reset(till.data, "--yes")
                assert code != 0 and "a till runs on" in said and till.data.exists()
            assert till.stop() == 0
    demo, real = tmp_path / "demo/data", tmp_path / "real/data"
    code, said = reset(demo)
    assert code == 2 and "./dev reset --yes" in said and demo.exists(), "nobody was there to say yes"
    code, said = reset(real, "--yes")
    assert code != 0 and "may hold real data" in said and real.exists()
    code, said = reset(demo, "--yes")
    assert code == 0 and f"removed {demo}" in said and not demo.exists()
