"""`till ingest`: files and standard input as runs, without a server too, and what interruptions leave behind."""

import csv
import gzip
import itertools
import json
import re
import subprocess
from decimal import Decimal

import pytest
from conftest import free_port, wait_until
from support import (
    DAMAGED,
    DONE,
    EXAMPLE,
    FAILED,
    USAGE,
    binary,
    ended,
    line,
    log_dump,
    new_till,
    running,
    till_command,
    totals,
)

HEADER = list(line(client_line_no="0"))


def write_rows(path, numbers, quantity=1):
    """A CSV file with one line for each number."""
    with (gzip.open if path.suffix == ".gz" else open)(path, "wt", newline="") as file:
        writer = csv.DictWriter(file, HEADER)
        writer.writeheader()
        for number in numbers:
            writer.writerow(line(InvoiceNo=f"F{number}", client_line_no="1", Quantity=quantity, UnitPrice="1.25"))
    return path


def ingest(till, *words, stdin=None, code=DONE):
    done = till_command("ingest", "invoices", *words, "--to", till.url, stdin=stdin)
    return ended(done, code)


def test_a_file_whose_rows_end_with_cr_alone(till, tmp_path):
    path = write_rows(tmp_path / "old-mac.csv", range(3))
    path.write_bytes(path.read_bytes().replace(b"\r\n", b"\r"))
    ingest(till, path)
    wait_until(lambda: totals(till)["received"] == 3)


@pytest.mark.parametrize("content", [b"", b"\n\n", ",".join(line()).encode() + b"\n", ",".join(line()).encode()])
def test_a_file_without_a_record_is_an_error(till, tmp_path, content):
    path = tmp_path / "empty.csv"
    path.write_bytes(content)
    assert "holds no record; nothing was sent" in ingest(till, path, code=USAGE)
    assert totals(till)["received"] == 0


def test_a_header_with_a_cr_is_refused_before_anything_is_sent(till, tmp_path):
    path = write_rows(tmp_path / "mixed.csv", range(3))
    path.write_bytes(path.read_bytes().replace(b"\r\n", b"\r", 1))
    refused = ingest(till, path, code=USAGE)
    assert "contains a CR" in refused, refused
    assert totals(till)["received"] == 0


def test_a_feed_that_is_not_there_is_said_in_words(till, tmp_path):
    path = write_rows(tmp_path / "a.csv", range(3))
    said = ended(till_command("ingest", "nosuch", path, "--to", till.url), USAGE)
    assert 'The server answered 404: There is no feed "nosuch"; known are ' in said, said
    assert "{" not in said, said


def test_loading_files_as_one_run(directory):
    plain, packed = write_rows(directory / "a.csv", range(100)), write_rows(directory / "b.csv.gz", range(100, 250))
    lines = directory / "c.ndjson"
    events = [line(InvoiceNo=f"F{n}", client_line_no="1", UnitPrice=1.25) for n in range(250, 300)]
    lines.write_text("".join(json.dumps(event) + "\n" for event in events))
    bad = directory / "d.tsv"
    bad_row = map(str, line(InvoiceNo="F0", Quantity=0, client_line_no="9").values())
    bad.write_text("\t".join(HEADER) + "\n" + "\t".join(bad_row) + "\n")
    with running(new_till(directory)) as till:
        text = ingest(till, plain, packed, lines, bad, code=FAILED)
        assert "read 301 = distinct 300 + duplicates 0 + quarantined 1" in text
        assert totals(till)["distinct"] == 300
        assert len({record["run"] for record in log_dump(till)}) == 1
        again = ingest(till, plain, packed, lines, bad)
        assert "read 301 = distinct 0 + duplicates 301 + quarantined 0" in again, "a bad row is one record too"
        found = totals(till)
        assert (found["distinct"], found["conflicting"]) == (300, 0)
        assert len(till.get("/v1/quarantine").json["items"]) == 1, "the same bad row of the same files is one record"
        assert len({record["run"] for record in log_dump(till)}) == 2


def test_loading_from_standard_input(directory):
    rows = write_rows(directory / "a.csv", range(500)).read_bytes()
    with running(new_till(directory)) as till:
        report = json.loads(ingest(till, "-", "--json", stdin=rows))
        assert {name: report[name] for name in ("read", "distinct", "duplicates", "quarantined")} == {
            "read": 500, "distinct": 500, "duplicates": 0, "quarantined": 0,
        }  # fmt: skip
        ndjson = b"".join(json.dumps(line(InvoiceNo="N", client_line_no=str(n))).encode() + b"\n" for n in range(3))
        assert "read 3 = distinct 3" in ingest(till, "-", "--format", "ndjson", stdin=ndjson)
        assert "holds no record; nothing was sent" in ingest(till, "-", stdin=b"", code=USAGE)


def test_loading_without_a_server(directory):
    rows, data = write_rows(directory / "a.csv", range(700)), directory / "data"
    report = json.loads(ended(till_command("ingest", "invoices", rows, "--data", data, "--json"), DONE))
    assert (report["read"], report["distinct"]) == (700, 700)
    report = json.loads(ended(till_command("ingest", "invoices", rows, "--data", data, "--json"), DONE))
    assert (report["distinct"], report["duplicates"]) == (0, 700)
    with running(new_till(directory)) as till:
        assert totals(till)["distinct"] == 700
        assert till.get("/v1/sales/total").json["totals"][0]["gross"] == "875.00"


def test_loading_reports_what_it_cannot_do(directory):
    rows = write_rows(directory / "a.csv", range(3))
    nobody = f"http://127.0.0.1:{free_port()}"
    assert "127.0.0.1" in ended(till_command("ingest", "invoices", rows, "--to", nobody), FAILED)
    with running(new_till(directory)) as till:
        done = till_command("ingest", "nothing", rows, "--to", till.url)
        assert done.returncode in (FAILED, USAGE) and b"nothing" in done.stderr, done
        broken = directory / "broken.csv.gz"
        broken.write_bytes(gzip.compress(rows.read_bytes())[:-12])
        done = till_command("ingest", "invoices", broken, "--to", till.url)
        assert done.returncode in (FAILED, USAGE, DAMAGED) and b"broken.csv.gz" in done.stderr, done


def test_a_load_with_a_wrong_format_does_not_stand_in_the_way_of_the_right_one(directory):
    rows = directory / "a.csv"
    rows.write_text(
        ",".join(line()) + "\n" + ",".join(str(x) for x in line(InvoiceNo="A1", Country="France").values()) + "\n"
    )
    with running(new_till(directory)) as till:
        wrong = ingest(till, rows, "--format", "ndjson", code=FAILED)
        assert "read 2 = distinct 0 + duplicates 0 + quarantined 2" in wrong
        assert "2 of 2 rows were rejected" in wrong and "till quarantine list" in wrong
        assert "read 1 = distinct 1" in ingest(till, rows)
        assert "read 1 = distinct 0 + duplicates 1" in ingest(till, rows)
        array = directory / "a.json"
        array.write_text(json.dumps([line()]))
        assert "jq -c" in ingest(till, array, code=USAGE)
        mixed = directory / "b.ndjson"
        mixed.write_text("\n".join([json.dumps(line(InvoiceNo="B1")), "[1]", json.dumps(line(InvoiceNo="B2"))]) + "\n")
        assert "read 3 = distinct 2 + duplicates 0 + quarantined 1" in ingest(till, mixed, code=FAILED)


def test_csv_is_cut_as_the_contract_says(directory):
    """Separator and quote of a feed's contract hold for files as they do over HTTP."""
    contract = (EXAMPLE.parents[2] / "Contracts/invoices.yaml").read_text()
    changed = contract.replace("contract: invoices", "contract: shop", 1).replace("source: invoices", "source: shop", 1)
    declared = re.sub(r"^csv:.*$", "csv: { separator: ';', quote: \"'\" }", changed, flags=re.MULTILINE)
    (directory / "shop.yaml").write_text(declared)
    (directory / "till.yaml").write_text(f"contracts: [{directory / 'shop.yaml'}]\n")
    names = ";".join(line())
    cells = [str(x) for x in line(InvoiceNo="S1", Description="'two\nlines; \"quoted\"'").values()]
    text = names + "\n" + ";".join(cells) + "\n" + ";".join(str(x) for x in line(InvoiceNo="S2").values()) + "\n"
    (directory / "a.csv").write_text(text)
    with running(new_till(directory, "--config", directory / "till.yaml")) as till:
        asked = till.get("/v1/contracts/shop").json
        assert (asked["contract"], asked["csv"]) == (
            "shop",
            {"separator": ";", "quote": "'", "encoding": "utf-8", "resynchronise": True},
        )
        done = till_command("ingest", "shop", directory / "a.csv", "--to", till.url)
        assert "read 2 = distinct 2 + duplicates 0 + quarantined 0" in ended(done, DONE)
        (one,) = till.get("/v1/invoices/shop:S1?after=latest").json["lines"]
        assert one["description"] == 'two\nlines; "quoted"'
        reply = till.request("POST", "/v1/feeds/shop", text.encode(), {"Content-Type": "text/csv"})
        assert reply.json["accepted"] == 2


BIG = 120_000


@pytest.fixture(scope="module")
def big_file(tmp_path_factory):
    """Rows of the public file with their own repeats, large enough to be interrupted."""
    path = tmp_path_factory.mktemp("big") / "big.csv"
    with gzip.open(EXAMPLE, "rb") as source, open(path, "wb") as file:
        file.writelines(itertools.islice(source, BIG + 1))
    return path


@pytest.fixture(scope="module")
def big_total(big_file):
    """Rows, and the sum of the reference definition."""
    with open(big_file, encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    total = sum(int(r["Quantity"]) * Decimal(r["Price"]) for r in rows if not r["Invoice"].startswith("C"))
    return len(rows), total


def start_ingest(till, path, **options):
    command = [binary(), "ingest", "invoices", path, "--to", till.url, "--json"]
    return subprocess.Popen(list(map(str, command)), stdout=subprocess.PIPE, stderr=subprocess.PIPE, **options)


def received(till):
    return sum(feed["log_end"] for feed in till.get("/v1/status").json["feeds"])


def check_big(till, big_total):
    rows, total = big_total
    found = totals(till)
    assert (found["distinct"], found["quarantined"], found["conflicting"]) == (rows, 0, 0)
    (shown,) = till.get("/v1/sales/total?definition=reference").json["totals"]
    assert Decimal(shown["sales"]) == total


def slow_till(directory):
    """A disk that takes 20 ms, so that there is a middle to be interrupted in."""
    return new_till(directory, "--log.added_sync_milliseconds", "20", "--log.segment_mebibytes", "1")


def test_loading_continues_after_the_client_was_killed(directory, big_file, big_total):
    with running(slow_till(directory)) as till:
        for _ in range(3):
            before = received(till)
            client = start_ingest(till, big_file)
            wait_until(lambda before=before: received(till) > before, 20, "rows to arrive")
            client.kill()
            client.communicate()
        assert received(till) < BIG, "the client was too fast for this test"
        client = start_ingest(till, big_file)
        output, errors = client.communicate(timeout=60)
        assert client.returncode == DONE, (output, errors)
        report = json.loads(output)
        assert report["read"] == BIG == report["distinct"] + report["duplicates"] + report["quarantined"]
        check_big(till, big_total)


def test_loading_continues_after_the_server_was_killed(directory, big_file, big_total):
    with running(slow_till(directory)) as till:
        for _ in range(2):
            before = received(till)
            client = start_ingest(till, big_file)
            wait_until(lambda before=before: received(till) > before, 20, "rows to arrive")
            till.kill9()
            client.communicate(timeout=150)
            assert client.returncode not in (DONE, USAGE), "a load that was cut off is not done"
            till.start()
        client = start_ingest(till, big_file)
        output, errors = client.communicate(timeout=60)
        assert client.returncode == DONE, (output, errors)
        assert json.loads(output)["read"] == BIG
        check_big(till, big_total)
        again = start_ingest(till, big_file)
        output, errors = again.communicate(timeout=60)
        assert json.loads(output)["duplicates"] == BIG, (output, errors)
        check_big(till, big_total)


# --- headers ----------------------------------------------------------------------------------------------------------

ROW = "1,A,x,1,01/12/2031 08:26,1.00,17850,UK"
NAMES = "InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country"
WRONG_HEADERS = {
    "lower case": (NAMES.lower() + "\n" + ROW, "has no column InvoiceNo, StockCode, Quantity, InvoiceDate, UnitPrice"),
    "one missing": (NAMES.replace("UnitPrice", "Price each") + "\n" + ROW, "has no column UnitPrice; found InvoiceNo"),
    "semicolons": ((NAMES + "\n" + ROW).replace(",", ";"), "try --separator ';'"),
    "tabs": ((NAMES + "\n" + ROW).replace(",", "\t"), "try --separator 'tab'"),
    "utf-16": ((NAMES + "\n" + ROW + "\n").encode("utf-16"), "is UTF-16. Nothing was sent: say --encoding utf-16"),
}


@pytest.mark.parametrize("name", WRONG_HEADERS)
def test_a_wrong_header_is_refused_before_anything_is_sent(till, tmp_path, name):
    content, said = WRONG_HEADERS[name]
    good, wrong = write_rows(tmp_path / "good.csv", range(3)), tmp_path / "wrong.csv"
    wrong.write_bytes(content if isinstance(content, bytes) else content.encode() + b"\n")
    refused = ingest(till, good, wrong, code=USAGE)
    assert said in refused and "wrong.csv" in refused and "--force" in refused, refused
    assert totals(till)["received"] == 0, "nor is the good file sent"
    ingest(till, wrong, "--force", code=FAILED)
    assert totals(till)["received"] > 0


def test_ignored_columns_are_named_once(till, tmp_path):
    path = tmp_path / "more.csv"
    path.write_text(f"{NAMES},Colour,Size\n{ROW},red,L\n{ROW.replace('1,A', '2,A', 1)},blue,M\n")
    said = ingest(till, path)
    assert said.count("ignored columns: Colour, Size") == 1, said
    assert "ignored columns" not in ingest(till, path, "--quiet")


def test_a_load_with_rejected_rows_fails_unless_they_are_allowed(till, tmp_path):
    path = tmp_path / "mixed.csv"
    path.write_text(f"{NAMES}\n{ROW}\n{ROW.replace('x,1,', 'x,0,')}\n")
    assert "1 of 2 rows were rejected" in ingest(till, path, "--quiet", code=FAILED)
    other = tmp_path / "other.csv"
    other.write_text(path.read_text().replace("1,A", "2,A"))
    assert "1 of 2 rows were rejected" in ingest(till, other, "--allow-rejects", "1")
    ingest(till, path, "--allow-rejects", "-1", code=USAGE)


def test_a_file_of_nothing_but_rejects_is_refused_before_it_is_sent(till, tmp_path):
    path = write_rows(tmp_path / "bad.csv", range(10), quantity="many")
    refused = ingest(till, path, code=USAGE)
    assert "all of its first 10 rows would be rejected, the first by type: " in refused, refused
    assert totals(till)["received"] == 0
    assert "quarantined 10" in ingest(till, path, "--force", code=FAILED)
    path.write_bytes(write_rows(tmp_path / "good.csv", range(1)).read_bytes() + b"x,y\n" * 2_000)
    assert "quarantined 2000" in ingest(till, path, code=FAILED)


@pytest.mark.parametrize("encoding", ["windows-1252", "latin-1", "utf-16", "utf-16-be"])
def test_files_of_other_encodings(till, tmp_path, encoding):
    path, text = tmp_path / "menu.csv", write_rows(tmp_path / "a.csv", range(2)).read_text()
    text = text.replace("WHITE HANGING HEART", "Crème brûlée")
    path.write_bytes(
        text.encode(encoding) if encoding != "utf-16-be" else "\ufeff".encode("utf-16-be") + text.encode(encoding)
    )
    refused = ingest(till, path, code=USAGE)
    assert "utf-16" in refused and "Nothing was sent" in refused, refused
    assert "distinct 2" in ingest(till, path, "--encoding", encoding.removesuffix("-be"))
    (one,) = till.get("/v1/invoices/invoices:F1?after=latest").json["lines"]
    assert one["description"] == "Crème brûlée"
    # The same rows in UTF-8 are the same rows.
    path.write_text(text)
    assert "duplicates 2" in ingest(till, path)


def test_an_encoding_that_there_is_not(till, tmp_path):
    path = write_rows(tmp_path / "a.csv", range(2))
    assert 'There is no encoding "ebcdic"; say one of utf-8' in ingest(till, path, "--encoding", "ebcdic", code=USAGE)
    body = path.read_bytes()
    reply = till.request("POST", "/v1/feeds/invoices", body, {"Content-Type": "text/csv; charset=windows-1252"})
    assert (reply.status, reply.json["error"]["code"]) == (415, "charset_unknown")
    reply = till.request("POST", "/v1/feeds/invoices", body, {"Content-Type": 'text/csv; charset="UTF-8"'})
    assert reply.json["accepted"] == 2
