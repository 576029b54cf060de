"""Records that are folded as they were judged when they were received, without being read from the log again.

The tables must be those of the log: `till prove` judges and computes all of it anew.
"""

from concurrent.futures import ThreadPoolExecutor

from retail_records import sale
from support import DONE, ended, line, metric, new_till, running, till_command, totals

COUNT = 3_000


def test_fresh_and_logged_records_give_the_same_tables(tmp_path):
    till = new_till(tmp_path)
    with running(till):

        def send(number):
            kind = number % 5
            if kind == 0:
                return till.post("pos", [sale(f"s{number}", number)]).status
            if kind == 1:
                return till.post("invoices", [line(InvoiceNo=f"{number // 50}", Quantity=0), "["]).status
            if kind == 2:
                # The same again, from another connection: a duplicate, before or after it was folded.
                headers = {"Idempotency-Key": f"{number // 10}"}
                return till.post("invoices", [line(InvoiceNo="9", Quantity=number // 10 + 1)], headers=headers).status
            if kind == 3:
                return till.request("POST", "/invoicedata", line(InvoiceNo=f"c{number}", Quantity=-1)).status
            return till.post("invoices", [line(InvoiceNo=f"{number}"), line(InvoiceNo=f"{number + 1}")]).status

        with ThreadPoolExecutor(8) as pool:
            statuses = set(pool.map(send, range(COUNT)))
        assert statuses <= {201, 202, 422}, statuses
        counted = totals(till)
        fresh, folded = metric(till, "process_fresh_records_total"), metric(till, "process_records_total")
        assert fresh > folded / 2 > 0, (fresh, folded)
        assert till.stop() == 0
    text = ended(till_command("prove", "--data", till.data), DONE)
    assert " 0 differences" in text
    # And what is folded from the log alone is the same.
    for path in till.data.glob("tables.sqlite*"):
        path.unlink()
    with running(till):
        assert totals(till) == counted
        assert metric(till, "process_fresh_records_total") == 0
        assert till.stop() == 0
    assert " 0 differences" in ended(till_command("prove", "--data", till.data), DONE)


def test_a_file_is_sent_no_faster_than_the_tables_take_it(tmp_path):
    """What `till ingest` sends is folded as it was judged: it never runs further ahead than the server keeps."""
    count = 25_000
    sales = tmp_path / "sales.ndjson"
    arguments = ("--count", str(count), "--rate", "100", "--seed", "5", "--start", "2025-03-03T09:00:00Z")
    ended(till_command("simulate", "pos", "--out", str(sales), *arguments, "--quiet"), DONE)
    assert sales.stat().st_size > 16 << 20, "more than the server keeps at once"
    till = new_till(tmp_path)
    with running(till):
        ended(till_command("ingest", "pos", str(sales), "--to", till.url), DONE)
        assert totals(till)["received"] == count
        fresh = metric(till, "process_fresh_records_total")
        assert fresh > count * 0.9, fresh
        assert till.stop() == 0
    assert " 0 differences" in ended(till_command("prove", "--data", till.data), DONE)
