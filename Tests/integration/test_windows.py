"""Turnover windows over HTTP: the vectors of the specification (pos.md 7), revisions, late sales, stores."""

import time
import uuid
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from conftest import ROOT, wait_until
from messages import EPOCH, at, changed_contract, sale, send
from support import check_shape, new_till, pages, running, schema_of, till_command

TWICE = uuid.uuid4()
# Sales in arrival order (store, second, amount, transaction) and the windows (store, second) that come of them.
VECTORS = {
    "bounds": (
        [("STORE_1", 0, 1.10), ("STORE_1", 9.999, 2.20), ("STORE_2", 3, 5.0), ("STORE_1", 10, 7.0)],
        {("STORE_1", 0): "3.30", ("STORE_1", 10): "7.00", ("STORE_2", 0): "5.00"},
    ),
    "disorder inside": ([("STORE_1", 25, 1.0), ("STORE_1", 24, 3.0)], {("STORE_1", 20): "4.00"}),
    "disorder inside the first": ([("STORE_1", 8, 1.0), ("STORE_1", 2, 2.0)], {("STORE_1", 0): "3.00"}),
    "stores do not make each other late": (
        [("STORE_1", 25, 1.0), ("STORE_2", 5, 2.0)], {("STORE_1", 20): "1.00", ("STORE_2", 0): "2.00"},
    ),
    "late": ([("STORE_1", 25, 1.0), ("STORE_1", 5, 2.0)], {("STORE_1", 20): "1.00", ("STORE_1", 0): "2.00"}),
    "tenths": ([("STORE_1", 1, 0.1), ("STORE_1", 2, 0.1), ("STORE_1", 3, 0.1)], {("STORE_1", 0): "0.30"}),
    "twice": ([("STORE_1", 1, 5.0, TWICE), ("STORE_1", 1, 5.0, TWICE)], {("STORE_1", 0): "5.00"}),
    "close": ([("STORE_1", 0, 1.0), ("STORE_1", 0.05, 2.0)], {("STORE_1", 0): "3.00"}),
}  # fmt: skip


@pytest.fixture(scope="module")
def till(tmp_path_factory):
    """All vectors, an hour apart, so that none makes another late."""
    with running(new_till(tmp_path_factory.mktemp("windows"))) as till:
        for number, (sales, _) in enumerate(VECTORS.values()):
            base = EPOCH + timedelta(hours=number)
            for store, second, amount, *transaction in sales:
                send(till, "pos", sale(store, at(second, base), amount, *transaction))
        till.openapi = till.get("/v1/openapi.json").json
        yield till


def windows(till, query=""):
    reply = till.get(f"/v1/windows?after=latest&limit=1000{query}")
    assert reply.status == 200, reply
    check_shape(reply.json, schema_of(till.openapi, "/v1/windows"))
    return reply.json["items"]


@pytest.mark.parametrize("name", VECTORS)
def test_vectors_of_the_specification(till, name):
    number = list(VECTORS).index(name)
    base = EPOCH + timedelta(hours=number)
    found = windows(till, f"&from={at(0, base)}&to={at(3600, base)}")
    expected = {("pos:" + store, at(second, base)): total for (store, second), total in VECTORS[name][1].items()}
    assert {(w["store"], w["start"]): w["total"] for w in found} == expected
    assert sum(w["sale_count"] for w in found) == (1 if name == "twice" else len(VECTORS[name][0]))
    for window in found:
        assert window["currency"] == "EUR" and window["store_key"] in ("STORE_1", "STORE_2")
        start, first, last, end = (
            datetime.fromisoformat(window[name]) for name in ("start", "first_at", "last_at", "end")
        )
        assert start <= first <= last < end


def test_the_event_id_is_that_of_the_model(till):
    first = next(w for w in windows(till) if (w["store"], w["start"]) == ("pos:STORE_1", at(0)))
    assert first["event_id"] == "8ecd36c5-5023-511e-a521-c586d44f9ba3"
    assert (first["first_at"], first["last_at"]) == (at(0), at(9.999).replace("999000", "999"))


def test_windows_are_published_latest_first_and_filtered(till):
    everything = windows(till)
    starts = [w["start"] for w in everything]
    assert starts == sorted(starts, reverse=True)
    opened, published = windows(till, "&open=true"), windows(till, "&open=false")
    assert {w["state"] for w in opened} == {"open"} and {w["revision"] for w in opened} == {0}
    assert {w["state"] for w in published} == {"published"} and all(w["revision"] >= 1 for w in published)
    assert len(opened) + len(published) == len(everything)
    assert {w["store"] for w in windows(till, "&store=pos:STORE_2")} == {"pos:STORE_2"}
    assert windows(till, "&store=STORE_2") == windows(till, "&store=pos:STORE_2")
    assert windows(till, "&to=2024-11-15") == [] and len(windows(till, "&from=2024-11-15")) == len(everything)
    assert pages(till, "/v1/windows", 3) == everything


def test_a_late_sale_makes_a_revision(till):
    base = EPOCH + timedelta(hours=list(VECTORS).index("late"))
    start = at(0, base)
    path = "/v1/windows/{store}/{start}/revisions"
    reply = till.get(f"/v1/windows/STORE_1/{start}/revisions?after=latest")
    check_shape(reply.json, schema_of(till.openapi, path))
    (revision,) = reply.json["items"]
    assert revision["cause"] == "late" and revision["revision"] == 1
    assert (revision["old_total"], revision["new_total"], revision["delta"]) == ("0.00", "2.00", "2.00")
    (late,) = [one for one in till.get("/v1/late").json["items"] if one["window_start"] == start]
    assert late["occurred_at"] == at(5, base) and late["total"] == "2.00" and late["sale"].startswith("pos:")
    check_shape(till.get("/v1/late").json, schema_of(till.openapi, "/v1/late"))
    # Another late sale of a window that is published: the total before, and now.
    other = EPOCH + timedelta(hours=list(VECTORS).index("tenths"))
    send(till, "pos", sale("STORE_1", at(4, other), 1.5))
    first, second = till.get(f"/v1/windows/pos:STORE_1/{at(0, other)}/revisions?after=latest").json["items"]
    assert first["cause"] in ("watermark", "idle") and (first["old_count"], first["new_count"]) == (0, 3)
    assert (second["cause"], second["old_total"], second["new_total"], second["delta"]) == (
        "late", "0.30", "1.80", "1.50",
    )  # fmt: skip
    (now,) = windows(till, f"&store=STORE_1&from={at(0, other)}&to={at(10, other)}")
    assert (now["revision"], now["late_count"], now["total"]) == (2, 1, "1.80")


def test_revisions_of_a_window_come_in_pages(directory):
    """A till that comes back with many late sales makes many revisions of one window; none is cut."""
    with running(new_till(directory)) as till:
        till.openapi = till.get("/v1/openapi.json").json
        send(till, "pos", sale("STORE_1", at(60), 1.0), *(sale("STORE_1", at(5), 1.0) for _ in range(1_003)))
        path = f"/v1/windows/STORE_1/{at(0)}/revisions"
        reply = till.get(f"{path}?after=latest")
        check_shape(reply.json, schema_of(till.openapi, "/v1/windows/{store}/{start}/revisions"))
        assert len(reply.json["items"]) == 50 and reply.json["next"]
        for limit in (1_000, 301):
            assert [r["revision"] for r in pages(till, path, limit)] == list(range(1, 1_004))
        (newest,) = till.get("/v1/windows/revisions?limit=1").json["items"]
        assert newest == pages(till, path, 1_000)[-1] and newest["new_total"] == "1003.00"


def test_the_latest_revisions_of_all_stores(till):
    latest = till.get("/v1/windows/revisions?after=latest&limit=1000").json
    check_shape(latest, schema_of(till.openapi, "/v1/windows/revisions"))
    times = [item["published_at"] for item in latest["items"]]
    assert times == sorted(times, reverse=True) and len(times) >= 6
    for item in latest["items"]:
        assert Decimal(item["new_total"]) - Decimal(item["old_total"]) == Decimal(item["delta"])
    causes = {item["cause"] for item in till.get("/v1/windows/revisions?corrections=true").json["items"]}
    assert causes <= {"late", "correction"} and causes
    assert [i["published_at"] for i in pages(till, "/v1/windows/revisions", 2)] == times


def test_stores_say_how_far_they_are(till):
    reply = till.get("/v1/stores?after=latest")
    check_shape(reply.json, schema_of(till.openapi, "/v1/stores"))
    stores = {store["key"]: store for store in reply.json["items"]}
    assert set(stores) == {"STORE_1", "STORE_2"} and stores["STORE_1"]["id"] == "pos:STORE_1"
    last = EPOCH + timedelta(hours=len(VECTORS) - 1)
    assert datetime.fromisoformat(stores["STORE_1"]["watermark"]) >= last
    assert pages(till, "/v1/stores", 1) == reply.json["items"]


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/v1/windows?store=STORE_9", 404), ("/v1/windows?from=noon", 400), ("/v1/windows?open=perhaps", 400),
        ("/v1/windows/STORE_1/2024-11-14T00:00:00Z/revisions", 404), ("/v1/windows/STORE_1/today/revisions", 400),
        ("/v1/windows/STORE_9/2024-11-15T00:00:00Z/revisions", 404), ("/v1/windows?cursor=zz", 400),
        ("/v1/windows/revisions?corrections=x", 400), ("/v1/late?limit=0", 400),
        ("/v1/windows/STORE_1/2024-11-15T00:00:00Z/revisions?limit=0", 400),
        ("/v1/windows/STORE_1/2024-11-15T00:00:00Z/revisions?cursor=7A7A", 400),
    ],
)  # fmt: skip
def test_questions_without_an_answer(till, path, status):
    reply = till.get(path)
    assert reply.status == status, reply
    assert reply.json["error"]["code"] == ("not_found" if status == 404 else "parameter_invalid")


def settings(seconds, lateness, idle):
    return f"  window_seconds: {seconds}\n  window_lateness_seconds: {lateness}\n  window_idle_seconds: {idle}\n"


@pytest.fixture
def quick(directory):
    """A till whose windows take a second, and are published a second after their store fell silent."""
    config = changed_contract(directory, ROOT, "pos", settings(10, 10, 30), settings(1, 1, 1))
    # Its compatible path would count the same feed by windows of 10 s.
    with running(new_till(directory, "--config", config, "--compatibility.pos", "off")) as till:
        till.openapi = till.get("/v1/openapi.json").json
        yield till


def log_end(till):
    return next(feed["log_end"] for feed in till.get("/v1/status").json["feeds"] if feed["feed"] == "pos")


def published(till):
    return windows(till, "&open=false")


def test_time_alone_publishes_a_window(quick):
    """Nothing but the till's own tick says that time has passed."""
    now = datetime.now(UTC)
    send(quick, "pos", sale("STORE_1", at(0, now), 1.5))
    wait_until(lambda: published(quick), 10, "the window to be published")
    (window,) = published(quick)
    assert (window["total"], window["revision"], window["start"]) == ("1.50", 1, at(0, now.replace(microsecond=0)))
    (revision,) = quick.get(f"/v1/windows/STORE_1/{window['start']}/revisions").json["items"]
    assert revision["cause"] == "idle"
    waited = datetime.fromisoformat(revision["published_at"]) - datetime.fromisoformat(window["end"])
    assert waited >= timedelta(seconds=1), "the lateness is waited for too"
    assert windows(quick, "&open=true") == []
    # It was said, and nothing more is to be said. On a slow disk a second tick may follow before the first is folded.
    end = log_end(quick)
    assert 2 <= end <= 4
    time.sleep(0.5)
    assert log_end(quick) == end


def test_a_clock_that_is_ahead_makes_no_other_sale_late_and_writes_no_ticks(quick):
    now = datetime.now(UTC)
    send(quick, "pos", sale("STORE_1", at(0, now), 1.0), sale("STORE_1", "2099-01-01T00:00:00Z", 9.0))
    wait_until(lambda: published(quick), 10, "the window of now to be published")
    assert [w["total"] for w in published(quick)] == ["1.00"]
    assert [w["start"] for w in windows(quick, "&open=true")] == ["2099-01-01T00:00:00Z"]
    end = log_end(quick)
    assert 3 <= end <= 5, "two sales and what closed the first window"
    time.sleep(1.5)
    assert log_end(quick) == end, "a window of 2099 is not waited for with ticks"
    send(quick, "pos", sale("STORE_1", at(0, datetime.now(UTC)), 2.0))
    wait_until(lambda: len(published(quick)) == 2, 10, "the next window to be published")
    assert quick.get("/v1/late?after=latest").json["items"] == []
    (store,) = quick.get("/v1/stores").json["items"]
    assert datetime.fromisoformat(store["watermark"]) <= datetime.now(UTC) and store["open_windows"] == 1
    assert quick.stop() == 0
    done = till_command("prove", "--data", quick.data)
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_store_of_redriven_sales_only_is_published(quick, directory):
    now = datetime.now(UTC)
    assert quick.post("pos", [sale("STORE_12", at(0, now), 2.5)]).status == 422
    quick.stop()
    contract = directory / "pos.yaml"
    contract.write_text(contract.read_text().replace("stores_max: 10", "stores_max: 20"))
    quick.start()
    reply = quick.request("POST", "/v1/quarantine/redrive", '{"feed":"pos"}', {"Content-Type": "application/json"})
    assert reply.status == 202 and reply.json["submitted"] == 1, reply
    wait_until(lambda: published(quick), 10, "the window to be published")
    (window,) = published(quick)
    assert (window["store_key"], window["total"], window["revision"]) == ("STORE_12", "2.50", 1)
    assert quick.stop() == 0
    done = till_command("prove", "--data", quick.data)
    assert done.returncode == 0, done.stdout + done.stderr


def test_first_and_last_sale_of_a_window_follow_corrections(directory):
    """A newer version that moves or fails the last (or first) sale of a window: the next one is the last (first)."""
    config = changed_contract(directory, ROOT, "pos", "version_time: null", "version_time: receipt_date")
    with running(new_till(directory, "--config", config)) as till:
        till.openapi = till.get("/v1/openapi.json").json
        keys = [uuid.uuid4() for _ in range(3)]

        def version(number, second, version, **changes):
            event = sale("STORE_1", at(second), 1.0, keys[number], **changes)
            event["receipt"]["date"] = at(version)
            send(till, "pos", event)

        def bounds():
            (window,) = windows(till)
            return window["first_at"], window["last_at"], window["sale_count"]

        for number, second in enumerate((1, 4, 9)):
            version(number, second, 100)
        assert bounds() == (at(1), at(9), 3)
        version(2, 3, 101)
        assert bounds() == (at(1), at(4), 3)
        version(1, 4, 101, payment_status="failed")
        assert bounds() == (at(1), at(3), 2)
        version(0, 5, 101)
        assert bounds() == (at(3), at(5), 2)
