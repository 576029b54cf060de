"""The benchmarks of retail traffic: `pos`, `orders`, `prove` and `size`, on what `till simulate` writes.

A subject is generated once for a run and recomputed once (expected.py); all benchmarks share its data directory, so
`prove` and `size` look at what `pos` and `orders` left, or load it themselves when they run alone.
"""

import json
import os
import shlex
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path

import expected
from report import GOALS
from server import HERE, TILL, Wrong, resident_mb

TICKS = 3
START = "2025-03-03T09:00:00Z"
UNITS = 100_000  # money in the tables is in units of 1e-5
PLANS = {
    "pos": ("--duplicates", 0.01, "--late", 0.01, "--disorder", 0.05, "--failures", 0.001),
    "orders": ("--duplicates", 0.01, "--disorder", 0.05, "--versions", 0.2),
}
REFERENCES = {"pos": (), "orders": ("users", "restaurants")}
NOUN = {"pos": "sales", "orders": "messages"}
# Orders that make up 1,000 messages: every fifth is sent in two or three versions, every hundredth message twice.
ORDERS_PER_1000 = 805
SECONDS_MAX = 1_800  # of one command
SHOWN_SHARE = 0.01  # of the file; tables below it are only in the JSON file

WINDOWS = """SELECT s.source_key, w.window_start, (w.total_hi << 32) + w.total_lo, w.sale_count
    FROM store_window w JOIN store s ON s.id = w.store_id WHERE w.sale_count > 0"""
BY_PRODUCT = """SELECT c.source_key, p.source_key, u.orders FROM user_product u
    JOIN customer c ON c.id = u.customer_id JOIN product p ON p.id = u.product_id WHERE u.orders <> 0"""
BY_CATEGORY = """SELECT c.source_key, k.name, u.orders FROM user_category u
    JOIN customer c ON c.id = u.customer_id JOIN category k ON k.id = u.category_id WHERE u.orders <> 0"""
SIZES = """SELECT m.tbl_name, sum(d.pgsize), sum(CASE m.type WHEN 'index' THEN d.pgsize ELSE 0 END)
    FROM dbstat d JOIN sqlite_schema m ON m.name = d.name WHERE d.aggregate = TRUE GROUP BY 1 ORDER BY 2 DESC"""


@dataclass
class Child:
    """A finished command: what it printed, how long it took, and what the kernel says of it."""

    text: str
    seconds: float
    cpu_seconds: float
    peak_mb: float
    line: str


@dataclass
class Subject:
    """Generated traffic, what must come of it, and the directory that it was loaded into last."""

    name: str
    file: Path
    references: dict
    sent: dict
    truth: dict = field(default_factory=dict)
    directory: Path | None = None

    @property
    def events(self):
        """What a rate counts: sales, each once, or all messages about orders."""
        return self.sent["distinct"] if self.name == "pos" else self.sent["distinct"] + self.sent["duplicates"]

    @property
    def records(self):
        return self.sent["distinct"] + self.sent["duplicates"]

    def log_bytes(self):
        return sum(path.stat().st_size for path in (self.directory / "data/log").rglob("*") if path.is_file())


def finish(command, source=None):
    """Runs a command to its end, which must be exit code 0, with `source` as its standard input."""
    command = [str(x) for x in command]
    line = shlex.join(command) + (f" < {source}" if source else "")
    print("$", line, flush=True)
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as errors, open(source or os.devnull, "rb") as given:
        started = time.monotonic()
        child = subprocess.Popen(command, stdin=given, stdout=out, stderr=errors)
        # Not ru_maxrss: it begins with the memory of this process, which the child has until it executes the command.
        peak, ended = 0, 0
        while not ended:
            ended, status, usage = os.wait4(child.pid, os.WNOHANG)
            if not ended:
                if time.monotonic() - started > SECONDS_MAX:
                    child.kill()
                peak = max(peak, resident_mb(child.pid, "VmHWM"))
                time.sleep(0.01)
        seconds = time.monotonic() - started
        child.returncode = os.waitstatus_to_exitcode(status)
        out.seek(0)
        errors.seek(0)
        text = out.read().decode()
        if child.returncode != 0:
            raise Wrong(f"{line} ended with {child.returncode}: {text[-2000:]}{errors.read().decode()[-2000:]}")
    cpu = usage.ru_utime + usage.ru_stime
    return Child(text, seconds, round(cpu, 2), round(peak, 1), line)


def query(directory, text):
    database = sqlite3.connect(f"file:{directory / 'data/tables.sqlite'}?mode=ro", uri=True)
    try:
        return database.execute(text).fetchall()
    finally:
        database.close()


def difference(what, found, truth):
    """Nothing when they are equal, else a sentence with one example."""
    if found == truth:
        return
    keys = [key for key in found.keys() | truth.keys() if found.get(key) != truth.get(key)]
    key = min(keys, key=str)
    raise Wrong(f"{len(keys)} {what} differ, as {key}: {found.get(key)} in till and {truth.get(key)} recomputed")


class Retail:
    names = ("pos", "orders", "prove", "size")

    def __init__(self, run):
        self.run, self.options = run, run.options
        self.subjects = {}

    # --- traffic and truth ---

    def subject(self, name):
        if name not in self.subjects:
            self.subjects[name] = self._generate(name)
        return self.subjects[name]

    def _generate(self, name):
        count = self.options.events
        if name == "orders":
            count = count * ORDERS_PER_1000 // 1_000
        path, base = self.run.scratch / f"{name}.ndjson", (TILL, "simulate", name, "--seed", 1, "--start", START)
        sent = json.loads(finish((*base, "--out", path, "--count", count, "--rate", 100, *PLANS[name], "--json")).text)[
            "sent_of_kind"
        ]
        references = {kind: self.run.scratch / f"{kind}.ndjson" for kind in REFERENCES[name]}
        for kind, file in references.items():
            finish((*base, "--out", file, "--reference", kind))
        subject, started = Subject(name, path, references, sent), time.monotonic()
        if name == "pos":
            subject.truth = expected.turnover(path)
            if subject.truth["late"] == 0:
                raise Wrong("no generated sale is late; generate more")
        else:
            subject.truth = expected.counters(path, references["restaurants"])
        print(f"  {subject.records:,} {name} records recomputed in {time.monotonic() - started:.1f} s", flush=True)
        return subject

    def _check(self, subject, server, directory):
        """Control totals, and every window or counter; the facts that the results keep."""
        feeds = server.json("/v1/status")["totals"]
        referenced = sum(file.read_bytes().count(b"\n") for file in subject.references.values())
        totals = {
            "received": subject.records + referenced,
            "distinct": subject.sent["distinct"] + referenced,
            "duplicates": subject.sent["duplicates"],
            "quarantined": 0,
            "parked": 0,
            "conflicting": 0,
            "superseded": subject.sent["versions"],
            "current": subject.sent["distinct"] - subject.sent["versions"] + referenced,
        }
        difference("control totals", {name: feeds[name] for name in totals}, totals)
        truth = subject.truth
        if subject.name == "pos":
            windows = {
                (store, start): (Decimal(units) / UNITS, count)
                for store, start, units, count in query(directory, WINDOWS)
            }
            difference("windows", windows, truth["windows"])
            ((late,),) = query(directory, "SELECT count(*) FROM late_sale")
            if late != truth["late"]:
                raise Wrong(f"{late} sales are late in till and {truth['late']} recomputed")
            return {"windows": len(windows), "late": late}
        found = {}
        for name, text in (("product", BY_PRODUCT), ("category", BY_CATEGORY)):
            found[name] = {(user, other): orders for user, other, orders in query(directory, text)}
            difference(f"counters by user and {name}", found[name], truth[name])
        return {"orders": truth["orders"], **{f"user_{name}": len(rows) for name, rows in found.items()}}

    # --- loading ---

    def _load(self, subject):
        """Into an empty directory over HTTP: seconds from the start of the client until all is in the tables."""
        if subject.directory:
            shutil.rmtree(subject.directory)
        subject.directory = directory = self.run.directory()
        with self.run.till(directory) as server:
            to = ("--to", f"http://127.0.0.1:{server.port}", "--json")
            for feed, file in subject.references.items():
                finish((TILL, "ingest", feed, file, *to))
            cpu = server.cpu_seconds()
            # From standard input: the client does not read the file once more for its fingerprint.
            done = finish((TILL, "ingest", subject.name, "-", "--format", "ndjson", *to), subject.file)
            # A record that only says that half a minute has passed may follow at any time.
            if server.lag() > TICKS:
                raise Wrong("till ingest ended before the tables were there")
            detail = {
                "seconds": round(done.seconds, 3),
                "client_cpu_seconds": done.cpu_seconds,
                "server_cpu_seconds": round(server.cpu_seconds() - cpu, 2),
                "resident_mb": round(server.resident_mb("VmHWM"), 1),
            }
            detail |= self._check(subject, server, directory)
            return done.seconds, detail | {"command": done.line}

    def _replay(self, subject):
        directory = subject.directory
        for path in (directory / "data").glob("tables.sqlite*"):
            path.unlink()
        started = time.monotonic()
        with self.run.till(directory) as server:
            server.wait_for_tables()
            seconds = time.monotonic() - started
            detail = {
                "seconds": round(seconds, 3),
                "server_cpu_seconds": server.cpu_seconds(),
                "resident_mb": round(server.resident_mb("VmHWM"), 1),
            }
            detail |= self._check(subject, server, directory)
            return seconds, detail | {"command": server.line}

    def _loaded(self, name):
        subject = self.subject(name)
        if not subject.directory:
            self._load(subject)
        return subject

    def _measure(self, name):
        subject = self.subject(name)
        for part, once in (("rate", self._load), ("replay", self._replay)):

            def rated(once=once):
                seconds, detail = once(subject)
                return subject.events / seconds, detail

            key = f"{name}.{part}"
            what = GOALS[key][0]
            row = self.run.repeat(key, what, f"{NOUN[name]}/s", rated, long=True)
            peaks = [detail["resident_mb"] for detail in row["details"]]
            self.run.derive(f"{key}.rss", f"peak resident memory, {what}", "MB", peaks)
        return subject

    # --- the benchmarks ---

    def pos(self):
        subject = self._measure("pos")
        if self.options.no_peers:
            return

        def theirs():
            out = self.run.scratch / "bytewax.json"
            done = finish((sys.executable, HERE / "peers/bytewax_windows.py", subject.file, out))
            found = json.loads(out.read_text())
            detail = json.loads(done.text) | {"resident_mb": done.peak_mb} | self._compared(subject, found)
            return subject.events / detail["seconds"], detail | {"command": done.line}

        try:
            import bytewax  # noqa: F401
        except ImportError:
            print("  bytewax is not installed: it has no wheel for this Python; the peer is left out", flush=True)
            return
        what = "bytewax, windows only, in memory, one worker"
        self.run.repeat("pos.bytewax", what, "sales/s", theirs, peer=True, of="pos.replay", long=True)

    def _compared(self, subject, found):
        """How many windows of the peer differ from the truth; with its late sales added none may."""
        truth = subject.truth["windows"]
        windows = {
            (store, number * expected.WINDOW): (Decimal(total), count)
            for store, number, total, count in found["windows"]
            if count > 0
        }
        differing = sum(windows.get(key) != value for key, value in truth.items())
        for store, number, amount in found["late"]:
            total, count = windows.get((store, number * expected.WINDOW), (Decimal(0), 0))
            windows[store, number * expected.WINDOW] = total + Decimal(amount), count + 1
        difference("windows of bytewax, late sales added,", windows, truth)
        return {"windows": len(truth), "windows_differing": differing, "late_dropped": len(found["late"])}

    def orders(self):
        subject = self._measure("orders")
        if self.options.no_peers:
            return

        def theirs():
            path = self.run.directory() / "peer.sqlite"
            peer = HERE / "peers/order_counters.py"
            done = finish((sys.executable, peer, subject.file, subject.references["restaurants"], path))
            database = sqlite3.connect(path)
            for name in ("product", "category"):
                rows = database.execute(f"SELECT * FROM user_{name} WHERE orders <> 0")
                found = {(user, other): orders for user, other, orders in rows}
                difference(f"counters by user and {name} of the peer", found, subject.truth[name])
            database.close()
            shutil.rmtree(path.parent)
            detail = json.loads(done.text) | {"resident_mb": done.peak_mb, "command": done.line}
            return subject.events / detail["seconds"], detail

        what = "Python consumer, counters only, in SQLite"
        self.run.repeat("orders.python", what, "messages/s", theirs, peer=True, of="orders.replay", long=True)

    def prove(self):
        for name in ("pos", "orders"):
            subject = self._loaded(name)
            data = subject.directory / "data"

            def ours(subject=subject, data=data):
                done = finish((TILL, "prove", "--data", data, "--json"))
                report = json.loads(done.text)
                if report["differences"] != 0:
                    raise Wrong(f"till prove found {report['differences']} differences: {report['found'][:3]}")
                detail = {key: report[key] for key in ("events", "rows", "tables", "differences", "seconds")}
                detail |= {"cpu_seconds": done.cpu_seconds, "resident_mb": done.peak_mb}
                detail |= {"log_mb": round(subject.log_bytes() / 1e6, 1), "command": done.line}
                return report["events"] / done.seconds, detail

            key = f"prove.{name}"
            row = self.run.repeat(key, GOALS[key][0], "events/s", ours, long=True)
            what = f"peak resident memory, {GOALS[key][0]}"
            self.run.derive(f"{key}.rss", what, "MB", [x["resident_mb"] for x in row["details"]])

    def size(self):
        for name in ("pos", "orders"):
            subject = self._loaded(name)
            each = f"bytes/{NOUN[name].removesuffix('s')}"
            try:
                tables = query(subject.directory, SIZES)
            except sqlite3.OperationalError as error:  # an SQLite without dbstat
                print(f"  {error}: only the size of the file is known", flush=True)
                ((pages,),), ((page,),) = (query(subject.directory, f"PRAGMA page_{x}") for x in ("count", "size"))
                tables = [("all tables", pages * page, 0)]
            total = sum(size for _, size, _ in tables)
            details = [
                {"table": table, "bytes": size, "of_these_indexes": indexes, "per_event": size / subject.events}
                for table, size, indexes in tables
            ]
            for key, what, size in (
                ("input", "size of the NDJSON file", subject.file.stat().st_size),
                ("log", "size of the log", subject.log_bytes()),
                ("tables", "size of all tables with their indexes", total),
            ):
                self.run.derive(f"size.{name}.{key}", f"{name}: {what}", each, [size / subject.events])
            self.run.rows[-1]["details"] = details
            for table, size, _ in tables:
                if size >= total * SHOWN_SHARE and len(tables) > 1:
                    what = f"{name}: table {table} with its indexes"
                    self.run.derive(f"size.{name}.{table}", what, each, [size / subject.events])
