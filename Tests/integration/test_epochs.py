"""A sender that counts again: its numbers are of a new epoch, and what the old one lacks stays missing."""

from conftest import wait_until
from support import DONE, ended, line, log_dump, new_till, running, till_command


def send(till, number, invoice, epoch=None, status=202):
    headers = {"X-Till-Sender": "kiosk", "X-Till-Sequence": str(number)}
    if epoch is not None:
        headers["X-Till-Epoch"] = epoch
    reply = till.post("invoices", line(InvoiceNo=invoice, client_line_no="1"), headers=headers)
    assert reply.status == status, reply
    return reply


def shown(till):
    items = till.get("/v1/senders?after=latest&wait_ms=30000").json["items"]
    return [(item["epoch"], item["missing"], item["complete_until"]["sequence"]) for item in items]


def test_a_sender_that_begins_again_keeps_its_old_gap(directory):
    with running(new_till(directory)) as till:
        for number in (1, 2, 4):
            send(till, number, f"A{number}")
        for number in (1, 2, 3):
            send(till, number, f"B{number}")
        first, second = shown(till)
        assert first == (None, ["3"], 2)
        assert second[1:] == ([], 3) and second[0].endswith("Z")
        # The same request again is a repeat, of whichever epoch it was.
        send(till, 4, "A4")
        send(till, 3, "B3")
        assert shown(till) == [first, second]
        said = ended(till_command("senders", "--to", till.url), DONE)
        assert f"kiosk (epoch {second[0]}) is missing nothing" in said and "kiosk is missing 3" in said
    # Also after a restart, by what the log says.
    with running(new_till(directory)) as till:
        send(till, 3, "B3")
        send(till, 2, "A2")
        assert shown(till) == [first, second]
        send(till, 1, "C1")
        assert [one[1:] for one in shown(till)] == [(["3"], 2), ([], 3), ([], 1)]
    ended(till_command("prove", "--data", directory / "data"), DONE)


def test_a_refused_request_begins_no_epoch(till):
    headers = {"X-Till-Sender": "kiosk", "X-Till-Sequence": "1", "Idempotency-Key": "k"}
    assert till.post("invoices", line(InvoiceNo="A"), headers=headers).status == 202
    assert till.post("invoices", line(InvoiceNo="B"), headers=headers).status == 409
    send(till, 2, "C")
    assert shown(till) == [(None, [], 2)]


def test_a_named_epoch(till):
    for epoch, numbers in (("monday", (1, 3)), ("tuesday", (1, 2))):
        for number in numbers:
            send(till, number, f"{epoch}{number}", epoch)
    # Late, of an epoch that is over.
    send(till, 2, "monday2", "monday")
    assert shown(till) == [("monday", [], 3), ("tuesday", [], 2)]
    assert [one["epoch"] for one in log_dump(till)] == ["monday"] * 2 + ["tuesday"] * 2 + ["monday"]


def test_an_epoch_that_is_none_is_refused(till):
    assert send(till, 1, "X", "e" * 65, status=400).json["error"]["code"] == "epoch_invalid"
    reply = till.post("invoices", line(), headers={"X-Till-Sender": "kiosk", "X-Till-Epoch": "e"})
    assert (reply.status, reply.json["error"]["code"]) == (400, "epoch_without_sequence")


def test_simulated_registers_have_an_epoch_for_each_run(till):
    for seed in ("1", "2"):
        words = [
            "simulate",
            "pos",
            "--count",
            "200",
            "--rate",
            "0",
            "--seed",
            seed,
            "--to",
            till.url,
            "--yes",
            "--quiet",
        ]
        ended(till_command(*words), DONE)
    wait_until(lambda: till.get("/v1/senders?after=latest").status == 200)
    items = till.get("/v1/senders?after=latest&wait_ms=30000").json["items"]
    assert len({item["epoch"] for item in items}) == 2 and all(item["missing"] == [] for item in items)
