"""Figures by date and country where not everything is closed, of one currency, or of one day; test_figures.py has the
public file, whose documents all are.

Sales come with a contract that takes the payment method for the country: failed ones have a country too.
"""

import pytest
from conftest import ROOT
from messages import at, changed_contract, sale, send
from support import line, new_till, pages, running, till_command, totals

CARD, CASH = "credit_card", "cash"


@pytest.fixture(scope="module")
def till(tmp_path_factory):
    directory = tmp_path_factory.mktemp("filter")
    old = "    payment_method: payment_method\n"
    config = changed_contract(directory, ROOT, "pos", old, old + "    country: payment_method\n")
    with running(new_till(directory, "--config", config)) as till:
        for second, method, amount, status in (
            (0, CARD, 5, "success"), (1, CARD, 7, "failed"), (2, CASH, 11, "success"), (3, CARD, 13, "success"),
        ):  # fmt: skip
            found = sale("STORE_1", at(second), amount, payment_method=method, payment_status=status)
            found["receipt"]["payment_method"] = method
            send(till, "pos", {**found, "customer_id": "C1"})
        night = {"InvoiceNo": "600", "CustomerID": 1, "Country": "Atlantis", "UnitPrice": 10}
        invoices = [
            # Over midnight: the order is of the first day.
            line(**night, Quantity=1, InvoiceDate="14/11/2024 23:59", StockCode="A", client_line_no="1"),
            line(**night, Quantity=2, InvoiceDate="15/11/2024 00:01", StockCode="A", client_line_no="2"),
            line(**{**night, "InvoiceNo": "C600"}, Quantity=-1, InvoiceDate="15/11/2024 09:00", StockCode="A"),
            line(**{**night, "InvoiceNo": "601", "Country": "Thule"}, Quantity=5, InvoiceDate="15/11/2024 09:00"),
            line(**{**night, "InvoiceNo": "602"}, Quantity=1, StockCode="POST", InvoiceDate="15/11/2024 10:00"),
        ]
        assert till.post("invoices", invoices).json["accepted"] == 5
        totals(till)
        yield till


def figures(till, query):
    (one,) = till.get(f"/v1/sales/total?{query}").json["totals"]
    return one["currency"], one["gross"], one["returns"], one["orders"], one["units"]


def test_what_is_not_closed_has_no_country(till):
    assert figures(till, f"country={CARD}") == ("EUR", "18.00", "0.00", 2, 2)
    assert figures(till, f"country={CASH}") == ("EUR", "11.00", "0.00", 1, 1)
    (bread,) = till.get(f"/v1/products/top?country={CARD}").json["items"]
    assert (bread["code"], bread["gross"], bread["units"], bread["currency"]) == ("Bread", "18.00", 2, "EUR")
    for definition in ("native", "reference"):
        (average,) = till.get(f"/v1/sales/average-order-value?country={CARD}&definition={definition}").json["items"]
        assert (average["average"], average["orders"]) == ("9.00", 2)
    for cancellations in ("include", "exclude"):
        found = till.get(f"/v1/customers/summary?country={CARD}&cancellations={cancellations}").json
        assert (found["total_customers"], found["loyal_customers"], found["most_orders"]) == (1, 1, 2)


def test_money_is_of_the_day_of_its_line_and_an_order_of_its_first(till):
    assert figures(till, "country=Atlantis&from=2024-11-14&to=2024-11-14") == ("GBP", "10.00", "0.00", 1, 1)
    assert figures(till, "country=Atlantis&from=2024-11-15&to=2024-11-15") == ("GBP", "30.00", "10.00", 1, 3)
    top = till.get("/v1/products/top?country=Atlantis&from=2024-11-15&to=2024-11-15").json["items"]
    assert [(item["code"], item["gross"], item["units"]) for item in top] == [("A", "20.00", 2), ("POST", "10.00", 1)]
    goods = till.get("/v1/products/top?country=Atlantis&exclude_non_products=true").json["items"]
    assert [(item["code"], item["gross"]) for item in goods] == [("A", "30.00")]
    cancelled = till.get("/v1/cancellations?country=Atlantis&from=2024-11-15").json
    assert cancelled["total"] == {"documents": 1, "amounts": [{"amount": "-10.00", "currency": "GBP"}]}
    assert [item["number"] for item in cancelled["documents"]] == ["C600"]
    assert till.get("/v1/cancellations?country=Thule").json["total"]["documents"] == 0
    for query, counted in (("exclude", 2), ("include", 3)):
        found = till.get(f"/v1/customers/summary?country=Atlantis&cancellations={query}").json
        assert (found["total_customers"], found["loyal_customers"], found["most_orders"]) == (1, 1, counted)


def test_a_range_of_all_days_leaves_nothing_out(till):
    everything = "from=1970-01-01&to=2100-01-01"
    for path in (
        "/v1/sales/total?", "/v1/sales/total?definition=reference&", "/v1/sales/average-order-value?",
        "/v1/sales/average-order-value?definition=reference&", "/v1/products/top?", "/v1/cancellations?",
        "/v1/customers/summary?", "/v1/customers/summary?cancellations=include&",
    ):  # fmt: skip
        assert till.get(path + everything).json == till.get(path).json, path


def test_countries_are_listed_and_their_figures_add_up(till):
    countries = [item["country"] for item in pages(till, "/v1/countries", 1)]
    assert countries == sorted(["Atlantis", "Thule", CARD, CASH])
    gross = sum(float(figures(till, f"country={country}")[1]) for country in countries)
    assert gross == 119 == sum(float(one["gross"]) for one in till.get("/v1/sales/total").json["totals"])
    for path in ("/v1/sales/total", "/v1/overview", "/v1/products/top", "/v1/cancellations", "/v1/customers/summary"):
        unknown = till.get(f"{path}?country=atlantes")
        assert unknown.status == 400, path
        assert 'give a country of /v1/countries, such as "Atlantis"' in unknown.json["error"]["message"]
    assert till_command("prove", "--data", till.data).returncode == 0
