"""Faults planted in a build of till of its own: `till prove` names every one of them, and nothing without them.

`./dev test` builds that till; by hand: TILL_MUTANTS=1 swift build --scratch-path .build-mutants --product till
"""

import concurrent.futures
import json
import os
import re
from pathlib import Path

import pytest
from conftest import ROOT
from mutant_script import Trade
from support import DONE, FAILED, binary, ended, till_command

SOURCE = ROOT / "Sources/Primitives/Mutant.swift"
AT_ONCE = 4

# What the proof must say of each: table, a part of the row's key, kind.
FINDINGS = {
    "droppedRetraction": [
        ("sales_hour", "store=orders/r1", "differs"),
        ("product_total", "product=pos/Brot", "differs"),
        ("sales_day", "gross RUB", "total"),
    ],
    "doubledBatch": [
        ("sales_hour", "store=invoices/ONLINE", "differs"),
        ("product_total", "product=orders/p3", "differs"),
        ("user_product", "customer=orders/u1 product=orders/p1", "differs"),
    ],
    "lostRecord": [
        ("store", "source=orders source_key=r1", "missing"),
        ("customer", "source=orders source_key=u2", "missing"),
        ("product", "source=invoices source_key=A2", "missing"),
        ("document", "source=orders source_key=10", "missing"),
    ],
    "wrongZone": [
        ("sales_hour", "store=invoices/ONLINE hour=354622", "extra"),
        ("sales_hour", "store=invoices/ONLINE hour=354623", "missing"),
        ("sales_hour", "store=pos/STORE_2 hour=483562", "extra"),
        ("sales_hour", "store=orders/r1 hour=483565", "missing"),
    ],
    "floatSum": [
        ("sales_hour", "store=invoices/ONLINE hour=354623", "differs"),
        ("product_total", "product=invoices/A1", "differs"),
        ("sales_hour", "gross GBP", "total"),
    ],
    "offByOneWindow": [
        ("document", "source=pos", "differs"),
        ("store_window", "store=pos/STORE_2 window_start=1740823190000000", "extra"),
        ("store_window", "store=pos/STORE_2 window_start=1740823300000000", "missing"),
    ],
    "swallowedLate": [
        ("store_window", "store=pos/STORE_2 window_start=1740823200000000", "differs"),
        ("late_sale", "window_start=1740823200000000", "missing"),
        ("window_revision", "store=pos/STORE_2 window_start=1740823200000000", "missing"),
    ],
    "staleLookup": [
        ("customer", "source=orders source_key=u1", "differs"),
        ("product", "source=invoices source_key=85123A", "differs"),
    ],
    "arrivalWins": [
        ("document", "source=orders source_key=12", "differs"),
        ("version", "document=orders/12", "missing"),
        ("sales_day", "store=orders/r1", "differs"),
    ],
    "lostHistory": [("status_history", "document=orders/12", "missing")],
    "countedDuplicate": [
        ("feed_total", "run=invoices/", "differs"),
        ("run_total", "run=invoices/night", "differs"),
        ("feed_total", "run=pos/", "total"),
    ],
    "uncancelledCounter": [
        ("user_product", "customer=orders/u2 product=orders/p1", "differs"),
        ("user_category", "customer=orders/u2 category=orders/Напитки", "differs"),
    ],
    "countedFailure": [
        ("sales_hour", "store=pos/STORE_2", "differs"),
        ("product_total", "product=pos/Milch", "differs"),
        ("sales_hour", "gross EUR", "total"),
    ],
    "forgottenParked": [("parked", "feed=orders", "extra")],
    "repeatedRedrive": [("feed_total", "run=pos/", "differs"), ("feed_total", "run=pos/", "total")],
    "hiddenGap": [
        ("sender_range", "feed=pos name=till-1 epoch= low=1", "differs"),
        ("sender_range", "feed=pos name=till-1 epoch= low=4", "missing"),
    ],
    "silencedConflict": [
        ("version", "document=orders/13", "differs"),
        ("version", "document=invoices/I2", "differs"),
    ],
    "menuOfToday": [
        ("user_category", "customer=orders/u2 category=orders/Завтрашнее", "extra"),
        ("user_category", "customer=orders/u2 category=orders/Супы", "missing"),
    ],
    "lostRevision": [
        ("window_revision", "store=pos/STORE_2 window_start=1740823200000000 currency=EUR revision=2", "missing"),
    ],
    "lostPosition": [
        ("feed_total", "run=users/", "differs"),
        ("run_total", "run=pos/x", "differs"),
        ("document", "source=orders source_key=31", "extra"),
        ("sender", "feed=pos name=till-1", "differs"),
    ],
    "replacedSum": [
        ("sales_day", "store=orders/r1", "differs"),
        ("user_product", "customer=orders/u1 product=orders/p1", "differs"),
        ("feed_total", "run=users/", "differs"),
        ("sales_day", "gross RUB", "total"),
    ],
    "skippedUpsert": [
        ("document", "source=orders source_key=10", "differs"),
        ("product", "source=invoices source_key=85123A", "differs"),
        ("reference_version", "source=orders source_key=r1", "differs"),
        ("store_watermark", "store=pos/STORE_3", "differs"),
    ],
}  # fmt: skip


def planted():
    """The mutants that the source names."""
    return re.findall(r"public static func (\w+)\(\) -> Self", SOURCE.read_text())


def prove(till, code, *arguments):
    said = ended(till_command("prove", "--data", till.data, "--json", *arguments), code)
    return json.loads(said.splitlines()[0])


@pytest.fixture(scope="module")
def mutant_binary():
    binary()
    path = Path(os.environ.get("TILL_MUTANT_BIN", ROOT / ".build-mutants/debug/till"))
    if not path.is_file():
        pytest.skip("no till with mutants: ./dev test builds it, or set TILL_MUTANT_BIN")
    return path


@pytest.fixture(scope="module")
def traded(request, mutant_binary, tmp_path_factory):
    """Mutant → its till after the script; those that were asked for run side by side, they mostly wait."""
    wanted = [item.callspec.params["mutant"] for item in request.session.items if is_of_mutant(item)]
    # Made here: the factory is not for several threads.
    directories = {mutant: tmp_path_factory.mktemp(mutant) for mutant in wanted}
    with concurrent.futures.ThreadPoolExecutor(AT_ONCE) as pool:
        yield {
            mutant: pool.submit(trade, mutant_binary, directory, {"TILL_MUTANT": mutant})
            for mutant, directory in directories.items()
        }


def is_of_mutant(item):
    return "mutant" in getattr(getattr(item, "callspec", None), "params", {})


def trade(path, directory, environment):
    found = Trade(directory, path, environment)
    try:
        found.run()
    finally:
        found.till.kill9()
    return found.till


def test_every_mutant_has_its_finding():
    assert sorted(FINDINGS) == sorted(planted()) and len(FINDINGS) >= 12


@pytest.mark.parametrize("mutant", planted())
def test_the_proof_names(mutant, traded):
    till = traded[mutant].result()
    report, by_rows = prove(till, FAILED), prove(till, FAILED, "--rows")
    assert report["differences"] > 0
    # Decision 21: fingerprints first or row by row at once, the same is found.
    assert (by_rows["differences"], by_rows["found"]) == (report["differences"], report["found"])
    for table, key, kind in FINDINGS[mutant]:
        assert any(
            (found["table"], found["kind"]) == (table, kind) and key in found["key"] for found in report["found"]
        ), f"{mutant}: no {kind} row of {table} with {key} among {report['found']}"


def test_without_a_mutant_nothing_differs(mutant_binary, tmp_path):
    till = trade(mutant_binary, tmp_path, {})
    report = prove(till, DONE)
    assert prove(till, DONE, "--rows")["differences"] == report["differences"] == 0
    assert all(feed["agrees"] for feed in report["feeds"])
    feeds = {feed["feed"]: feed for feed in report["feeds"]}
    # The script does what it says, else the mutants would meet nothing.
    assert feeds["pos"]["conflicting"] and feeds["pos"]["quarantined"] == 1
    assert feeds["orders"]["superseded"] and feeds["orders"]["conflicting"] and feeds["orders"]["parked"] == 2
    assert feeds["restaurants"]["superseded"] and feeds["restaurants"]["conflicting"]
    assert all(feeds[name]["duplicates"] for name in ("invoices", "orders", "pos", "users"))


def test_the_product_has_no_mutants(tmp_path):
    content = binary().read_bytes()
    assert [name for name in [*planted(), "TILL_MUTANT"] if name.encode() in content] == []
    report = prove(trade(binary(), tmp_path, {"TILL_MUTANT": "droppedRetraction"}), DONE)
    assert report["differences"] == 0
