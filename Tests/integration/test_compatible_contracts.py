"""The contract of a compatible path is a setting: ranges, refusals at start, one policy for one feed, redrive."""

import json

from conftest import ROOT
from support import DONE, JSON, USAGE, ended, line, new_till, running, till_command, totals
from test_pos_endpoint import error_of, sale
from test_pos_endpoint import send as send_sale

CONTRACTS = ROOT / "Contracts"


def contract(directory, name, *changes):
    """A file with the text of a built-in contract, changed."""
    text = (CONTRACTS / f"{name}.yaml").read_text()
    for old, new in changes:
        assert old in text, old
        text = text.replace(old, new)
    file = directory / f"{name}.yaml"
    file.write_text(text)
    return file


STORES = ("stores_max: 10", "stores_max: 20")


def test_the_ranges_of_the_pos_path_are_settings(directory):
    file = contract(directory, "pos-compat", STORES, ("cashiers_max: 8", "cashiers_max: 9"))
    config = directory / "till.yaml"
    config.write_text(f"compatibility: {{ pos: {file} }}\n")
    with running(new_till(directory, "--config", config)) as till:
        assert send_sale(till, sale(1, store_id="STORE_012", cashier_id="CASHIER_9")).status == 200
        reply = send_sale(till, sale(2, store_id="STORE_21", cashier_id="CASHIER_10"))
        assert reply.status == 422 and reply.json["errors"] == [
            error_of("store_id", "Store ID must be in the format STORE_01 to STORE_20"),
            error_of("cashier_id", "Cashier ID must be in the format CASHIER_1 to CASHIER_9"),
        ]
        native = till.post("pos", sale(3, store_id="STORE_12")).json["rejected"][0]["reasons"]
        assert [reason["message"] for reason in native] == ["Store ID must be in the format STORE_01 to STORE_10"]
        windows = till.get("/v1/windows?after=latest").json["items"]
        assert [window["store_key"] for window in windows] == ["STORE_12"]
    effective = till_command("settings", "--effective", "--config", config, "--json")
    assert json.loads(effective.stdout)["compatibility.pos"] == {"value": str(file), "origin": f"{config}:1"}


def test_both_contracts_of_a_feed_may_change_alike(directory):
    changes = [
        ("Europe/Berlin", "Europe/Paris"),
        ("currency: EUR", "currency: CHF"),
        ("window_seconds: 10", "window_seconds: 60"),
    ]
    files = [contract(directory, name, *changes) for name in ("pos", "pos-compat")]
    config = directory / "till.yaml"
    config.write_text(f"contracts: [{files[0]}]\ncompatibility: {{ pos: {files[1]} }}\n")
    with running(new_till(directory, "--config", config)) as till:
        assert send_sale(till, sale(1)).status == 200
        (window,) = till.get("/v1/windows?after=latest").json["items"]
        assert window["currency"] == "CHF" and window["start"] == "2024-12-19T18:42:00Z"


def refused(directory, *arguments):
    """What a start says that is refused before anything is made."""
    data = directory / "data"
    done = till_command("up", "--data", data, "--listen", "127.0.0.1:0", *arguments, timeout=20)
    said = ended(done, USAGE)
    assert not data.exists()
    return said.strip()


def test_a_value_that_is_no_file(directory):
    assert refused(directory, "--compatibility.pos", "of") == (
        'till: --compatibility.pos: compatibility.pos is "of"; give on, off or the path of a contract file. '
        'File "of" cannot be opened: No such file or directory; check the path and its permissions.'
    )
    (directory / "till.yaml").write_text("compatibility:\n  invoices: ''\n")
    assert refused(directory, "--config", "till.yaml") == (
        "till: till.yaml:2:13: compatibility.invoices is empty; give on, off or the path of a contract file"
    )


def test_a_contract_of_another_feed_or_mapper(directory):
    (directory / "till.yaml").write_text(f"compatibility: {{ pos: {CONTRACTS}/invoices.yaml }}\n")
    assert refused(directory, "--config", "till.yaml") == (
        f'till: {CONTRACTS}/invoices.yaml:2:11: contract is "invoices", and compatibility.pos (till.yaml:1) validates '
        "bodies of feed pos with mapper sale; write pos, or name another file."
    )
    file = contract(directory, "invoices", ("contract: invoices", "contract: pos"))
    number = file.read_text().splitlines().index("  name: invoice-line") + 1
    assert refused(directory, "--compatibility.pos", file) == (
        f'till: {file}:{number}:9: mapper is "invoice-line", and compatibility.pos (--compatibility.pos) validates '
        "bodies of feed pos with mapper sale; write sale, or name another file."
    )


def test_a_contract_with_mistakes(directory):
    file = contract(directory, "invoices-compat", ("version: 1", "version: one"), ("name: invoice-line", "name: line"))
    said = refused(directory, "--compatibility.invoices", file).removeprefix("till: ").splitlines()
    assert len(said) == 2 and all(one.startswith(f"{file}:") for one in said)
    assert said[0].endswith('version is "one", not a whole number from 1 to 1000000; correct it')


def test_one_feed_is_not_counted_under_two_policies(directory):
    native = contract(
        directory, "pos", ("Europe/Berlin", "Europe/Paris"), ("lateness_seconds: 10", "lateness_seconds: 0")
    )
    (directory / "till.yaml").write_text(f"contracts: [{native}]\n")
    assert refused(directory, "--config", "till.yaml", "--compatibility.pos", "on") == (
        f"till: Feed pos would be counted under two policies: {native} has time_zone Europe/Paris, "
        "window_lateness_seconds 0, and the contract of compatibility.pos, the built-in pos-compat, has time_zone "
        "Europe/Berlin, window_lateness_seconds 10; make them equal in a contract file that compatibility.pos names, "
        "or set compatibility.pos to off."
    )
    file = contract(directory, "invoices-compat", ("currency: GBP", "currency: EUR"))
    assert refused(directory, "--compatibility.invoices", file) == (
        "till: Feed invoices would be counted under two policies: the built-in invoices has currency GBP, and the "
        f"contract of compatibility.invoices, {file}, has currency EUR; make them equal in a contract file that "
        "compatibility.invoices names, or set compatibility.invoices to off."
    )
    with running(new_till(directory, "--config", "till.yaml", "--compatibility.pos", "off")) as till:
        assert till.post("pos", sale(1)).status == 202


# --- redrive ----------------------------------------------------------------------------------------------------------


def entries(till, state="open"):
    return till.get(f"/v1/quarantine?state={state}&after=latest").json["items"]


def redrive(till, feed):
    reply = till.request("POST", "/v1/quarantine/redrive?after=latest", {"feed": feed}, JSON)
    assert reply.status == 202 and reply.json["submitted"] > 0, reply


def restart(till, *arguments):
    till.stop()
    till.arguments = list(arguments)
    till.start()


def test_a_sale_of_the_compatible_path_is_refined_by_its_contract_again(directory):
    with running(new_till(directory)) as till:
        # Six digits are rounded on this path and refused on the native one.
        six = {"items__0__price_per_unit": 1.290001, "store_id": "STORE_12"}
        assert send_sale(till, sale(1, **six)).status == 422
        assert till.post("pos", sale(2, **six)).status == 422
        restart(till, "--compatibility.pos", contract(directory, "pos-compat", STORES))
        redrive(till, "pos")
        (left,) = entries(till)
        assert {reason["rule"] for reason in left["reasons"]} == {"store_range", "too_many_decimals"}, "the native one"
        (done,) = entries(till, "resolved")
        assert done["attempts"] == 2 and totals(till)["distinct"] == 1
        # What redrive said goes for a later contract, too: it is remembered which path a record came over.
        assert send_sale(till, sale(3, store_id="STORE_21")).status == 422
        restart(till, "--compatibility.pos", contract(directory, "pos-compat", ("stores_max: 10", "stores_max: 30")))
        redrive(till, "pos")
        assert [entry["id"] for entry in entries(till)] == [left["id"]] and totals(till)["distinct"] == 2
        till.stop()
        ended(till_command("prove", "--data", till.data), DONE)


def test_an_invoice_line_of_the_compatible_path_is_refined_by_its_contract_again(directory):
    small = contract(directory, "invoices-compat", ("quantity_max: 1000000", "quantity_max: 5"))
    with running(new_till(directory, "--compatibility.invoices", small)) as till:
        assert till.request("POST", "/invoicedata", line(Quantity="6"), JSON).status == 422
        # The native contract takes no quantity in quotes; with the path off the record keeps its own.
        restart(till, "--compatibility.invoices", "off")
        redrive(till, "invoices")
        (entry,) = entries(till)
        assert entry["attempts"] == 2 and [reason["rule"] for reason in entry["reasons"]] == ["out_of_range"]
        restart(till)
        redrive(till, "invoices")
        assert entries(till) == [] and totals(till)["distinct"] == 1


def test_two_feeds_of_one_source_are_refused(directory):
    """A copy of pos under another name would share its documents and windows; a source of its own makes it a shop of
    its own. Feeds of reference data share the source of the orders that name them."""
    kiosk = directory / "kiosk.yaml"
    text = (CONTRACTS / "pos.yaml").read_text().replace("contract: pos\n", "contract: kiosk\n", 1)
    kiosk.write_text(text)
    (directory / "till.yaml").write_text(f"contracts: [{kiosk}]\n")
    assert refused(directory, "--config", "till.yaml") == (
        f"till: Feeds pos (the built-in pos) and kiosk ({kiosk}) both have source pos, so they would share "
        "its documents and windows, and totals would depend on the order of arrival; give kiosk a source of its own, "
        "or send its records to feed pos."
    )
    till = new_till(directory, "--config", "till.yaml")
    kiosk.write_text(text.replace("source: pos\n", "source: kiosk\n", 1))
    with running(till):
        assert till.post("kiosk", sale(1)).status == 202
        assert till.post("pos", sale(1)).status == 202
        assert totals(till)["distinct"] == 2
    # The log knows a kiosk now; what is refused is the configuration, which may name the source of the log no more.
    (directory / "till.yaml").write_text("contracts: []\n")
    with running(till):
        assert totals(till)["distinct"] == 2
