"""What every benchmark needs: options, scratch space, processes, repeated measuring."""

import itertools
import json
import shlex
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from server import BENCH, HERE, TILL, Server, Wrong, free_port, load

LONG = 500_000  # events from which on a figure of the retail traffic is measured once


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
        """How often a figure is measured; long runs average in themselves, so once unless the caller says a number."""
        if self.options.smoke:
            return 1
        return self.options.repeat or (1 if long and self.options.events >= LONG else 3)

    def repeat(self, key, what, unit, once, *, peer=False, lower=False, of=None, long=False):
        """Runs `once` several times and keeps median, least and greatest of its first value."""
        values, details, before = [], [], load()
        for _ in range(self.times(long)):
            value, detail = once()
            values.append(value)
            details.append(detail)
            print(f"  {key}: {value:,.4g} {unit} {json.dumps(detail)}", flush=True)
        row = {
            "key": key,
            "what": what,
            "unit": unit,
            "peer": peer,
            "peer_of": of,
            "lower_is_better": lower,
            "median": statistics.median(values),
            "min": min(values),
            "max": max(values),
            "runs": len(values),
            "load_before": before,
            "details": details,
        }
        self.rows.append(row)
        return row

    def derive(self, key, what, unit, values):
        """A further figure of the runs that were made last; less is better."""
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
