"""What every benchmark needs: options, scratch space, processes, repeated measurements."""

import itertools
import json
import shlex
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from server import BENCH, HERE, TILL, Server, Wrong, free_port, load

LONG = 500_000  # from this number of events, a figure of the retail traffic is measured once


def measured(key, what, unit, once, *, peer=False, lower=False, of=None):
    """A measurement: `once` returns a value and the details of one run."""
    return {
        "key": key, "what": what, "unit": unit, "once": once, "peer": peer, "peer_of": of, "lower_is_better": lower,
    }  # fmt: skip


class Runner:
    """One invocation: options, scratch space, results."""

    def __init__(self, options):
        self.options = options
        self.scratch = Path(tempfile.mkdtemp(prefix="till-bench-", dir=options.scratch))
        self.rows = []
        self.numbers = itertools.count()

    def directory(self):
        path = self.scratch / f"run{next(self.numbers)}"
        path.mkdir()
        return path

    def till(self, directory, *arguments):
        port = free_port()
        return Server([TILL, "up", "--data", directory / "data", "--listen", f"127.0.0.1:{port}", *arguments], port)

    def peer_command(self, port):
        where = ["--app-dir", HERE / "peers", "fastapi_sqlite:app", "--port", port]
        return [
            sys.executable,
            "-m",
            "uvicorn",
            *where,
            "--log-level",
            "error",
            "--no-access-log",
            "--timeout-keep-alive",
            "75",
        ]

    def peer(self, directory):
        port = free_port()
        return Server(self.peer_command(port), port, {"PEER_DB": str(directory / "peer.sqlite")})

    def bench(self, *arguments):
        command = [str(x) for x in (BENCH, *arguments)]
        print("$", shlex.join(command), flush=True)
        done = subprocess.run(command, capture_output=True, text=True, timeout=900)
        if done.returncode != 0:
            raise Wrong(f"{shlex.join(command)}: {done.stdout}{done.stderr}")
        return json.loads(done.stdout)

    def times(self, long=False):
        """Number of repetitions. Long runs average over time, so they run once unless the caller gives a number."""
        if self.options.smoke:
            return 1
        return self.options.repeat or (1 if long and self.options.events >= LONG else 3)

    def repeat(self, key, what, unit, once, *, peer=False, lower=False, of=None, long=False):
        """Runs `once` several times and keeps median, minimum and maximum of its first value."""
        return self.in_turns(measured(key, what, unit, once, peer=peer, lower=lower, of=of), long=long)[0]

    def in_turns(self, *measurements, long=False):
        """Runs each measurement once, then each again, so that a slow minute of the machine meets all of them."""
        values = [[] for _ in measurements]
        details = [[] for _ in measurements]
        before = []
        for turn in range(self.times(long)):
            for index, one in enumerate(measurements):
                if turn == 0:
                    before.append(load())
                value, detail = one["once"]()
                values[index].append(value)
                details[index].append(detail)
                print(f"  {one['key']}: {value:,.4g} {one['unit']} {json.dumps(detail)}", flush=True)
        rows = [self.row(*parts) for parts in zip(measurements, values, details, before, strict=True)]
        self.rows += rows
        return rows

    @staticmethod
    def row(measurement, values, details, before):
        return {
            **{name: value for name, value in measurement.items() if name != "once"},
            "median": statistics.median(values),
            "min": min(values),
            "max": max(values),
            "runs": len(values),
            "load_before": before,
            "details": details,
        }

    def derive(self, key, what, unit, values):
        """Another figure of the latest runs; lower is better."""
        self.rows.append(
            {
                "key": key,
                "what": what,
                "unit": unit,
                "peer": False,
                "peer_of": None,
                "lower_is_better": True,
                "median": statistics.median(values),
                "min": min(values),
                "max": max(values),
                "runs": len(values),
                "load_before": self.rows[-1]["load_before"] if self.rows else load(),
                "details": [],
            }
        )

    # --- the benchmarks ---
