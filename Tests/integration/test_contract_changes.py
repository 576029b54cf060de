"""A contract that changed: `contract check --against`, a refused start, a raised version, built-in contracts."""

import json

import pytest
from conftest import ROOT
from messages import at, changed_contract, sale, send
from support import DONE, FAILED, USAGE, ended, new_till, running, till_command, totals

SHOP = ROOT / "Tests/ContractsTests/Fixtures/corner-shop.yaml"
OLD_POS = ROOT / "Tests/integration/fixtures/contracts/pos-2026-11.yaml"
BREAKING = ("  currency: EUR", "  currency: GBP")
SHORTER = ("max_bytes: 100", "max_bytes: 90")
NEW_FIELD = ("fields:\n", "fields:\n  - { name: till_id, type: text, required: true }\n")


def written(directory, text, name="pos.yaml"):
    file = directory / name
    file.write_text(text)
    return file


def pos(directory, *changes, name="pos.yaml"):
    text = (ROOT / "Contracts/pos.yaml").read_text()
    for old, new in changes:
        assert old in text
        text = text.replace(old, new, 1)
    return written(directory, text, name)


def start(directory, contract):
    """How a start with this contract ends that does not reach the listening."""
    config = directory / "till.yaml"
    config.write_text(f"contracts: [{contract}]\n")
    return till_command("up", "--config", config, "--data", directory / "data", "--listen", "127.0.0.1:0", timeout=30)


@pytest.fixture
def used(directory):
    """A directory whose log holds a contract of the operator, and a sale under it."""
    config = changed_contract(directory, ROOT, "pos", "cashiers_max: 8", "cashiers_max: 9")
    with running(new_till(directory, "--config", config)) as till:
        send(till, "pos", sale("STORE_1", at(1), 1.5))
    return directory


def test_an_incompatible_change_needs_a_new_version(used):
    own = ("cashiers_max: 8", "cashiers_max: 9")
    said = ended(start(used, pos(used, own, SHORTER, NEW_FIELD)), USAGE)
    assert "contract pos has version 1, and the last one in this data directory has version 1" in said
    assert "\n  field till_id is new and required\n" in said
    assert "\n  field items.item_id: max_bytes is 90, was 100\n" in said
    assert said.rstrip().endswith("Write version: 2 to confirm them, or undo them.")
    # The refusal left nothing: the old contract starts, the changed one under a higher version, and the old one again.
    two = (own, SHORTER, NEW_FIELD, ("version: 1", "version: 2"))
    for changes in ((own,), two, (own,)):
        config = used / "till.yaml"
        config.write_text(f"contracts: [{pos(used, *changes)}]\n")
        (used / "till.log").unlink()
        with running(new_till(used, "--config", config)) as till:
            assert totals(till)["received"] == totals(till)["distinct"] == 1
            said = till.log_path.read_text()
        if changes == two:
            assert said.count("contract.changed") == 2 and "field till_id is new and required" in said
    said = ended(start(used, pos(used, *two, ("max_bytes: 64", "max_bytes: 63"))), USAGE)
    assert "\n  field store_id: max_bytes is 63, was 64\nWrite version: 3" in said


def test_a_compatible_change_is_logged(used):
    contract = pos(used, ("cashiers_max: 8", "cashiers_max: 12"))
    config = used / "till.yaml"
    config.write_text(f"contracts: [{contract}]\n")
    with running(new_till(used, "--config", config)) as till:
        said = till.log_path.read_text()
    assert "contract.changed" in said and "setting cashiers_max is 12, was 9" in said
    assert "rule cashier_range is looser" in said


def test_a_built_in_contract_of_an_older_till_does_not_stop_the_start(directory):
    config = directory / "till.yaml"
    config.write_text(f"contracts: [{OLD_POS}]\n")
    with running(new_till(directory, "--config", config)) as till:
        send(till, "pos", sale("STORE_1", at(1), 1.5))
    with running(new_till(directory)) as till:
        send(till, "pos", sale("STORE_1", at(2), 2.5))
        assert totals(till)["received"] == totals(till)["distinct"] == 2
        said = till.log_path.read_text()
    assert "contract.changed" in said and "rule total sets values in another way" in said
    ended(till_command("prove", "--data", directory / "data"), DONE)


def test_a_first_contract_of_ones_own_may_be_version_1(directory):
    """The built-in contract that no record has met is nobody's promise."""
    with running(new_till(directory)):
        pass
    config = directory / "till.yaml"
    config.write_text(f"contracts: [{pos(directory, SHORTER)}]\n")
    with running(new_till(directory, "--config", config)) as till:
        send(till, "pos", sale("STORE_1", at(1), 1.5))
        assert totals(till)["distinct"] == 1


def test_check_against_a_file_and_a_data_directory(used):
    old = pos(used, ("cashiers_max: 8", "cashiers_max: 9"), name="old.yaml")
    new = pos(used, ("cashiers_max: 8", "cashiers_max: 10"), BREAKING, name="new.yaml")
    for place in (old, used / "data"):
        said = ended(till_command("contract", "check", new, "--against", place), FAILED).splitlines()
        assert said[0] == f"{new}: incompatible: setting currency is GBP, was EUR"
        assert f"{new}: compatible: setting cashiers_max is 10, was 9" in said
        assert said[-1] == (
            f"{new}: contract pos has version 1, the earlier one 1: incompatible changes need version: 2"
        )
        (report,) = json.loads(till_command("contract", "check", new, "--against", place, "--json").stdout)
        assert report["version_needed"] == 2 and report["against"]["version"] == 1
        assert report["changes"][0] == {"compatible": False, "change": "setting currency is GBP, was EUR"}
    raised = pos(used, ("cashiers_max: 8", "cashiers_max: 10"), BREAKING, ("version: 1", "version: 2"), name="two.yaml")
    assert "incompatible: setting currency" in ended(till_command("contract", "check", raised, "--against", old), DONE)
    (used / "nothing").mkdir()
    for place, words in (
        (used / "nothing", "holds no contract of feed pos"),
        (SHOP, "a contract of feed corner-shop, not pos"),
    ):
        assert words in ended(till_command("contract", "check", new, "--against", place), USAGE)


def test_warnings_of_check_and_start(directory):
    contract = pos(
        directory,
        ("  stores_max: 10", "  stores_max: 10\n  store_max: 9"),
        ('message: "Quantity must be positive"', 'message: "Quantity {quantity} must be positive"'),
        ("  - name: total_amount", "  - { name: note, type: text, aliases: [extra.note] }\n  - name: total_amount"),
    )
    said = ended(till_command("contract", "check", contract), DONE)
    assert [text.split(": ", 2)[2][:24] for text in said.splitlines() if ": warning: " in text] == [
        "Setting store_max is not",
        "Field note is checked bu",
        'Alias "extra.note" of no',
        "In message: {quantity} i",
    ]
    (report,) = json.loads(till_command("contract", "check", contract, "--json").stdout)
    assert len(report["warnings"]) == 4 and report["problems"] == []
    config = directory / "till.yaml"
    config.write_text(f"contracts: [{contract}]\n")
    with running(new_till(directory, "--config", config)) as till:
        said = till.log_path.read_text()
    assert said.count("contract.warning") == 4


def test_the_contract_of_a_compatible_path_needs_a_new_version_too(directory):
    """It is compared with the last one of its path, not with the feed's own."""

    def config(*changes):
        text = (ROOT / "Contracts/pos-compat.yaml").read_text()
        for old, new in changes:
            assert old in text
            text = text.replace(old, new, 1)
        file = written(directory, text, "pos-compat.yaml")
        (directory / "till.yaml").write_text(f"compatibility: {{ pos: {file} }}\n")
        return directory / "till.yaml"

    wide, narrow = ("stores_max: 10", "stores_max: 20"), ("stores_max: 10", "stores_max: 15")
    with running(new_till(directory, "--config", config(wide))) as till:
        send(till, "pos", sale("STORE_1", at(1), 1.5))
    up = ("up", "--data", directory / "data", "--listen", "127.0.0.1:0", "--config")
    said = ended(till_command(*up, config(narrow), timeout=30), USAGE)
    assert "rule store_range is stricter" in said and "Write version: 2" in said
    with running(new_till(directory, "--config", config(narrow, ("version: 1", "version: 2")))) as till:
        assert totals(till)["distinct"] == 1
