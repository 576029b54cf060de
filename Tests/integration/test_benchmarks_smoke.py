"""Each benchmark at tiny size: results are checked as in a real run; nothing is timed."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import ROOT, till_binary

BENCH = Path(os.environ.get("TILL_BENCH_BIN", ROOT / ".build/release/till-bench"))


def smoke(tmp_path, *arguments):
    """The rows of a smoke run, which ends with exit code 1 when a result is wrong."""
    binary = till_binary()
    if binary is None or not BENCH.is_file():
        pytest.skip("till or till-bench is not built: ./dev bench builds both")
    environment = {**os.environ, "TILL_BIN": str(binary), "TILL_BENCH_BIN": str(BENCH)}
    words = ["Benchmarks/run.py", *arguments, "--smoke", "--out", str(tmp_path), "--scratch", str(tmp_path)]
    done = subprocess.run(
        [sys.executable, *words], cwd=ROOT, env=environment, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stdout + done.stderr
    (found,) = tmp_path.glob("*.json")
    rows = json.loads(found.read_text())["rows"]
    assert rows and all(row["median"] > 0 for row in rows)
    return {row["key"]: row for row in rows}


@pytest.mark.parametrize("name", ["ingest", "delay", "year", "replay", "latency", "start"])
def test_benchmark_gives_right_results(name, tmp_path):
    smoke(tmp_path, name, "--no-peers")


@pytest.mark.parametrize("name", ["pos", "orders"])
def test_retail_benchmark_and_its_peer_agree_with_the_recomputation(name, tmp_path):
    rows = smoke(tmp_path, name, "--events", "5000")
    assert {f"{name}.rate", f"{name}.replay"} <= rows.keys()


@pytest.mark.parametrize("name", ["prove", "size"])
def test_retail_benchmark_gives_right_results(name, tmp_path):
    rows = smoke(tmp_path, name, "--events", "5000")
    assert {key.split(".")[1] for key in rows} == {"pos", "orders"}
