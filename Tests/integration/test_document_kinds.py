"""Document kinds by a field and by an expression, refund lines: totals in either order of arrival, and the proof."""

import pytest
from support import DONE, ended, new_till, running, till_command, totals

CONTRACT = """contract: outlet
version: 1
source: outlet
partition_key: number
document_kinds:
  cancellation: { field: kind, values: [CN, CREDIT] }
  bad_debt: { when: 'kind == "WO" and price > 0' }
  refund: { field: kind, values: [REFUND] }
settings: { time_zone: UTC, currency: EUR, store: ONLINE }
fields:
  - { name: number, type: text, required: true }
  - { name: line, type: text, required: true }
  - { name: kind, type: text }
  - { name: item, type: text, required: true }
  - { name: quantity, type: integer, required: true }
  - { name: price, type: money, required: true }
  - { name: sold, type: time, required: true, formats: [iso8601] }
mapper:
  name: invoice-line
  bind: { document: number, line: line, product: item, quantity: quantity, unit_price: price, occurred_at: sold }
"""


def record(number, line, kind, quantity, price):
    return {
        "number": number, "line": line, "kind": kind, "item": "A", "quantity": quantity, "price": price,
        "sold": f"2026-11-{10 + int(line)}T10:00:00Z",
    }  # fmt: skip


RECORDS = [
    record("1", "1", "SALE", 10, 1),
    # One document whose lines do not agree: each line counts as its own kind, the document is a cancellation.
    record("1", "2", "CN", -2, 1),
    record("1", "3", "SALE", 4, 1),
    record("2", "1", "WO", 1, 7),
    record("3", "1", "REFUND", -3, 1),
    record("4", "1", "SALE", -5, 1),
]


@pytest.mark.parametrize("records", [RECORDS, RECORDS[::-1]], ids=["forward", "backward"])
def test_kinds_and_refunds(directory, records):
    file = directory / "outlet.yaml"
    file.write_text(CONTRACT)
    config = directory / "till.yaml"
    config.write_text(f"contracts: [{file}]\n")
    with running(new_till(directory, "--config", config)) as till:
        for one in records:
            assert till.post("outlet", [one]).status == 202
        assert totals(till)["distinct"] == 6
        (total,) = till.get("/v1/sales/total?after=latest").json["totals"]
        # Gross 10 + 4, returns 2 + 3, adjustments 7 - 5.
        assert (total["gross"], total["returns"], total["adjustments"]) == ("14.00", "5.00", "2.00"), total
        # The reference total leaves document 1 out: one of its lines makes it a cancellation.
        (reference,) = till.get("/v1/sales/total?definition=reference&after=latest").json["totals"]
        assert "-1.00" in reference.values(), reference
        till.stop()
    ended(till_command("prove", "--data", directory / "data", "--rows"), DONE)
