"""The report of a benchmark run: unmet floors, tables that are behind, ratios, and measurements in turns."""

import sys
from types import SimpleNamespace

import pytest
from support import ROOT


@pytest.fixture
def benchmarks(monkeypatch):
    monkeypatch.syspath_prepend(str(ROOT / "Benchmarks"))
    import report
    import runner

    yield SimpleNamespace(report=report, runner=runner)
    for name in ("report", "runner", "server"):
        sys.modules.pop(name, None)


def row(key, median, *, peer_of=None, lower=False, details=()):
    return {
        "key": key, "what": key, "unit": "u", "peer": peer_of is not None, "peer_of": peer_of, "lower_is_better": lower,
        "median": median, "min": median, "max": median, "runs": 1, "load_before": [0.5], "details": list(details),
    }  # fmt: skip


def cells(benchmarks, rows):
    """Rows of the table by what they show: the name of a column gives its cell."""
    lines = benchmarks.report.table(rows).split("\n")
    head, _, *lines = [[cell.strip() for cell in text.strip("|").split("|")] for text in lines]
    return [dict(zip(head, line, strict=True)) for line in lines]


def test_a_floor_that_was_not_met_is_named(benchmarks):
    rows = [row("ingest.single64", 32_000), row("ingest.batch1000", 200_000), row("start.first_ms", 150, lower=True)]
    assert [found["floor"] for found in cells(benchmarks, rows)] == [
        "40,000 **not met**", "100,000 met", "100.0 **not met**",
    ]  # fmt: skip
    assert benchmarks.report.unmet(rows) == [
        "- Floor not met: ingest.single64, 32,000 of 40,000 u",
        "- Floor not met: start.first_ms, 150.0 of 100.0 u",
    ]


def test_the_table_shows_how_far_tables_were_behind(benchmarks):
    details = [{"tables_behind_seconds": seconds} for seconds in (3, 45, 9)]
    found = cells(benchmarks, [row("ingest.batch1000", 200_000, details=details), row("start.idle_rss", 30)])
    assert [one["tables behind"] for one in found] == ["9.0 s", ""]


def test_an_open_loop_has_no_ratio(benchmarks):
    rows = [
        row("latency.5000.ack_p99", 4, lower=True),
        row("latency.5000.fastapi", 9_600, peer_of="latency.5000.ack_p99", lower=True),
        row("ingest.single64", 40_000),
        row("ingest.single64.fastapi", 2_000, peer_of="ingest.single64"),
    ]
    assert [found["till to peer"] for found in cells(benchmarks, rows)] == ["", "", "", "20.00×"]


def test_pairs_run_in_turns(benchmarks, tmp_path):
    options = SimpleNamespace(scratch=tmp_path, smoke=False, repeat=3, events=0)
    run, order = benchmarks.runner.Runner(options), []

    def once(name, values):
        def measure():
            order.append(name)
            return next(values), {}

        return benchmarks.runner.measured(name, name, "u", measure)

    rows = run.in_turns(once("till", iter([3, 1, 2])), once("peer", iter([30, 10, 20])))
    assert order == ["till", "peer"] * 3
    assert [(one["key"], one["median"], one["min"], one["max"], one["runs"]) for one in rows] == [
        ("till", 2, 1, 3, 3), ("peer", 20, 10, 30, 3),
    ]  # fmt: skip
    assert run.rows == rows
