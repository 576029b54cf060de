"""Rows of files: the same row counts once however it is written, and quotes without a partner cost one line."""

import hashlib
import json
import re
import subprocess
import tarfile
from pathlib import Path

import pytest
from support import (
    DONE,
    EXAMPLE,
    FAILED,
    binary,
    ended,
    new_till,
    original_bytes,
    quarantined,
    running,
    till_command,
    totals,
)

HEADER = "InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country"
ROW = "1,A,x,1,01/12/2031 08:26,2.50,17850,UK"
OLD = Path(__file__).with_name("fixtures") / "data-ids-of-bytes.tar.gz"


def write(path, *rows, header=HEADER):
    path.write_text("\n".join([header, *rows]) + "\n")
    return path


def load(till, *words, code=DONE):
    """What a load says, and its control totals."""
    said = ended(till_command("ingest", "invoices", *words, "--to", till.url), code)
    found = re.search(r"read (\d+) = distinct (\d+) \+ duplicates (\d+) \+ quarantined (\d+)", said)
    assert found, said
    return said, tuple(map(int, found.groups()))


def repeated(said):
    found = re.search(
        r"repeated rows: (\d+) of the same \w+ .* (\d+) of another file .* (\d+) of an earlier load", said
    )
    return tuple(map(int, found.groups())) if found else None


OTHERWISE = {
    "numbers.csv": f"{HEADER}\n1,A,x,1,01/12/2031 08:26,2.5,17850.0,UK\n",
    "quotes.csv": f'{HEADER}\n"1","A","x","1","01/12/2031 08:26","2.500","17850","UK"\n',
    "times.csv": f"{HEADER}\n1,A,x,1,2031-12-01 08:26:00,2.50,17850,UK\n",
    "columns.csv": "StockCode,InvoiceNo,Country,Description,Quantity,InvoiceDate,Price,Customer ID\n"
    "A,1,UK,x,1,01/12/2031 08:26,2.50,17850\n",
    "tabs.tsv": f"{HEADER}\n{ROW}\n".replace(",", "\t"),
    "json.ndjson": '{"InvoiceNo":"1","StockCode":"A","Description":"x","Quantity":1,'
    '"InvoiceDate":"01/12/2031 08:26","UnitPrice":2.50,"CustomerID":17850,"Country":"UK"}\n',
}


def test_the_same_row_written_differently_counts_once(till, tmp_path):
    said, first = load(till, write(tmp_path / "first.csv", ROW))
    assert first == (1, 1, 0, 0) and repeated(said) is None
    for name, content in OTHERWISE.items():
        path = tmp_path / name
        path.write_text(content)
        said, counts = load(till, path)
        assert (name, counts, repeated(said)) == (name, (1, 0, 1, 0), (0, 0, 1))
    assert till.get("/v1/sales/total?after=latest").json["totals"][0]["gross"] == "2.50"


def test_true_repeats_count_within_one_file_and_not_across_files(till, tmp_path):
    one = write(tmp_path / "one.csv", ROW, ROW.replace("2.50", "2.5"), ROW, "2,B,y,1,01/12/2031 09:00,1.00,,UK")
    two = write(tmp_path / "two.csv", ROW, ROW, "3,B,y,1,01/12/2031 09:00,1.00,,UK")
    said, counts = load(till, one, two)
    # One has the row three times: that many there are; two repeats two of them.
    assert counts == (7, 5, 2, 0) and repeated(said) == (3, 2, 0)
    # A file with more of them adds what it has more.
    said, counts = load(till, write(tmp_path / "three.csv", ROW, ROW, ROW, ROW))
    assert counts == (4, 1, 3, 0) and repeated(said) == (3, 0, 3)
    # The same files again add nothing.
    assert load(till, one, two)[1] == (7, 0, 7, 0)


def test_parts_of_one_export_count_together(till, tmp_path):
    one, two = write(tmp_path / "one.csv", ROW, ROW), write(tmp_path / "two.csv", ROW)
    said, counts = load(till, one, two, "--parts")
    assert counts == (3, 3, 0, 0) and repeated(said) == (2, 0, 0)
    said, counts = load(till, one, two, "--parts")
    assert counts == (3, 0, 3, 0) and repeated(said) == (2, 0, 3)


def test_a_feed_with_ids_of_bytes_keeps_them(tmp_path):
    with tarfile.open(OLD) as archive:
        archive.extractall(tmp_path, filter="data")
    with running(new_till(tmp_path)) as till:
        before = totals(till)
        assert (before["distinct"], before["quarantined"]) == (9, 2)
        said, counts = load(till, tmp_path / "old.csv", tmp_path / "second.csv", "--allow-rejects", "9")
        assert "Rows of feed invoices have ids of their bytes" in said
        assert counts[:2] == (11, 0), "the same old files again add nothing"
        # A feed that no file was loaded into is not held back by its neighbour.
        identity = till.get("/v1/row-identity?feed=users&after=latest").json
        assert identity == {"feed": "users", "by_bytes": False}
    ended(till_command("prove", "--data", tmp_path / "data"), DONE)


def test_a_quote_without_its_partner_costs_one_line(till, tmp_path):
    rows = [f"{n},N{n},NAIL,1,01/12/2031 08:{n % 60:02},1.00,17850,UK" for n in range(1000, 1500)]
    rows[9] = rows[9].replace("NAIL", '"5 INCH NAIL')
    rows[499] = rows[499].replace("NAIL", '5 INCH" NAIL')
    said, counts = load(till, write(tmp_path / "quotes.csv", *rows), code=FAILED)
    assert counts == (500, 499, 0, 1)
    assert 'quotes.csv", line 11: a quote has no partner' in said
    (entry,) = quarantined(till)
    assert original_bytes(till, entry).decode() == rows[9]


def test_rows_inside_a_quoted_field_are_told(till, tmp_path):
    rows = [
        '11,A,"x,1,01/12/2031 08:26,1.00,17850,UK', "12,B,z,1,01/12/2031 08:27,2.00,17850,UK",
        '13,C,y",1,01/12/2031 08:28,3.00,17850,UK', "14,D,w,1,01/12/2031 08:29,4.00,17850,UK",
    ]  # fmt: skip
    said, counts = load(till, write(tmp_path / "two.csv", *rows))
    assert counts == (2, 2, 0, 0)
    assert 'two.csv", lines 2 to 4: one row, and 2 of its lines would be rows by themselves' in said


def test_a_contract_can_leave_rows_to_their_quotes(directory):
    text = (EXAMPLE.parents[2] / "Contracts/invoices.yaml").read_text()
    contract = directory / "invoices.yaml"
    contract.write_text(text.replace('csv: { separator: "," }', 'csv: { separator: ",", resynchronise: false }'))
    config = directory / "till.yaml"
    config.write_text(f"contracts: [{contract}]\n")
    with running(new_till(directory, "--config", config)) as till:
        path = write(directory / "open.csv", ROW, ROW.replace("x", '"x'), ROW, ROW)
        assert load(till, path, code=FAILED)[1] == (2, 1, 0, 1)


@pytest.mark.parametrize("size", [1 << 20, 5 << 20])
def test_a_row_beyond_the_limit_goes_to_quarantine_and_the_rest_is_loaded(till, tmp_path, size):
    long = "2,A," + "y" * size + ",1,01/12/2031 08:26,2.50,17850,UK"
    said, counts = load(till, write(tmp_path / "long.csv", ROW, long, "3" + ROW[1:]), code=FAILED)
    assert counts == (3, 2, 0, 1)
    assert f"a row of {len(long) + 1} bytes" in said
    (entry,) = quarantined(till)
    assert original_bytes(till, entry).decode() == long[:4096]
    (reason,) = entry["reasons"]
    assert reason["rule"] == "row_too_large"
    digest = hashlib.sha256(f"{long}\n".encode()).hexdigest()
    assert f"has {len(long) + 1} bytes" in reason["message"] and f"sha256={digest}" in reason["message"]
    # Again: the same entry, no second one.
    assert load(till, tmp_path / "long.csv")[1] == (3, 0, 3, 0)
    assert len(quarantined(till)) == 1


def test_a_line_of_json_beyond_the_limit_goes_to_quarantine(till, tmp_path):
    path = tmp_path / "long.ndjson"
    good = OTHERWISE["json.ndjson"]
    path.write_text(good + json.dumps({"InvoiceNo": "z" * (2 << 20)}) + "\n" + good.replace('"1"', '"2"'))
    assert load(till, path, code=FAILED)[1] == (3, 2, 0, 1)


def test_streams_of_many_clients_go_on_while_the_tables_are_behind(directory):
    """Answers of 429 come in any order; each client goes on where the till is."""
    config = directory / "till.yaml"
    config.write_text("tables:\n  lag_max: 2000\n")
    with running(new_till(directory, "--config", config)) as till:
        clients = []
        for client in range(8):
            rows = "\n".join(f"{client}-{n},A,x,1,01/12/2031 08:26,1.00,17850,UK" for n in range(20_000))
            path = directory / f"{client}.csv"
            path.write_text(f"{HEADER}\n{rows}\n")
            with path.open("rb") as source:
                clients.append(
                    subprocess.Popen(
                        [binary(), "ingest", "invoices", "-", "--to", till.url], stdin=source, stdout=subprocess.PIPE,
                        stderr=subprocess.PIPE,
                    )
                )  # fmt: skip
        for client in clients:
            out, err = client.communicate(timeout=120)
            assert client.returncode == 0, (out + err).decode()
            assert b"read 20000 = distinct 20000 + duplicates 0" in out
        assert totals(till)["distinct"] == 160_000
