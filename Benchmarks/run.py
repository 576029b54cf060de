"""The benchmarks of till: `./dev bench [NAME…] [OPTIONS]`. See README.md beside this file.

Every measured run is checked: all events accepted, and the totals of the tables equal to what was sent or, for the year
file and the retail traffic, to what is computed otherwise from the same file in the same run. A wrong result ends the
run with exit code 1.
"""

import argparse
import datetime
import gzip
import itertools
import json
import os
import shlex
import shutil
import subprocess
import sys
import time
from decimal import Decimal
from pathlib import Path

from report import GOALS, machine, table, version, versions, write
from retail import Retail
from runner import LONG, Runner, measured
from server import HERE, TILL, YEAR, Wrong, free_port, load


class Run(Runner):
    """The benchmarks."""

    def _ingest(self, server, batch, connections, seconds):
        with server:
            cpu = server.cpu_seconds()
            found = self.bench(
                "ingest",
                "--to",
                f"127.0.0.1:{server.port}",
                "--batch",
                batch,
                "--connections",
                connections,
                *(("--count", 40 * batch) if self.options.smoke else ("--seconds", seconds)),
            )
            kept = ("latency", "client", "events", "requests")
            detail = {name: found[name] for name in found if name.startswith(kept)}
            detail["server_cpu_seconds"] = round(server.cpu_seconds() - cpu, 2)
            detail["resident_mb"] = round(server.resident_mb("VmHWM"), 1)
            if "till" in Path(server.command[0]).name:
                started = time.monotonic()
                server.wait_for_tables()
                detail["tables_behind_seconds"] = round(time.monotonic() - started, 2)
            sent, stored = Decimal(found["gross_hundredths"]) / 100, server.gross()
            if sent != stored:
                raise Wrong(f"sent lines worth {sent}, but the tables have {stored}")
            detail["command"] = server.line
            return found["events_per_second"], detail

    def ingest(self, names=("batch1000", "single64", "single256"), delays=(0,), peers=True):
        seconds = 1 if self.options.smoke else self.options.seconds
        shapes = {"batch1000": (1_000, 16), "single64": (1, 64), "single256": (1, 256)}
        for name, delay in itertools.product(names, delays):
            batch, connections = shapes[name]
            if self.options.smoke:
                batch, connections = min(batch, 100), min(connections, 8)
            key = f"ingest.{name}" + (f".sync{delay}ms" if delay else "")
            what = GOALS["ingest." + name][0] + (f", {delay} ms added to each sync" if delay else "")
            extra = [f"--log.added_sync_milliseconds={delay}"] if delay else []

            def ours(batch=batch, connections=connections, extra=extra):
                return self._ingest(self.till(self.directory(), *extra), batch, connections, seconds)

            def theirs(batch=batch, connections=connections):
                return self._ingest(self.peer(self.directory()), batch, connections, seconds)

            pair = [measured(key, what, "events/s", ours)]
            if peers and not delay and not self.options.no_peers:
                name = "FastAPI + uvicorn + SQLite (FULL)"
                pair.append(measured(f"{key}.fastapi", name, "events/s", theirs, peer=True, of=key))
            row = self.in_turns(*pair)[0]
            if not delay:
                self.derive(
                    f"{key}.rss", f"peak resident memory, {what}", "MB", [x["resident_mb"] for x in row["details"]]
                )

    def delay(self):
        self.ingest(delays=(1,) if self.options.smoke else (1, 5, 10), peers=False)

    def _year_file(self):
        if not self.options.smoke:
            return YEAR
        path = self.scratch / "year.csv.gz"
        if not path.exists():
            with gzip.open(YEAR, "rt", newline="") as source, gzip.open(path, "wt", newline="") as out:
                out.writelines(itertools.islice(source, 3_001))
        return path

    def _peer_file(self, tool, *database):
        command = [sys.executable, HERE / "peers/year_file.py", tool, self._year_file(), *database]
        done = subprocess.run([str(x) for x in command], capture_output=True, text=True, timeout=600)
        if done.returncode != 0:
            raise Wrong(done.stderr)
        return json.loads(done.stdout)

    def _check_year(self, server, expected):
        native = server.json("/v1/sales/total")["totals"][0]
        reference = server.json("/v1/sales/total?definition=reference")["totals"][0]
        found = {"gross": native["gross"], "returns": native["returns"], "reference": reference["sales"]}
        for name, value in found.items():
            if Decimal(value) != Decimal(expected[name]):
                raise Wrong(f"{name} is {value} in till and {expected[name]} by duckdb")
        if native["orders"] != expected["orders"] or Decimal(str(native["units"])) != expected["units"]:
            raise Wrong(f"orders or units differ: {native} and {expected}")
        return {"digest": server.digest(), **found}

    def _load_year(self, directory):
        words = (TILL, "ingest", "invoices", self._year_file(), "--data", directory / "data", "--json")
        command = [str(x) for x in words]
        print("$", shlex.join(command), flush=True)
        started = time.monotonic()
        done = subprocess.run(command, capture_output=True, text=True, timeout=900)
        seconds = time.monotonic() - started
        if done.returncode != 0:
            raise Wrong(done.stderr)
        return seconds, json.loads(done.stdout), shlex.join(command)

    def year(self):
        expected = self._peer_file("duckdb")["figures"]

        def ours():
            directory, before = self.directory(), os.times()
            seconds, report, command = self._load_year(directory)
            after = os.times()
            cpu = after.children_user + after.children_system - before.children_user - before.children_system
            if report["distinct"] != expected["lines"]:
                raise Wrong(f"{report} and {expected['lines']} lines")
            with self.till(directory) as server:
                detail = self._check_year(server, expected)
            return seconds, {**detail, "cpu_seconds": round(cpu, 2), "command": command}

        year = measured("year.seconds", GOALS["year.seconds"][0], "s", ours, lower=True)
        if self.options.no_peers:
            self.in_turns(year)
            return

        def theirs(tool, isStored):
            found = self._peer_file(tool, *([self.directory() / "year.duckdb"] if isStored else []))
            for name in ("gross", "returns", "reference"):
                if Decimal(found["figures"][name]) != Decimal(expected[name]):
                    raise Wrong(f"{tool}: {found['figures']} and {expected}")
            return found["seconds"], {"version": found["version"]}

        def peer(key, what, tool, stored):
            return measured(
                f"year.{key}", what, "s", lambda: theirs(tool, stored), peer=True, lower=True, of="year.seconds"
            )

        self.in_turns(
            year,
            peer("duckdb", "duckdb, in memory, figures only", "duckdb", False),
            peer("duckdb_file", "duckdb, lines and two sums in a database file", "duckdb", True),
            peer("polars", "polars, in memory, figures only", "polars", False),
        )

    def replay(self):
        expected = self._peer_file("duckdb")["figures"]
        directory = self.directory()
        self._load_year(directory)

        def ours():
            for path in (directory / "data").glob("tables.sqlite*"):
                path.unlink()
            started = time.monotonic()
            with self.till(directory) as server:
                server.wait_for_tables()
                seconds = time.monotonic() - started
                detail = self._check_year(server, expected)
                detail |= {"seconds": round(seconds, 3), "server_cpu_seconds": server.cpu_seconds()}
                return expected["lines"] / seconds, detail | {"command": server.line}

        self.repeat("replay.rate", GOALS["replay.rate"][0], "lines/s", ours)

    def latency(self):
        seconds = 1 if self.options.smoke else self.options.seconds
        for rate in (200,) if self.options.smoke else (1_000, 5_000):
            kept = {}

            def once(name, make, *extra, rate=rate, kept=kept):
                with make(self.directory()) as server:
                    found = self.bench(
                        "latency",
                        "--to",
                        f"127.0.0.1:{server.port}",
                        "--rate",
                        rate,
                        "--seconds",
                        seconds,
                        "--sample",
                        max(1, rate // 100),
                        *extra,
                    )
                    if name == "till":
                        server.wait_for_tables()
                    sent, stored = Decimal(found["gross_hundredths"]) / 100, server.gross()
                    if sent != stored:
                        raise Wrong(f"sent lines worth {sent}, the tables say {stored}")
                    kept.setdefault(name, []).append(found)
                    found["command"] = server.line
                    return found["ack_p99_us" if extra else "table_p99_us"] / 1_000, found

            label = f"at {rate:,} events/s"
            key = f"latency.{rate}"
            what = f"post to table, p99, {label}"
            pair = [measured(key + ".table_p99", what, "ms", lambda once=once: once("till", self.till), lower=True)]
            if not self.options.no_peers:
                pair.append(
                    measured(
                        f"{key}.fastapi",
                        f"FastAPI + uvicorn + SQLite: answer, p99, {label}",
                        "ms",
                        lambda once=once: once("peer", self.peer, "--ack-only"),
                        peer=True,
                        lower=True,
                        of=f"{key}.ack_p99",
                    )
                )
            self.in_turns(*pair)
            for field, what in (
                ("table_p50_us", "post to table, p50"),
                ("ack_p50_us", "answer, p50"),
                ("ack_p99_us", "answer, p99"),
            ):
                values = [found[field] / 1_000 for found in kept["till"]]
                self.derive(f"{key}.{field[:-3]}", f"{what}, {label}", "ms", values)

    def start(self):
        details = []

        def ours():
            found = self.bench("start", "--bin", TILL)
            details.append(found)
            return found["first_accepted_ms"], found

        def theirs():
            port, directory = free_port(), self.directory()
            environment = ["env", f"PEER_DB={directory / 'peer.sqlite'}"]
            command = self.peer_command(port)
            found = self.bench("start", "--to", f"127.0.0.1:{port}", "--", *environment, *command)
            return found["first_accepted_ms"], found

        pair = [measured("start.first_ms", GOALS["start.first_ms"][0], "ms", ours, lower=True)]
        if not self.options.no_peers:
            what = "FastAPI + uvicorn + SQLite"
            pair.append(measured("start.fastapi", what, "ms", theirs, peer=True, lower=True, of="start.first_ms"))
        self.in_turns(*pair)
        idle = [found["idle_rss_bytes"] / 1e6 for found in details]
        self.derive("start.idle_rss", GOALS["start.idle_rss"][0], "MB", idle)
        self.derive("start.binary", "size of the binary", "MB", [TILL.stat().st_size / 1e6])


def main():
    names = ("ingest", "delay", "year", "replay", "latency", "start", *Retail.names)
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"which of {', '.join(names)}; default all")
    parser.add_argument("--repeat", type=int, help=f"default 3; 1 for retail traffic of {LONG:,} events and more")
    parser.add_argument("--events", type=int, help="size of the retail traffic; default 1,000,000, smoke 5,000")
    parser.add_argument("--seconds", type=int, default=10, help="seconds of each load")
    parser.add_argument("--smoke", action="store_true", help="tiny runs, once each: check results only")
    parser.add_argument("--no-peers", action="store_true")
    parser.add_argument("--scratch", default=None, help="directory for data, on the disk to measure")
    parser.add_argument("--out", type=Path, default=HERE / "results")
    options = parser.parse_args()
    if unknown := set(options.names) - set(names):
        parser.error(f"unknown benchmark {', '.join(sorted(unknown))}; supported: {', '.join(names)}")
    options.events = options.events or (5_000 if options.smoke else 1_000_000)
    run, failure = Run(options), None
    retail = Retail(run)
    print(f"{machine()}; load {load()}; {versions()}", flush=True)
    started = load()
    try:
        for name in options.names or names:
            print(f"== {name}", flush=True)
            getattr(retail if name in Retail.names else run, name)()
    except Wrong as wrong:
        failure = str(wrong)
    finally:
        shutil.rmtree(run.scratch, ignore_errors=True)
    print("\n" + table(run.rows))
    if failure:
        print(f"\nWRONG: {failure}", file=sys.stderr)
        return 1
    date = datetime.date.today().isoformat()
    facts = {
        "date": date,
        "machine": machine(),
        "commit": version(["git", "rev-parse", "HEAD"]),
        "changed": version(["git", "status", "--short", "--", "Sources"]),
        "load_at_start": started,
        "versions": versions(),
        "smoke": options.smoke,
        "seconds": options.seconds,
        "events": options.events,
        "rows": run.rows,
    }
    write(options, facts, run.rows, run.scratch)
    return 0


if __name__ == "__main__":
    sys.exit(main())
