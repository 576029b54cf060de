"""An identity of one customer: own documents, and nothing else."""

import hashlib

from support import line, new_till, running
from test_identities import basic, configured


def test_a_customer_sees_own_documents_only(directory):
    digest = hashlib.sha256(b"open").hexdigest()
    config = configured(
        directory,
        {"name": "all", "secret_sha256": digest, "scopes": ["ingest:*", "read:customers", "read:sales", "operate"]},
        {"name": "ann", "secret_sha256": digest, "scopes": ["read:customer:invoices:17850"]},
        {"name": "nobody", "secret_sha256": digest, "scopes": ["read:customer:invoices:1"]},
    )
    with running(new_till(directory, "--config", config)) as till:
        everyone, ann, nobody = (basic(name, "open") for name in ("all", "ann", "nobody"))
        lines = [
            line(InvoiceNo="A1"), line(InvoiceNo="A2", CustomerID=13047), line(InvoiceNo="A3", CustomerID=None),
            line(InvoiceNo="CA4", Quantity=-1),
        ]  # fmt: skip
        assert till.post("invoices", lines, headers=everyone).json["accepted"] == 4
        assert till.get("/v1/status?after=latest&wait_ms=30000", everyone).status == 200
        own = ["/v1/invoices/invoices:A1", "/v1/invoices/invoices:CA4"]
        own += [f"/v1/customers/invoices:17850/{what}" for what in ("spend", "orders", "returns")]
        for path in own:
            assert till.get(path, ann).status == 200 and till.get(path, ann).body == till.get(path, everyone).body, path
            assert till.get(path, nobody).status == 404, path
        # What there is of others looks like what there is not: the same words, and the key that was asked for.
        for there, missing in (
            ("/v1/invoices/invoices:A2", "/v1/invoices/invoices:Z2"),
            ("/v1/invoices/invoices:A3", "/v1/invoices/invoices:Z3"),
            ("/v1/invoices/A2", "/v1/invoices/Z2"),
            ("/v1/customers/invoices:13047/orders", "/v1/customers/invoices:99999/orders"),
            ("/v1/customers/13047/spend", "/v1/customers/99999/spend"),
        ):  # fmt: skip
            found, absent = till.get(there, ann), till.get(missing, ann)
            assert (found.status, absent.status) == (404, 404)
            keys = [path.split("/")[3].split(":")[-1] for path in (there, missing)]
            assert found.body.replace(keys[0].encode(), b"") == absent.body.replace(keys[1].encode(), b"")
        for path in (
            "/v1/customers", "/v1/customers/summary", "/v1/sales/total", "/v1/views/sale", "/v1/status", "/",
            "/v1/overview",
            "/v1/views/vw_TotalSales", "/v1/quarantine", "/metrics", "/v1/events",
        ):  # fmt: skip
            assert till.get(path, ann).status in (403, 404) and till.get(path, ann).status != 200, path
        assert till.post("invoices", line(), headers=ann).status == 403
