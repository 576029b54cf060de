"""The table of inputs of the invoices specification, section 3, on both paths: codes, bodies, reasons."""

import json

import pytest
from support import JSON, line, raw_line


def native(till, body):
    return till.post("invoices", body)


def compatible(till, body):
    return till.request("POST", "/invoicedata", body, JSON)


ACCEPTED = {
    "as specified": (line(), {}),
    "int InvoiceNo": (line(InvoiceNo=536365), {"InvoiceNo": "536365"}),
    "CustomerID 17850.0": (raw_line("CustomerID", "17850.0"), {"CustomerID": 17850}),
    "CustomerID null": (line(CustomerID=None), {"CustomerID": None}),
    "CustomerID missing": (line(CustomerID=...), {"CustomerID": None}),
    "customerName missing": (line(customerName=...), {"customerName": None}),
    "customerName empty": (line(customerName=""), {"customerName": None}),
    "CustomerName": ({**line(customerName=...), "CustomerName": "Customer B"}, {"customerName": "Customer B"}),
    "Description null": (line(Description=None), {"Description": None}),
    "Description empty": (line(Description=""), {"Description": None}),
    "Quantity negative": (line(InvoiceNo="C536379", Quantity=-1), {"InvoiceNo": "C536379", "Quantity": -1}),
    "UnitPrice 0": (line(UnitPrice=0), {"UnitPrice": 0}),
    "UnitPrice -11062.06": (line(InvoiceNo="A506401", Quantity=1, UnitPrice=-11062.06),
                            {"InvoiceNo": "A506401", "Quantity": 1, "UnitPrice": -11062.06}),
    "date of single digits": (line(InvoiceDate="1/2/2010 8:5"), {"InvoiceDate": "01-02-2010 08:05:00"}),
    "day before month": (line(InvoiceDate="12/01/2010 08:26"), {"InvoiceDate": "12-01-2010 08:26:00"}),
    "ISO date in winter": (line(InvoiceDate="2010-12-01T08:26:00Z"), {"InvoiceDate": "01-12-2010 08:26:00"}),
    "ISO date in summer": (line(InvoiceDate="2010-06-01T08:26:00+01:00"), {"InvoiceDate": "01-06-2010 08:26:00"}),
    "Unicode": (line(Description="CAFÉ « Ω » 🏬 /"), {"Description": "CAFÉ « Ω » 🏬 /"}),
    "five fraction digits": (raw_line("UnitPrice", "0.00001"), {"UnitPrice": 0.00001}),
    "price as 255e-2": (raw_line("UnitPrice", "255e-2"), {"UnitPrice": 2.55}),
}  # fmt: skip

# Input, field and a rule that must be among the reasons.
REJECTED = {
    "Quantity 1.5": (line(Quantity=1.5), "Quantity"),
    "Quantity 0": (line(Quantity=0), "Quantity"),
    "Quantity 80995000000": (line(Quantity=80_995_000_000), "Quantity"),
    "Quantity null": (line(Quantity=None), "Quantity"),
    "price NaN": (raw_line("UnitPrice", "NaN"), None),
    "price Infinity": (raw_line("UnitPrice", "-Infinity"), None),
    "price as text": (line(UnitPrice="NaN"), "UnitPrice"),
    "price beyond 10^9 a line": (line(Quantity=1_000_000, UnitPrice=1_000.01), "UnitPrice"),
    "price 1e400": (raw_line("UnitPrice", "1e400"), "UnitPrice"),
    "InvoiceNo missing": (line(InvoiceNo=...), "InvoiceNo"),
    "StockCode null": (line(StockCode=None), "StockCode"),
    "Country missing": (line(Country=...), "Country"),
    "CustomerID 17850.5": (line(CustomerID=17850.5), "CustomerID"),
    "CustomerID as text": (line(CustomerID="A17"), "CustomerID"),
    "Description of 256 letters": (line(Description="x" * 256), "Description"),
    "InvoiceNo of 21 letters": (line(InvoiceNo="5" * 21), "InvoiceNo"),
    "text instead of an object": (b'"hello"', None),
    "number instead of an object": (b"7", None),
    "not JSON": (b"{InvoiceNo: 1}", None),
    "cut off": (json.dumps(line()).encode()[:-1], None),
    "text after the object": (json.dumps(line()).encode() + b"x", None),
    "bytes that are not UTF-8": (json.dumps(line(Description="@")).encode().replace(b"@", b"\xff\xfe"), None),
    "lone surrogate": (json.dumps(line(Description="@")).encode().replace(b"@", b"\\ud800"), None),
    "duplicate key": (json.dumps(line()).encode().replace(b"{", b'{"Quantity":6,', 1), None),
}

BAD_DATES = [
    "01/12/2010 08:26:00", "12/31/2010 08:26", "", "31/02/2010 08:26", "01/12/2010", "01/12/2010 25:00",
    "01/12/2010 8:26 ", "yesterday",
]  # fmt: skip


@pytest.mark.parametrize("name", ACCEPTED)
def test_accepted(server, name):
    body, shown = ACCEPTED[name]
    reply = native(server, body)
    assert reply.status == 202, reply
    answer = reply.json
    assert (answer["accepted"], answer["rejected"]) == (1, [])
    assert answer["position"].startswith("feed.invoices/0:")
    reply = compatible(server, body)
    assert reply.status == 201, reply
    assert reply.json == {**line(), "InvoiceDate": "01-12-2010 08:26:00", **shown}
    assert list(reply.json) == list(line()), "the nine fields in the order of the specification"


@pytest.mark.parametrize("name", REJECTED)
def test_rejected(server, name):
    body, field = REJECTED[name]
    reply = native(server, body)
    assert reply.status == 422, reply
    (rejected,) = reply.json["rejected"]
    assert rejected["index"] == 0 and rejected["reasons"]
    for reason in rejected["reasons"]:
        assert set(reason) == {"rule", "field", "value", "message"} and reason["rule"] and reason["message"]
    if field:
        assert field in {reason["field"] for reason in rejected["reasons"]}
    reply = compatible(server, body)
    assert reply.status == 422, reply
    assert reply.json["detail"] and all({"loc", "msg", "type"} <= set(reason) for reason in reply.json["detail"])
    if field:
        assert ["body", field] in [reason["loc"] for reason in reply.json["detail"]]


@pytest.mark.parametrize("date", BAD_DATES)
def test_bad_date(server, date):
    """400 with the item and the reason where the reference system answers so; 422 with the reason natively."""
    item = line(InvoiceDate=date)
    reply = compatible(server, item)
    assert reply.status == 400, reply
    assert reply.json["item"] == item and "InvoiceDate" in reply.json["detail"]
    reply = native(server, item)
    assert reply.status == 422, reply
    assert {reason["field"] for reason in reply.json["rejected"][0]["reasons"]} == {"InvoiceDate"}


def test_a_local_time_that_never_was_is_rejected(server):
    assert native(server, line(InvoiceDate="28/03/2010 01:30")).status == 422
    assert compatible(server, line(InvoiceDate="28/03/2010 01:30")).status == 400
    assert native(server, line(InvoiceDate="31/10/2010 01:30")).status == 202, "twice that night: the first counts"


def test_quantity_as_text_is_read_only_on_the_compatible_path(server):
    item = line(Quantity="6")
    assert native(server, item).status == 422
    reply = compatible(server, item)
    assert reply.status == 201 and reply.json["Quantity"] == 6, reply


def test_more_than_five_fraction_digits(server):
    """Rejected natively; the compatibility profile rounds half away from zero (spec model 1.3)."""
    assert native(server, raw_line("UnitPrice", "2.000005")).status == 422
    reply = compatible(server, raw_line("UnitPrice", "2.000005"))
    assert reply.status == 201, reply
    assert reply.json["UnitPrice"] == 2.00001


def test_all_reasons_at_once(server):
    bad = line(Quantity=0, UnitPrice="x", StockCode=None, InvoiceDate="yesterday")
    wanted = {"Quantity", "UnitPrice", "StockCode", "InvoiceDate"}
    reply = native(server, bad)
    assert reply.status == 422, reply
    assert {reason["field"] for reason in reply.json["rejected"][0]["reasons"]} == wanted
    reply = compatible(server, bad)
    assert reply.status == 422, "a bad date among other mistakes is not answered as a date alone"
    assert {reason["loc"][-1] for reason in reply.json["detail"]} == wanted


def test_the_value_in_a_reason_is_the_value_sent(server):
    (reason,) = native(server, line(Quantity=1.5)).json["rejected"][0]["reasons"]
    assert (reason["field"], reason["value"]) == ("Quantity", "1.5")
