"""The report of a run: machine, versions, the table of results."""

import json
import os
import platform
import sqlite3
import statistics
import subprocess
from pathlib import Path

from server import ROOT, TILL

# Key of a figure: (what, unit, floor, aim, True when less is better).
GOALS = {
    "ingest.batch1000": ("durable ingest, NDJSON batches of 1,000", "events/s", 100_000, 300_000, False),
    "ingest.single64": ("durable ingest, single events, 64 connections", "events/s", 40_000, 150_000, False),
    "ingest.single256": ("durable ingest, single events, 256 connections", "events/s", 40_000, 150_000, False),
    "year.seconds": ("year file into all tables", "s", 30, 5, True),
    "replay.rate": ("replay of the log into empty tables", "lines/s", 20_000, 200_000, False),
    "pos.rate": ("POS sales over HTTP into all tables", "sales/s", 15_000, 50_000, False),
    "pos.replay": ("replay of the POS log into empty tables", "sales/s", 15_000, 50_000, False),
    "orders.rate": ("order messages over HTTP into all tables", "messages/s", None, None, False),
    "orders.replay": ("replay of the order log into empty tables", "messages/s", None, None, False),
    "prove.pos": ("till prove over the POS sales", "events/s", 50_000, 200_000, False),
    "prove.orders": ("till prove over the order messages", "events/s", 50_000, 200_000, False),
    "start.first_ms": ("start to first accepted event", "ms", 100, None, True),
    "start.idle_rss": ("resident memory, idle", "MB", 40, None, True),
}


def version(command):
    try:
        done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, timeout=60)
        return done.stdout.strip().splitlines()[0]
    except (OSError, IndexError):
        return "unknown"


def machine():
    info = Path("/proc/cpuinfo").read_text().splitlines()
    model = next((line.partition(":")[2].strip() for line in info if line.startswith("model name")), "unknown")
    memory = int(Path("/proc/meminfo").read_text().split()[1]) // 1_000_000
    return f"{os.cpu_count()} × {model}, {memory} GB, Linux {platform.release()}"


def versions():
    from importlib.metadata import PackageNotFoundError
    from importlib.metadata import version as package

    found = {"till": version([str(TILL), "version"])}
    found |= {"python": platform.python_version(), "sqlite": sqlite3.sqlite_version}
    for name in ("duckdb", "polars", "fastapi", "uvicorn", "uvloop", "httptools", "pydantic", "bytewax"):
        try:
            found[name] = package(name)
        except PackageNotFoundError:
            found[name] = "absent"
    return found


def shown(value):
    return f"{value:,.0f}" if value >= 1_000 else f"{value:.1f}" if value >= 10 else f"{value:.3g}"


def meets_floor(row):
    """Whether the median reaches the floor; None without a floor."""
    floor = GOALS.get(row["key"], (None,) * 5)[2]
    return None if floor is None else (row["median"] < floor) == row["lower_is_better"]


def unmet(rows):
    """One sentence for each figure that missed its floor."""
    return [
        f"- Floor not met: {row['what']}, {shown(row['median'])} of {shown(GOALS[row['key']][2])} {row['unit']}"
        for row in rows
        if meets_floor(row) is False
    ]


def behind(row):
    """Median seconds until the tables had everything, after the last answer; empty where that was not measured."""
    seconds = [detail["tables_behind_seconds"] for detail in row["details"] if "tables_behind_seconds" in detail]
    return f"{statistics.median(seconds):.1f} s" if seconds else ""


def ratio(row, medians):
    """How many times better till is than the peer. None for an open loop: an overloaded peer's queue grows with the
    length of the run, and so would the ratio."""
    is_open_loop = row["key"].startswith("latency.")
    if not row["peer"] or is_open_loop or not medians.get(row["peer_of"]) or not row["median"]:
        return ""
    ours, theirs = medians[row["peer_of"]], row["median"]
    return f"{theirs / ours if row['lower_is_better'] else ours / theirs:.2f}×"


def table(rows):
    lines = [
        "| what | unit | median | min–max | runs | tables behind | floor | aim | till to peer | load before |",
        "|---|---|---:|---:|---:|---:|---:|---:|---:|---:|",
    ]
    medians = {row["key"]: row["median"] for row in rows}
    for row in rows:
        _, _, floor, aim, _ = GOALS.get(row["key"], (None,) * 5)
        mark = {None: "", True: " met", False: " **not met**"}[meets_floor(row)]
        name = ("↳ peer: " if row["peer"] else "") + row["what"]
        cells = (
            name,
            row["unit"],
            shown(row["median"]),
            f"{shown(row['min'])}–{shown(row['max'])}",
            row["runs"],
            behind(row),
            shown(floor) + mark if floor else "",
            shown(aim) if aim else "",
            ratio(row, medians),
            row["load_before"][0],
        )
        lines.append(f"| {' | '.join(map(str, cells))} |")
    return "\n".join(lines)


def write(options, facts, rows, scratch):
    """Writes the table and the individual runs to results, by date."""
    options.out.mkdir(parents=True, exist_ok=True)
    text = (
        json.dumps(facts, indent=1).replace(str(scratch), "SCRATCH").replace(f"{ROOT}/", "")
    )  # no path of this machine
    (options.out / f"{facts['date']}.json").write_text(text + "\n")
    head = [
        f"# Benchmarks of {facts['date']}",
        "",
        f"- machine: {facts['machine']}",
        f"- commit: {facts['commit']}",
        f"- load average at the start: {facts['load_at_start'][0]}",
        "- versions: " + ", ".join(f"{name} {text}" for name, text in facts["versions"].items()),
        f"- each load lasted {options.seconds} s; retail traffic of {options.events:,} events; all results were checked"
        + ("; SMOKE RUN" if options.smoke else ""),
        "",
        *unmet(rows),
        *([""] if unmet(rows) else []),
        "../README.md explains the columns; the JSON file has the individual runs and command lines.",
        "",
    ]
    (options.out / f"{facts['date']}.md").write_text("\n".join(head) + table(rows) + "\n")
    print(f"\nwritten: {options.out / facts['date']}.md and .json")
