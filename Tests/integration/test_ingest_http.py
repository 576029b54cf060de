"""Requests with many events: content types, partly bad bodies, and repeats that add nothing."""

import json

import pytest
from support import JSON, check_documented, line, log_dump, new_till, original_bytes, quarantined, running, totals


def three():
    return [line(client_line_no=str(n)) for n in range(3)]


def as_csv(lines):
    def cell(value):
        text = "" if value is None else str(value)
        return '"' + text.replace('"', '""') + '"' if set(text) & set(',"\n') else text

    return "\n".join([",".join(lines[0]), *(",".join(cell(value) for value in one.values()) for one in lines)]) + "\n"


@pytest.mark.parametrize(
    ("content_type", "write"),
    [
        ("application/json", json.dumps),
        ("application/json; charset=utf-8", json.dumps),
        ("APPLICATION/JSON", lambda lines: json.dumps(lines, indent=2)),
        ("application/x-ndjson", lambda lines: "".join(json.dumps(one) + "\n" for one in lines)),
        ("application/x-ndjson", lambda lines: "\r\n".join(map(json.dumps, lines))),
        ("application/x-ndjson", lambda lines: "\n\n".join(map(json.dumps, lines))),
        ("text/csv", as_csv),
        ("text/csv; charset=utf-8", lambda lines: as_csv(lines).replace("\n", "\r\n")),
        ("text/csv", lambda lines: "\ufeff" + as_csv(lines)),
    ],
)
def test_content_types(till, content_type, write):
    reply = till.post("invoices", write(three()), content_type)
    assert reply.status == 202 and reply.json["accepted"] == 3 and reply.json["rejected"] == [], reply
    assert totals(till)["distinct"] == 3
    (total,) = till.get("/v1/sales/total").json["totals"]
    assert (total["gross"], total["orders"], total["units"]) == ("45.90", 1, 18)


def test_one_value_gives_the_same_record_in_every_format(till):
    for content_type, write in (("application/json", json.dumps), ("text/csv", as_csv)):
        assert till.post("invoices", write([line(client_line_no="1")]), content_type).status == 202
    assert till.post("invoices", json.dumps(line(client_line_no="1")), "application/x-ndjson").status == 202
    found = totals(till)
    assert (found["received"], found["distinct"], found["duplicates"]) == (3, 1, 2)


@pytest.mark.parametrize(
    ("names", "row"),
    [
        ("Invoice,StockCode,Description,Quantity,InvoiceDate,Price,Customer ID,Country",
         '536365,85123A,"WHITE, ""HANGING"" HEART",6,2010-12-01 08:26:00,2.55,17850.0,United Kingdom'),
        ("Country,Customer ID,Price,InvoiceDate,Quantity,Description,StockCode,Invoice",
         'United Kingdom,17850,2.55,2010-12-01 08:26:00,6,"WHITE, ""HANGING"" HEART",85123A,536365'),
    ],
)  # fmt: skip
def test_columns_of_the_public_file(till, names, row):
    reply = till.post("invoices", f"{names}\n{row}\n", "text/csv")
    assert reply.status == 202 and reply.json["accepted"] == 1, reply
    invoice = till.get("/v1/invoices/536365?after=latest").json
    assert invoice["customer"]["key"] == "17850" and invoice["lines"][0]["description"] == 'WHITE, "HANGING" HEART'
    assert (invoice["occurred_at"], invoice["lines"][0]["total"]) == ("2010-12-01T08:26:00Z", "15.30")


def test_a_partly_bad_array_keeps_the_good(till):
    lines = [line(), line(Quantity=0), line(StockCode="B"), line(InvoiceDate="x", UnitPrice=None)]
    reply = till.post("invoices", lines)
    assert reply.status == 202, reply
    assert reply.json["accepted"] == 2
    assert [(one["index"], len(one["reasons"])) for one in reply.json["rejected"]] == [(1, 1), (3, 2)]
    found = totals(till)
    assert (found["received"], found["distinct"], found["quarantined"]) == (4, 2, 2)
    kept = sorted(original_bytes(till, item) for item in quarantined(till))
    assert kept == sorted([json.dumps(lines[1]).encode(), json.dumps(lines[3]).encode()])
    assert {item["position"] for item in quarantined(till)} == {"feed.invoices/0:1", "feed.invoices/0:3"}


def test_an_array_of_bad_lines_only(till):
    reply = till.post("invoices", [line(Quantity=0), 7, None])
    assert reply.status == 422 and reply.json["accepted"] == 0 and len(reply.json["rejected"]) == 3, reply
    assert totals(till)["quarantined"] == 3


@pytest.mark.parametrize(
    "body",
    [
        b'[{"InvoiceNo":"1"},{"InvoiceNo":',
        b"[1,2,3",
        b'[{"InvoiceNo":"\xff\x00"}',
        json.dumps([line()]).encode() + b"]",
        b"[" * 100_000,
    ],
)
def test_an_array_that_cannot_be_taken_apart_is_one_record_in_quarantine(till, body):
    reply = till.post("invoices", body)
    assert reply.status == 422 and len(reply.json["rejected"]) == 1, reply
    (item,) = quarantined(till)
    assert original_bytes(till, item) == body, "the original bytes, every one"
    assert item["feed"] == "invoices" and item["reasons"] and item["resolved_at"] is None


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        ("application/json", b"[]"),
        ("application/json", b" [ ] "),
        ("application/x-ndjson", b"\n\n"),
        ("text/csv", b"InvoiceNo,StockCode\n"),
        ("text/csv", b"InvoiceNo,StockCode\r"),
    ],
)
def test_a_body_without_a_record_is_refused(till, content_type, body):
    reply = till.post("invoices", body, content_type)
    assert (reply.status, reply.json["error"]["code"]) == (422, "no_records"), reply
    assert totals(till)["received"] == 0


def test_cr_ends_a_row_where_a_body_has_no_lf(till):
    reply = till.post("invoices", as_csv(three()).replace("\n", "\r"), "text/csv")
    assert (reply.status, reply.json["accepted"]) == (202, 3), reply
    assert totals(till)["distinct"] == 3


def test_a_header_row_with_a_cr_is_refused(till):
    reply = till.post("invoices", as_csv(three()).replace("\n", "\r", 1), "text/csv")
    assert (reply.status, reply.json["error"]["code"]) == (422, "csv_header_cr"), reply
    assert totals(till)["received"] == 0


@pytest.mark.parametrize("path", ["/v1/feeds/invoices", "/invoicedata"])
def test_bad_bytes_are_kept_on_both_paths(till, path):
    bodies = [
        json.dumps(line()).encode().replace(b"{", b'{"Quantity":5,', 1),
        json.dumps(line(Description="@")).encode().replace(b"@", b"\\ud800"),
        json.dumps(line(Description="@")).encode().replace(b"@", b"\xff"),
        b"\x00\x01\x02",
    ]
    for body in bodies:
        reply = till.request("POST", path, body, JSON)
        assert reply.status == 422, reply
    assert sorted(original_bytes(till, item) for item in quarantined(till)) == sorted(bodies)


def test_a_pair_of_surrogates_is_a_letter(till):
    body = json.dumps(line(Description="🏬", client_line_no="1"))
    assert "\\ud83c" in body
    assert till.post("invoices", body).status == 202
    plain = json.dumps(line(Description="🏬", client_line_no="1"), ensure_ascii=False)
    assert till.post("invoices", plain).status == 202
    found = totals(till)
    assert (found["distinct"], found["duplicates"]) == (1, 1)


def test_values_above_a_mebibyte(till):
    """One event has at most 1 MiB: more is a record in quarantine, complete, and its neighbours are not touched."""
    long = line(note="x" * (1 << 20))
    reply = till.post("invoices", [line(), long, line(note="x" * 1_000_000)])
    assert reply.status == 202 and reply.json["accepted"] == 2, reply
    (rejected,) = reply.json["rejected"]
    assert rejected["index"] == 1 and "1048576" in rejected["reasons"][0]["message"], rejected
    assert len(reply.body) < 10_000, "an answer does not repeat a mebibyte"
    (item,) = quarantined(till)
    assert original_bytes(till, item) == json.dumps(long).encode()


def test_csv_mistakes(till):
    header = ",".join(line())
    for body, status in (
        (f"{header}\n", 422),
        (f"{header}\nonly,two\n", 422),
        ("InvoiceNo,Quantity\n1,2\n", 422),
        (f'{header}\n"never closed,1,2\n', 422),
    ):
        reply = till.post("invoices", body, "text/csv")
        assert reply.status == status, (body, reply)


@pytest.mark.parametrize(
    "again,field,columns", [("Quantity", "Quantity", "5 and 10"), ("Invoice", "InvoiceNo", "2 and 10")]
)
def test_a_column_that_is_given_twice(till, again, field, columns):
    """Which of two quantities counts is not for the order of columns to say."""
    head, row = ",".join([*line(), again]), ",".join(str(x) for x in [*line().values(), 7])
    reply = till.post("invoices", f"{head}\n{row}\n", "text/csv")
    assert reply.status == 422, reply
    (reason,) = reply.json["rejected"][0]["reasons"]
    assert reason["rule"] == "given_twice" and reason["field"] == field, reply
    assert f"Columns {columns}" in reason["message"] and quarantined(till)


# --- identity and repeats ---------------------------------------------------------------------------------------------


def test_a_repost_with_the_same_key_adds_nothing(till):
    lines = [line(), line(), line(StockCode="B")]
    for _ in range(3):
        assert till.post("invoices", lines, headers={"Idempotency-Key": "request 1"}).status == 202
    found = totals(till)
    assert (found["received"], found["distinct"], found["duplicates"]) == (9, 3, 6), "a true repeat inside stays"
    assert till.post("invoices", lines, headers={"Idempotency-Key": "request 2"}).status == 202
    assert totals(till)["distinct"] == 6
    assert till.post("invoices", lines).status == 202
    assert totals(till)["distinct"] == 9, "without a key each request is its own"


def test_a_repost_on_the_compatible_path(till):
    for key in ("a", "a", "b"):
        assert till.request("POST", "/invoicedata", line(), {**JSON, "Idempotency-Key": key}).status == 201
    found = totals(till)
    assert (found["distinct"], found["duplicates"]) == (2, 1)


def test_a_key_of_both_paths_is_one_key(till):
    """One feed, one key: a client that changes the path does not count twice."""
    assert till.post("invoices", line(), headers={"Idempotency-Key": "a"}).status == 202
    assert till.request("POST", "/invoicedata", line(), {**JSON, "Idempotency-Key": "a"}).status == 201
    assert totals(till)["distinct"] == 1


def test_a_rejected_repost_is_one_record_in_quarantine(till):
    for _ in range(2):
        assert till.post("invoices", line(Quantity=0), headers={"Idempotency-Key": "a"}).status == 422
    assert len(quarantined(till)) == 1


def test_member_order_and_spelling_do_not_matter(till):
    """One line number and the same canonical content: a duplicate, however it is written."""
    first = line(client_line_no="1")
    assert till.post("invoices", first).status == 202
    for again in (
        json.dumps(dict(reversed(first.items()))),
        json.dumps(first, indent=4),
        json.dumps(first).replace("2.55", "2.5500").replace('"536365"', "536365"),
        json.dumps(first).replace("01/12/2010 08:26", "2010-12-01T08:26:00Z"),
        json.dumps(first).replace('"1"', "1"),
    ):
        assert till.post("invoices", again).status == 202
    found = totals(till)
    assert (found["distinct"], found["duplicates"], found["conflicting"]) == (1, 5, 0)


def test_a_conflict_has_one_winner_in_any_order(tmp_path):
    """The same line number with other content: reported, and the winner does not depend on arrival."""
    versions = [line(client_line_no="1", Quantity=quantity) for quantity in (1, 2, 3)]
    shown = set()
    for name, order in (("forward", versions), ("backward", versions[::-1])):
        (tmp_path / name).mkdir()
        till = new_till(tmp_path / name).start()
        try:
            for one in order:
                assert till.post("invoices", one).status == 202
            found = totals(till)
            assert (found["distinct"], found["current"], found["conflicting"]) == (3, 1, 2)
            assert (found["duplicates"], found["superseded"]) == (0, 0)
            shown.add(till.get("/v1/sales/total").body)
        finally:
            till.kill9()
    assert len(shown) == 1


def test_the_log_keeps_what_the_sender_said(till):
    headers = {"X-Till-Sender": "shop 7", "X-Till-Sequence": "41", "X-Till-Run": "night"}
    body = json.dumps(line(Description="é"), ensure_ascii=False)
    assert till.post("invoices", body, headers=headers).status == 202
    assert till.post("invoices", as_csv([line()]), "text/csv").status == 202
    first, second = log_dump(till)
    assert (first["sender"], first["run"], first["value"]) == ("shop 7", "night", body)
    assert first["sequence"] == 41 and first["feed"] == "invoices" and first["offset"] == 0
    assert second["csv_header"] == ",".join(line()) and second["sender"] == "" and second["sequence"] is None


def test_a_run_has_control_totals(till):
    headers = {"X-Till-Run": "monday"}
    lines = [line(client_line_no="1"), line(client_line_no="1"), line(Quantity=0)]
    assert till.post("invoices", lines, headers=headers).status == 202
    run = till.get("/v1/runs/monday?after=latest").json
    assert run == {
        "run": "monday",
        "feed": "invoices",
        "read": 3,
        "distinct": 1,
        "duplicates": 1,
        "quarantined": 1,
        "parked": 0,
    }


def test_a_run_cannot_overtake_itself(till):
    """A batch that is not the next one of its run is refused and told where the run continues."""

    def send(row, count):
        lines = [line(client_line_no=str(row + n)) for n in range(count)]
        return till.post("invoices", lines, headers={"X-Till-Run": "r", "X-Till-Run-Row": str(row)})

    assert send(0, 2).status == 202
    refused = send(5, 1)
    assert refused.status == 409 and refused.json["error"]["code"] == "run_out_of_order"
    assert refused.json["error"]["expected_row"] == 2
    assert send(2, 3).status == 202
    assert send(5, 1).status == 202
    assert till.post("invoices", line(), headers={"X-Till-Run": "r", "X-Till-Run-Row": "-1"}).status == 400
    assert totals(till)["distinct"] == 6


def test_a_key_used_again_for_other_content_is_refused(directory):
    """Nothing of it is stored, also after a restart; the same content again is said to be a repeat."""
    with running(new_till(directory)) as till:
        key = {"Idempotency-Key": "a"}
        lines = [line(InvoiceNo="1"), line(InvoiceNo="2")]
        first = till.post("invoices", lines, headers=key)
        assert first.status == 202 and "repeated" not in first.json
        for _ in range(2):
            again = till.post("invoices", lines, headers=key)
            assert again.status == 202 and again.json["repeated"] is True, again
            check_documented(till, again, "/v1/feeds/{feed}")
            others = (
                [line(InvoiceNo="1", Quantity=7), lines[1]],
                lines[::-1],
                lines[:1],
                [*lines, line(InvoiceNo="3")],
            )
            for other in others:
                refused = till.post("invoices", other, headers=key)
                assert (refused.status, refused.json["error"]["code"]) == (409, "idempotency_key_reused"), refused
                check_documented(till, refused, "/v1/feeds/{feed}")
            found = totals(till)
            assert (found["distinct"], found["conflicting"], found["quarantined"]) == (2, 0, 0)
            till.kill9()
            till.start()
        assert till.post("pos", [{}], headers=key).status == 422, "a key belongs to its feed"
        assert till.post("invoices", line(InvoiceNo="4"), headers={"Idempotency-Key": "b"}).status == 202


def test_kinds_and_flags_of_lines(till):
    """Spec model 1.9, first match decides."""
    cases = [
        (line(InvoiceNo="1"), "gross", []),
        (line(InvoiceNo="2", UnitPrice=0), "gross", ["zero_price"]),
        (line(InvoiceNo="3", Description=None), "gross", ["no_description"]),
        (line(InvoiceNo="4", Quantity=-2), "return", []),
        (line(InvoiceNo="5", Quantity=-2, CustomerID=None), "adjustment", []),
        (line(InvoiceNo="C6", Quantity=-2), "return", []),
        (line(InvoiceNo="C7", Quantity=-2, CustomerID=None), "return", []),
        (line(InvoiceNo="C8", Quantity=2), "adjustment", []),
        (line(InvoiceNo="A9", Quantity=1), "adjustment", []),
        (line(InvoiceNo="10", UnitPrice=-1), "adjustment", []),
    ]
    assert till.post("invoices", [one for one, *_ in cases]).json["accepted"] == len(cases)
    till.get("/v1/status?after=latest")
    for one, kind, flags in cases:
        (shown,) = till.get(f"/v1/invoices/{one['InvoiceNo']}").json["lines"]
        assert (one["InvoiceNo"], shown["kind"]) == (one["InvoiceNo"], kind)
        assert set(flags) <= set(shown["flags"]), (one, shown)
