"""`till transform`: rows as line-delimited JSON of the reference system, and nothing is lost on the way."""

import gzip
import json

from support import DONE, EXAMPLE, FAILED, USAGE, ended, new_till, running, till_command, totals

HEADER = "InvoiceNo\tStockCode\tDescription\tQuantity\tInvoiceDate\tUnitPrice\tCustomerID\tCustomerName\tCountry"
ROWS = [
    '536365\t85123A\t"WHITE ""HEART"""\t6\t01/12/2010 08:26\t2.55\t17850.0\tAnn Lee\tUnited Kingdom',
    "C536379\tD\tDiscount\t-1\t2010-12-01 09:41:00\t27.50\t\t\tÎle de Ré",
    "536367\tX\t\t1\t2010-12-01 09:41:07\t0.001\t13047\t\tFrance",
    "536368\tX\tBAD\tnone\t01/12/2010 08:26\t1\t1\t\tFrance",
    "536369\tX\tBAD\t1\t13/13/2010 08:26\t1\t1\t\tFrance",
]


def test_tsv_as_the_reference_systems_json(tmp_path):
    path, rejects = tmp_path / "fifth_batch.csv", tmp_path / "rejects.ndjson"
    path.write_text("\n".join([HEADER, *ROWS]) + "\n")
    words = ["transform", path, "--separator", "tab", "--rejects", rejects]
    done = till_command(*words)
    said = ended(done, FAILED)
    lines = [json.loads(text) for text in done.stdout.splitlines()]
    assert "read 5 = written 3 + rejected 2" in said and "line 5: type: " in said
    assert lines[0] == {
        "InvoiceNo": "536365", "StockCode": "85123A", "Description": 'WHITE "HEART"', "Quantity": 6,
        "InvoiceDate": "01/12/2010 08:26", "UnitPrice": 2.55, "CustomerID": 17850, "customerName": "Ann Lee",
        "Country": "United Kingdom", "client_line_no": None,
    }  # fmt: skip
    assert (lines[1]["CustomerID"], lines[1]["InvoiceDate"], lines[1]["Country"]) == (
        None,
        "01/12/2010 09:41",
        "Île de Ré",
    )
    assert lines[2]["InvoiceDate"] == "2010-12-01 09:41:07" and b"0.001" in done.stdout
    kept = [json.loads(text) for text in rejects.read_text().splitlines()]
    assert [(one["line"], one["row"], one["reasons"][0]["field"]) for one in kept] == [
        (5, ROWS[3], "Quantity"), (6, ROWS[4], "InvoiceDate"),
    ]  # fmt: skip
    assert ended(till_command(*words, "--allow-rejects", "2", "--out", tmp_path / "output.txt"), DONE)
    assert (tmp_path / "output.txt").read_bytes() == done.stdout


def test_a_year_is_the_same_rows(directory):
    """What is transformed and loaded is what the file itself is: every row is a duplicate."""
    part, output = directory / "part.csv", directory / "output.ndjson"
    with gzip.open(EXAMPLE, "rt", encoding="utf-8") as source, part.open("w", encoding="utf-8") as target:
        for _, text in zip(range(30_001), source, strict=False):
            target.write(text)
    assert "read 30000 = written 30000 + rejected 0" in ended(till_command("transform", part, "--out", output), DONE)
    with running(new_till(directory)) as till:
        for path in (output, part):
            ended(till_command("ingest", "invoices", path, "--to", till.url), DONE)
        found = totals(till)
        assert (found["received"], found["distinct"], found["duplicates"]) == (60_000, 30_000, 30_000)


def test_what_cannot_be_transformed(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("x\n1\n")
    assert "cannot be opened" in ended(till_command("transform", tmp_path / "none.csv"), USAGE)
    assert "has lists" in ended(
        till_command("transform", path, "--contract", EXAMPLE.parents[2] / "Contracts/pos.yaml"), USAGE
    )
    assert "cannot be written" in ended(till_command("transform", path, "--out", tmp_path / "no/where"), USAGE)
    link = tmp_path / "link.csv"
    link.symlink_to(path)
    for words in (
        ["--out", path],
        ["--out", link],
        ["--rejects", path],
        ["--out", tmp_path / "b", "--rejects", tmp_path / "b"],
    ):
        assert "nothing was written" in ended(till_command("transform", path, *words), USAGE)
        assert path.read_text() == "x\n1\n"
