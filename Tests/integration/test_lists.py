"""Every list pages to its end: walked with small pages, and with more rows than the greatest page, against SQL."""

import contextlib
import sqlite3

import pytest
from messages import MENU, at, order, restaurant, sale, send, user
from support import line, new_till, running, totals

MANY = 1_050  # more than the greatest page of 1,000
SMALL = 37


@pytest.fixture(scope="module")
def till(tmp_path_factory):
    """Of everything that lists show, more than one page of 1,000 has; money in three currencies."""
    with running(new_till(tmp_path_factory.mktemp("lists"))) as till:
        lines = [
            line(InvoiceNo=f"{n:05}", StockCode=f"P{n:05}", CustomerID=10_000 + n, UnitPrice=1 + n % 7,
                 client_line_no="1",
                 Country=f"Land {n:04}", InvoiceDate=f"{1 + n % 28:02}/{1 + n % 12:02}/2010 08:26")
            for n in range(MANY)
        ]  # fmt: skip
        again = [{**one, "InvoiceNo": "7" + one["InvoiceNo"], "client_line_no": "1"} for one in lines]
        taken = [{**one, "InvoiceNo": "C" + one["InvoiceNo"], "Quantity": -1} for one in lines]
        for part in (lines, again, taken):
            assert till.post("invoices", part, headers={"X-Till-Run": "night"}).json["accepted"] == MANY
        send(till, "restaurants", restaurant("r1", "Kitchen", MENU))
        send(till, "users", user("u1", "One"))
        send(till, "orders", *[order(n + 1, "u1", "r1", MENU, ["p1", "p2"]) for n in range(3)])
        bad = till.post("pos", [sale("STORE_99", at(n), 1) for n in range(MANY)])
        assert bad.status == 422
        for n in range(5):
            assert till.post("pos", sale(f"STORE_{n + 1}", at(n), 2), headers={"X-Till-Run": f"r{n}"}).status == 202
        totals(till)
        yield till


def walk(till, path, size):
    """All items of a list, and how many pages they took."""
    found, cursor, pages = [], None, 0
    while pages == 0 or cursor is not None:
        reply = till.get(f"{path}{'&' if '?' in path else '?'}limit={size}{f'&cursor={cursor}' if cursor else ''}")
        assert reply.status == 200, (path, reply)
        shown = reply.json.get("items", reply.json.get("top"))
        assert len(shown) <= size, path
        assert len(shown) == size or reply.json["next"] is None, "only the last page is short"
        found += shown
        cursor = reply.json["next"]
        pages += 1
    return found, pages


def rows(till, sql):
    with contextlib.closing(sqlite3.connect(f"file:{till.data}/tables.sqlite?mode=ro", uri=True)) as tables:
        return tables.execute(sql).fetchone()[0]


VIEWS = {
    "sale": 2 * MANY + 8, "sale_line": 2 * MANY + 11, "return": MANY, "return_line": MANY, "adjustment": 0,
    "vw_TotalSales": 1,
    "vw_Top10SellingProducts": 10, "vw_AverageOrderValue": 1, "vw_CancelledOrders": MANY, "vw_CustomerStats": MANY,
    "vw_CustomerStats_without_cancellations": MANY,
}  # fmt: skip
LISTS = {
    "/v1/products/top": "SELECT COUNT(*) FROM product_total",
    "/v1/countries": "SELECT COUNT(*) FROM country WHERE name <> ''",
    "/v1/customers": "SELECT COUNT(*) FROM customer",
    "/v1/customers/summary": "SELECT COUNT(*) FROM (SELECT 1 FROM customer_total GROUP BY customer_id "
    "HAVING SUM(orders) > 1)",
    "/v1/quarantine": "SELECT COUNT(*) FROM quarantine",
    "/v1/runs": "SELECT COUNT(*) FROM run WHERE name <> ''",
    "/v1/stores": "SELECT COUNT(*) FROM store",
    "/v1/windows": "SELECT COUNT(*) FROM store_window",
    "/v1/parked": "SELECT COUNT(*) FROM parked",
    "/v1/late": "SELECT COUNT(*) FROM late_sale",
    "/v1/conflicts": "SELECT COUNT(*) FROM version WHERE outcome = 1",
    "/v1/senders": "SELECT COUNT(*) FROM sender",
    "/v1/windows/revisions": "SELECT COUNT(*) FROM window_revision",
    "/v1/users/orders:u1/products": "SELECT COUNT(*) FROM user_product",
    "/v1/users/orders:u1/categories": "SELECT COUNT(*) FROM user_category",
    "/v1/customers/orders:u1/orders": "SELECT COUNT(*) FROM document WHERE source = 'orders'",
    "/v1/customers/invoices:10003/returns": "SELECT 1",
    **{f"/v1/views/{view}": f'SELECT COUNT(*) FROM "{view}"' for view in VIEWS},
    "/v1/views/vw_SalesByTime": 'SELECT COUNT(*) FROM "vw_SalesByTime"',
}


@pytest.mark.parametrize("path", LISTS)
def test_a_list_shows_every_row_once(till, path):
    expected = rows(till, LISTS[path])
    whole, pages = walk(till, path, 1_000)
    assert len(whole) == expected and (pages > 1) == (expected > 1_000), (len(whole), expected, pages)
    assert len({repr(item) for item in whole}) == expected, "no row twice"
    small, _ = walk(till, path, SMALL)
    assert small == whole, "the size of the pages changes neither rows nor their order"


@pytest.mark.parametrize("view", VIEWS)
def test_views_have_the_rows_that_were_sent(till, view):
    assert rows(till, f'SELECT COUNT(*) FROM "{view}"') == VIEWS[view]


def test_every_list_is_walked(till):
    """A list of the document that nobody walks here could be cut."""
    paths = till.get("/v1/openapi.json").json["paths"]
    paged = {
        path for path, item in paths.items()
        if any(one["name"] == "cursor" for one in item.get("get", {}).get("parameters", []))
    }  # fmt: skip
    walked = {path.replace("orders:u1", "{id}").replace("invoices:10003", "{id}") for path in LISTS}
    walked = {"/v1/views/{view}" if path.startswith("/v1/views/") else path for path in walked}
    assert paged - walked == {"/v1/windows/{store}/{start}/revisions"}, "that one is walked in test_windows.py"
    endless = {
        path for path in paths if path not in paged and "limit" in str(paths[path].get("get", {}).get("parameters"))
    }
    assert endless == set(), "a list with a limit has pages"


def test_lists_inside_an_answer_say_when_they_are_cut(till):
    """The latest cancellations beside their sums, and the items that an order names. Last: it adds documents."""
    found = till.get("/v1/cancellations").json
    assert (len(found["documents"]), found["documents_truncated"], found["total"]["documents"]) == (20, True, MANY)
    # 9,300 lines of a thousand million each are more than 64 bits hold.
    great = [
        line(InvoiceNo=f"C{name}", CustomerID=9, Quantity=-1, UnitPrice=1_000_000_000, client_line_no=str(n),
             InvoiceDate="01/06/2031 08:26", Country="Great")
        for name, count in (("GREAT", 93_000), ("SMALL", 2)) for n in range(count)
    ]  # fmt: skip
    for start in range(0, len(great), 31_000):
        assert till.post("invoices", great[start : start + 31_000]).status == 202
    totals(till)
    one = till.get("/v1/cancellations?from=2031-06-01&to=2031-06-01").json
    assert one["documents_truncated"] is False
    assert [d["amount"] for d in one["documents"]] == ["-2000000000.00", "-93000000000000.00"]
    orders = till.get("/v1/customers/invoices:9/orders").json["items"]
    assert [(o["number"], o["items_truncated"]) for o in orders] == [("CSMALL", False), ("CGREAT", True)]
    assert orders[1]["items_purchased"].count(",") == 499
