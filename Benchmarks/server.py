"""Processes under measurement: started, watched and stopped by the benchmarks."""

import hashlib
import http.client
import json
import os
import shlex
import signal
import socket
import subprocess
import time
from decimal import Decimal
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
TILL = Path(os.environ.get("TILL_BIN", ROOT / ".build/release/till"))
BENCH = Path(os.environ.get("TILL_BENCH_BIN", ROOT / ".build/release/till-bench"))
YEAR = ROOT / "Examples/online-retail/online_retail_2009_2010.csv.gz"
TICKS = os.sysconf("SC_CLK_TCK")


class Wrong(Exception):
    """A result is not what it must be."""


def load():
    return [round(x, 2) for x in os.getloadavg()]


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def resident_mb(pid, field):
    for text in Path(f"/proc/{pid}/status").read_text().splitlines():
        if text.startswith(field + ":"):
            return int(text.split()[1]) / 1_000
    return 0


class Server:
    """One server process on an empty or given directory."""

    def __init__(self, command, port, environment=None, ready="/v1/sales/total"):
        self.command, self.port = [str(x) for x in command], port
        self.process = subprocess.Popen(
            self.command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, env={**os.environ, **(environment or {})}
        )
        deadline = time.monotonic() + 30
        while True:
            try:
                if self.get(ready)[0] == 200:
                    return
            except OSError:
                pass
            if self.process.poll() is not None or time.monotonic() > deadline:
                said = self.process.stderr.read(2000) if self.process.poll() else ""
                raise Wrong(f"{self.line} is not ready: {said}")
            time.sleep(0.02)

    @property
    def line(self):
        return shlex.join(self.command)

    def get(self, path):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        try:
            connection.request("GET", path)
            answer = connection.getresponse()
            return answer.status, answer.read()
        finally:
            connection.close()

    def json(self, path):
        status, body = self.get(path)
        if status != 200:
            raise Wrong(f"GET {path} answered {status}: {body[:200]!r}")
        return json.loads(body)

    def cpu_seconds(self):
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / TICKS

    def resident_mb(self, field="VmRSS"):
        return resident_mb(self.process.pid, field)

    def lag(self):
        return self.json("/v1/status")["lag"]

    def wait_for_tables(self, seconds=600):
        deadline = time.monotonic() + seconds
        while self.lag() > 0:
            if time.monotonic() > deadline:
                raise Wrong(f"the tables are {self.lag()} records behind after {seconds} s")
            time.sleep(0.02)

    def gross(self):
        return sum((Decimal(x["gross"]) for x in self.json("/v1/sales/total")["totals"]), Decimal(0))

    def digest(self):
        """SHA-256 over the answers of the figures, as canonical JSON."""
        paths = (
            "sales/total",
            "sales/total?definition=reference",
            "sales/over-time?grain=month",
            "products/top?limit=100",
            "customers/summary",
            "cancellations?grain=month",
        )
        answers = [json.dumps(self.json("/v1/" + path), sort_keys=True) for path in paths]
        return hashlib.sha256("\n".join(answers).encode()).hexdigest()

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(60)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.process.stderr.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()
