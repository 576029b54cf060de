"""Each benchmark at tiny size: results are checked as in a real run; nothing is timed."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import ROOT, till_binary

BENCH = Path(os.environ.get("TILL_BENCH_BIN", ROOT / ".build/release/till-bench"))


@pytest.mark.parametrize("name", ["ingest", "delay", "year", "replay", "latency", "start"])
def test_benchmark_gives_right_results(name, tmp_path):
    binary = till_binary()
    if binary is None or not BENCH.is_file():
        pytest.skip("till or till-bench is not built: ./dev bench builds both")
    environment = {**os.environ, "TILL_BIN": str(binary), "TILL_BENCH_BIN": str(BENCH)}
    words = ["Benchmarks/run.py", name, "--smoke", "--no-peers", "--out", str(tmp_path), "--scratch", str(tmp_path)]
    done = subprocess.run(
        [sys.executable, *words], cwd=ROOT, env=environment, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stdout + done.stderr
    (found,) = tmp_path.glob("*.json")
    rows = json.loads(found.read_text())["rows"]
    assert rows and all(row["median"] > 0 for row in rows)
