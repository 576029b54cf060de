"""The commands that ask a running till: windows, senders, parked, conflicts and quarantine."""

import json

import pytest
from conftest import ROOT, free_port
from messages import MENU, at, changed_contract, order, restaurant, sale, send, user
from support import DONE, FAILED, USAGE, ended, new_till, running, till_command, totals


@pytest.fixture
def till(directory):
    with running(new_till(directory)) as till:
        yield till


def said(till, *words, code=DONE):
    return ended(till_command(*words, "--to", till.url), code)


def items(till, *words):
    return [json.loads(text) for text in said(till, *words, "--json").splitlines()]


def test_nothing_yet(till):
    for words in ("windows", "senders", "parked", "conflicts", "quarantine list", "quarantine rules"):
        assert len(said(till, *words.split()).splitlines()) == 1
        assert items(till, *words.split()) == []


def test_windows(till):
    send(till, "pos", sale("STORE_1", at(1), 1.5), sale("STORE_2", at(2), 2.5), sale("STORE_1", at(45), 4))
    totals(till)
    heading, *rows = said(till, "windows").splitlines()
    assert heading.split() == ["STORE", "START", "END", "TOTAL", "SALES", "STATE"] and len(rows) == 3
    published = next(row for row in rows if "STORE_1" in row and at(0) in row)
    assert "1.50  EUR" in published and published.endswith("published")
    assert [item["store"] for item in items(till, "windows", "--store", "STORE_2")] == ["pos:STORE_2"]
    assert len(items(till, "windows", "--open")) == 2
    assert items(till, "windows", "--from", at(40), "--until", at(60))[0]["total"] == "4.00"
    short = said(till, "windows", "--limit", "1").splitlines()
    assert len(short) == 3 and "--limit" in short[-1]
    assert len(items(till, "windows", "--limit", "2")) == 2


def test_senders(till):
    for number in [*range(108, 112), *range(119, 121)]:
        send(till, "pos", sale("STORE_1", at(number), 1), sender="till-7", sequence=number)
    send(till, "pos", sale("STORE_2", at(5), 1), sender="till-8", sequence=1)
    send(till, "pos", sale("STORE_3", at(5), 1), sender="till-9")
    totals(till)
    text = said(till, "senders")
    assert f"till-7 is missing 112-118 (7 in all), complete until {at(111)} (sequence 111)" in text
    assert f"till-8 is missing nothing, complete until {at(5)} (sequence 1)" in text
    assert "till-9 sends no sequence numbers" in text and "pos till-7: 6 records, last seen 2" in text
    assert items(till, "senders", "--feed", "pos")[0]["missing"] == ["112-118"]
    assert items(till, "senders", "--feed", "orders") == []


def test_a_sender_with_more_gaps_than_are_kept_says_so(till):
    for number in range(1, 1_003):
        send(till, "users", user("u1", "Same"), sender="sparse", sequence=2 * number)
    send(till, "users", user("u1", "Same"), sender="dense", sequence=1)
    totals(till)
    dense, sparse = items(till, "senders", "--feed", "users")
    assert (dense["missing"], dense["gaps_listed_from"]) == ([], None)
    assert (sparse["missing"][:3], sparse["missing_count"], sparse["gaps_listed_from"]) == (["3", "9", "11"], 999, 8)
    assert sparse["complete_until"] == {"sequence": 2, "time": None}
    text = said(till, "senders")
    assert "sparse is missing 3, 9, 11" in text
    assert "sparse had too many gaps: of those below sequence 8 only the first is listed and counted" in text
    assert text.count("too many gaps") == 1
    # The first gap is closed. Behind it 5 and 7 are missing and not listed: nothing is complete beyond them.
    send(till, "users", user("u1", "Same"), sender="sparse", sequence=3)
    totals(till)
    assert items(till, "senders", "--feed", "users")[1]["complete_until"] == {"sequence": 4, "time": None}
    send(till, "users", user("u1", "Same"), sender="sparse", sequence=5)
    totals(till)
    (_, sparse) = items(till, "senders", "--feed", "users")
    assert sparse["complete_until"] == {"sequence": 4, "time": None}, "5 came, and nobody knows of 7"
    assert sparse["missing"][0] == "9"


def test_parked_and_conflicts(till):
    send(till, "restaurants", restaurant("r1", "Kitchen", MENU))
    send(till, "orders", order(1, "u1", "r1", MENU, ["p1"]))
    send(till, "users", user("u2", "One"), user("u2", "Two"))
    totals(till)
    text = said(till, "parked")
    assert "customer:orders:u1" in text and "feed.orders/0:0" in text
    assert items(till, "parked", "--feed", "pos") == []
    heading, row = said(till, "conflicts").splitlines()
    assert heading.startswith("KIND") and row.startswith("customer  orders:u2")
    assert items(till, "conflicts")[0]["kind"] == "customer"


def test_quarantine_from_list_to_redrive(till, directory):
    reply = till.post("pos", [sale("STORE_12", at(2), 2.5), sale("STORE_15", at(3), 3.5), sale("x\x1b[2J", at(3), 1)])
    assert reply.status == 422
    totals(till)
    heading, *rows = said(till, "quarantine", "list").splitlines()
    assert heading.split() == ["ID", "FEED", "SINCE", "TRIES", "STATE", "REASON"] and len(rows) == 3
    assert all("store_range: Store ID must be" in row for row in rows)
    assert said(till, "quarantine", "rules").splitlines()[1].split() == ["pos", "store_range", "3"]
    first, second, odd = sorted(item["id"] for item in items(till, "quarantine", "list"))
    text = said(till, "quarantine", "show", str(first))
    assert "reason: store_range on store_id = STORE_12: Store ID" in text and '"STORE_12"' in text
    assert "\x1b" not in said(till, "quarantine", "show", str(odd)), "text from outside cannot steer the terminal"
    assert json.loads(said(till, "quarantine", "show", str(first), "--json"))["attempts"] == 1

    again = said(till, "quarantine", "redrive", str(first))
    assert "1 entry was re-evaluated; 0 accepted, 1 rejected again" in again
    assert "Open in quarantine now: 3." in again
    till.stop()
    till.arguments = ["--config", changed_contract(directory, ROOT, "pos", "stores_max: 10", "stores_max: 20")]
    till.start()
    report = json.loads(said(till, "quarantine", "redrive", "--feed", "pos", "--rule", "store_range", "--json"))
    assert (report["submitted"], report["accepted"], report["rejected"]) == (3, 2, 1)
    assert report["open"] == 1 and report["position"].startswith("feed.pos/0:")
    assert totals(till)["distinct"] == 2
    assert [item["id"] for item in items(till, "quarantine", "list")] == [odd]
    assert {item["id"] for item in items(till, "quarantine", "list", "--state", "resolved")} == {first, second}
    given_up = said(till, "quarantine", "discard", str(odd), str(first))
    assert "1 entry was discarded" in given_up and "Open in quarantine now: 0." in given_up
    assert "nothing was done" in said(till, "quarantine", "redrive", "--feed", "pos")


def test_a_discard_of_a_feed_counts_first(till):
    send(till, "users", user("u1", "One"))
    assert till.post("pos", [sale("STORE_12", at(2), 2.5), sale("STORE_15", at(3), 3.5)]).status == 422
    totals(till)
    for words in (["--feed", "pos"], ["--feed", "pos", "--rule", "store_range"]):
        text = ended(till_command("quarantine", "discard", *words, "--to", till.url), USAGE)
        assert "would discard 2 open entries of 'pos'" in text.replace('"', "'") and "--yes" in text, text
        assert len(items(till, "quarantine", "list")) == 2, "nothing was done"
    assert "nothing was done" in said(till, "quarantine", "discard", "--feed", "pos", "--rule", "type")
    said_so = said(till, "quarantine", "discard", "--feed", "pos", "--yes")
    assert "2 entries were discarded" in said_so and "Open in quarantine now: 0." in said_so
    assert "nothing was done" in said(till, "quarantine", "discard", "--feed", "pos")


def test_an_unknown_feed_or_rule_is_named_with_the_known_ones(till):
    assert till.post("pos", [sale("STORE_12", at(2), 2.5)]).status == 422
    totals(till)
    for words in (
        ("parked", "--feed", "poss"), ("senders", "--feed", "poss"), ("runs", "--feed", "poss"),
        ("quarantine", "list", "--feed", "poss"), ("quarantine", "redrive", "--feed", "poss"),
        ("quarantine", "discard", "--feed", "poss"), ("quarantine", "discard", "--feed", "poss", "--yes"),
    ):  # fmt: skip
        done = till_command(*words, "--to", till.url)
        said_so = done.stderr.decode()
        assert done.returncode != DONE and "poss" in said_so and "invoices" in said_so, (words, said_so)
    for words in (("list", "--rule", "store_rang"), ("redrive", "--feed", "pos", "--rule", "store_rang")):
        done = till_command("quarantine", *words, "--to", till.url)
        said_so = done.stderr.decode()
        assert done.returncode != DONE and said_so.count("store_rang") > said_so.count("store_range") > 0, said_so
    assert said(till, "quarantine", "list", "--rule", "too_costly").strip() == "Nothing is in quarantine."


def test_runs(till):
    assert till.post("pos", sale("STORE_1", at(2), 2.5), headers={"X-Till-Run": "night"}).status == 202
    assert till.post("pos", sale("STORE_1", at(3), 2.5), headers={"X-Till-Run": "day"}).status == 202
    send(till, "pos", sale("STORE_1", at(4), 2.5))
    totals(till)
    assert [(item["run"], item["read"], item["distinct"]) for item in items(till, "runs", "--feed", "pos")] == [
        ("day", 1, 1), ("night", 1, 1),
    ]  # fmt: skip
    heading, first, second = said(till, "runs").splitlines()
    assert heading.split()[:2] == ["FEED", "RUN"] and first.split()[:3] == ["pos", "day", "1"] and "night" in second


@pytest.mark.parametrize(
    "words",
    [
        ("quarantine",), ("quarantine", "empty"), ("quarantine", "redrive"), ("quarantine", "redrive", "x"),
        ("quarantine", "redrive", "1", "--feed", "pos"), ("quarantine", "discard", "--rule", "type"),
        ("quarantine", "redrive", "1", "--rule", "type"), ("quarantine", "show"), ("quarantine", "show", "1", "2"),
        ("quarantine", "list", "extra"), ("windows", "--limit", "0"), ("windows", "--limit", "many"),
        ("windows", "STORE_1"), ("senders", "--store", "x"), ("parked", "--to", "ftp://127.0.0.1"),
    ],
)  # fmt: skip
def test_wrong_command_lines(directory, words):
    assert len(ended(till_command(*words), USAGE).strip()) > 20


def test_a_server_that_refuses_or_is_not_there(till):
    text = said(till, "windows", "--store", "STORE_9", code=USAGE)
    assert 'There is no store "STORE_9"' in text
    assert "no quarantine entry" in said(till, "quarantine", "show", "77", code=USAGE)
    assert "one of" in said(till, "quarantine", "list", "--state", "closed", code=USAGE)
    nobody = till_command("senders", "--to", f"http://127.0.0.1:{free_port()}")
    assert "No connection to port" in ended(nobody, FAILED)


def test_a_loaded_file_whose_orders_are_parked_closes(till, directory):
    send(till, "restaurants", restaurant("r1", "Kitchen", MENU))
    rows = directory / "orders.ndjson"
    rows.write_text("".join(json.dumps(order(n, "u1", "r1", MENU, ["p1"])) + "\n" for n in range(3)))
    text = ended(till_command("ingest", "orders", rows, "--to", till.url), DONE)
    assert "read 3 = distinct 0 + duplicates 0 + quarantined 0 + parked 3" in text
    send(till, "users", user("u1", "Anna"))
    assert totals(till)["parked"] == 0
    text = ended(till_command("ingest", "orders", rows, "--to", till.url), DONE)
    assert "read 3 = distinct 0 + duplicates 3 + quarantined 0" in text and "parked" not in text
