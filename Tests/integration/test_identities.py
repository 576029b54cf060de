"""Who may do what: every identity on every path, credentials, and listening for others."""

import base64
import hashlib
import json

import pytest
from conftest import free_port
from support import (
    DONE,
    FAILED,
    USAGE,
    ended,
    line,
    new_till,
    running,
    till_command,
)

SCOPES = {
    "writer": ["ingest:invoices"], "anywriter": ["ingest:*"], "other": ["ingest:corner-shop"], "sales": ["read:sales"],
    "customers": ["read:customers"], "operator": ["operate"], "nobody": [],
}  # fmt: skip
# Path → scopes of which one is enough; None: open to everyone.
NEEDS = {
    ("POST", "/v1/feeds/invoices"): {"ingest:invoices", "ingest:*"},
    ("POST", "/invoicedata"): {"ingest:invoices", "ingest:*"},
    ("POST", "/v1/feeds/corner-shop"): {"ingest:corner-shop", "ingest:*"},
    ("GET", "/"): {"read:sales"},
    ("GET", "/v1/sales/total"): {"read:sales"},
    ("GET", "/v1/sales/over-time"): {"read:sales"},
    ("GET", "/v1/sales/average-order-value"): {"read:sales"},
    ("GET", "/v1/products/top"): {"read:sales"},
    ("GET", "/v1/cancellations"): {"read:sales"},
    ("GET", "/v1/views/vw_TotalSales"): {"read:sales"},
    ("GET", "/v1/openapi.json"): {"read:sales"},
    ("GET", "/v1/views/vw_CustomerStats"): {"read:customers"},
    ("GET", "/v1/views/sale"): {"read:customers"},
    ("GET", "/v1/customers"): {"read:customers"},
    ("GET", "/v1/customers/summary"): {"read:customers"},
    ("GET", "/v1/customers/17850/spend"): {"read:customers"},
    ("GET", "/v1/customers/17850/orders"): {"read:customers"},
    ("GET", "/v1/customers/17850/returns"): {"read:customers"},
    ("GET", "/v1/invoices/536365"): {"read:customers"},
    ("GET", "/v1/countries"): {"read:sales"},
    ("GET", "/v1/windows"): {"read:sales"},
    ("GET", "/v1/windows/revisions"): {"read:sales"},
    ("GET", "/v1/late"): {"read:sales"},
    ("GET", "/v1/stores"): {"read:sales"},
    ("GET", "/streams.css"): {"read:sales"},
    ("GET", "/v1/users/17850/products"): {"read:customers"},
    ("GET", "/v1/users/17850/categories"): {"read:customers"},
    ("GET", "/v1/quarantine"): {"operate"},
    ("GET", "/v1/quarantine/1"): {"operate"},
    ("GET", "/v1/quarantine/rules"): {"operate"},
    ("POST", "/v1/quarantine/redrive"): {"operate"},
    ("POST", "/v1/quarantine/discard"): {"operate"},
    ("GET", "/v1/parked"): {"operate"},
    ("GET", "/v1/conflicts"): {"operate"},
    ("GET", "/v1/references"): {"operate"},
    ("GET", "/v1/senders"): {"operate"},
    ("GET", "/v1/proof"): {"operate"},
    ("GET", "/v1/runs/r"): {"operate"},
    ("GET", "/v1/status"): {"operate"},
    ("GET", "/metrics"): {"operate"},
    ("GET", "/nothing"): {"operate"},
    ("GET", "/health"): None,
    ("GET", "/health/live"): None,
    ("GET", "/health/ready"): None,
}


def secret(name):
    return f"secret of {name}: ü"


def identities(directory):
    config = directory / "identities.yaml"
    entries = [
        {"name": name, "secret_sha256": hashlib.sha256(secret(name).encode()).hexdigest(), "scopes": scopes}
        for name, scopes in SCOPES.items()
    ]
    config.write_text("identities:\n" + "".join(f"  - {json.dumps(entry)}\n" for entry in entries))
    return config


def basic(name, password):
    return {"Authorization": "Basic " + base64.b64encode(f"{name}:{password}".encode()).decode()}


def test_every_identity_on_every_path(directory):
    with running(new_till(directory, "--config", identities(directory))) as till:
        for (method, path), enough in NEEDS.items():
            body = json.dumps(line()) if method == "POST" else None
            anonymous = till.request(method, path, body)
            if enough is None:
                assert anonymous.status == 200, path
                continue
            assert anonymous.status == 401 and anonymous.headers["www-authenticate"].startswith("Basic"), path
            assert anonymous.json["error"]["code"] == "identity_unknown"
            for name, scopes in SCOPES.items():
                reply = till.request(method, path, body, basic(name, secret(name)))
                if enough & set(scopes):
                    assert reply.status not in (401, 403), (name, path, reply)
                else:
                    assert reply.status == 403, (name, path, reply)
                    assert reply.json["error"]["code"] == "scope_missing"
        assert totals_as(till, "operator")["received"] == 4, "what was refused is not stored"
        assert till.get("/health/startup").status == 404, "a probe of another name is told, not asked who it is"
        assert till.get("/metrics/").status == 401


def totals_as(till, name):
    return till.get("/v1/status?after=latest", basic(name, secret(name))).json["totals"]


def test_wrong_credentials(directory):
    with running(new_till(directory, "--config", identities(directory))) as till:
        token = base64.b64encode(b"no colon").decode()
        wrong = [
            basic("sales", "guess"), basic("sales", ""), basic("sales", secret("operator")), basic("", secret("sales")),
            basic("Sales", secret("sales")), {"Authorization": "Bearer guess"}, {"Authorization": "Bearer "},
            {"Authorization": "Basic ???"}, {"Authorization": f"Basic {token}"}, {"Authorization": "Basic"},
            {"Authorization": f"Digest {token}"}, {"Authorization": ""},
        ]  # fmt: skip
        for headers in wrong:
            assert till.get("/v1/sales/total", headers).status == 401, headers
        assert till.get("/v1/sales/total", basic("sales", secret("sales"))).status == 200
        bearer = {"Authorization": b"Bearer " + secret("sales").encode()}
        assert till.get("/v1/sales/total", bearer).status == 200
        lower = {"Authorization": b"bearer " + secret("sales").encode()}
        assert till.get("/v1/sales/total", lower).status == 200
        assert till.get("/v1/customers", bearer).status == 403
        for name in SCOPES:
            assert secret(name).encode() not in till.log_path.read_bytes()


def test_loading_with_an_identity(directory):
    rows = directory / "a.ndjson"
    rows.write_text("".join(json.dumps(line(client_line_no=str(n))) + "\n" for n in range(10)))
    config = directory / "till.yaml"
    digest = hashlib.sha256(b"open").hexdigest()
    config.write_text(f"identities:\n  - {{ name: loader, secret_sha256: {digest}, scopes: ['ingest:invoices'] }}\n")
    with running(new_till(directory, "--config", config)) as till:
        target = till.url.replace("http://", "http://loader:open@")
        assert "read 10 = distinct 10" in ended(till_command("ingest", "invoices", rows, "--to", target), DONE)
        head = {"Authorization": "Basic " + base64.b64encode(b"loader:open").decode()}
        for path, status in (("/v1/runs/x?feed=invoices", 404), ("/v1/runs/x?feed=pos", 403), ("/v1/runs/x", 403),
                             ("/v1/contracts/invoices", 200), ("/v1/contracts/pos", 403)):  # fmt: skip
            assert till.get(path, head).status == status, path
        wrong = till_command("ingest", "invoices", rows, "--to", target.replace("open", "closed"))
        assert wrong.returncode in (FAILED, USAGE) and b"401" in wrong.stderr + wrong.stdout, wrong


@pytest.mark.parametrize("host", ["0.0.0.0", "[::]", "192.0.2.1"])
def test_listening_for_others_needs_identities(directory, host):
    text = ended(till_command("up", "--data", directory / "d", "--listen", f"{host}:{free_port()}"), USAGE)
    assert "identities" in text
    assert not (directory / "d").exists()


def test_listening_for_others_with_identities(directory):
    till = new_till(directory, "--config", identities(directory))
    till._port = free_port()
    till.arguments += ["--listen", f"0.0.0.0:{till._port}"]
    with running(till):
        assert till.get("/v1/sales/total").status == 401


FOREIGN = [
    ("GET", {"Host": "evil.example"}, "host_not_local"),
    ("GET", {"Host": "127.0.0.1.evil.example:80"}, "host_not_local"),
    ("POST", {"Host": "localhost.evil.example"}, "host_not_local"),
    ("GET", {"Host": "[::1]evil.example"}, "host_not_local"), ("GET", {"Host": "[::1]:80evil"}, "host_not_local"),
    ("GET", {"Host": "localhost:80evil"}, "host_not_local"), ("GET", {"Host": "127.1.2"}, "host_not_local"),
    ("GET", {"Host": "127.0.0.256"}, "host_not_local"), ("GET", {"Host": "notlocalhost"}, "host_not_local"),
    ("POST", {"Origin": "http://localhost:80@evil.example"}, "origin_not_local"),
    ("POST", {"Origin": "http://evil.example"}, "origin_not_local"), ("POST", {"Origin": "null"}, "origin_not_local"),
    ("POST", {"Origin": "http://127.0.0.1@evil.example"}, "origin_not_local"),
]  # fmt: skip
OWN = [
    {"Host": "localhost"}, {"Host": "LOCALHOST:8080"}, {"Host": "[::1]:80"}, {"Host": "127.1.2.3"},
    {"Host": "till.localhost"},
    {"Origin": "http://localhost:3000"}, {"Origin": "http://127.0.0.1:8080"}, {"Origin": "http://[::1]:8080"},
]  # fmt: skip


def test_pages_of_other_sites_reach_no_till_without_identities(directory):
    """A browser on this machine sends what any page says, and reads it where the page's name leads to loopback."""
    with running(new_till(directory)) as till:
        for method, headers, code in FOREIGN:
            path = "/v1/sales/total" if method == "GET" else "/v1/feeds/invoices"
            reply = till.request(method, path, None if method == "GET" else json.dumps(line()).encode(), headers)
            assert (reply.status, reply.json["error"]["code"]) == (403, code), (headers, reply)
            (named,) = headers.values()
            assert named in reply.json["error"]["message"] and "identities" in reply.json["error"]["message"]
        assert till.get("/health/ready", {"Host": "10.0.0.7"}).status == 200, "probes use any name"
        assert till.get("/v1/sales/total?after=latest").json["totals"] == [], "nothing was stored"
        for headers in OWN:
            assert till.get("/v1/sales/total", headers).status == 200, headers
            assert till.request("POST", "/v1/feeds/invoices", json.dumps(line()).encode(), headers).status == 202, (
                headers
            )
    with running(new_till(directory, "--config", identities(directory))) as till:
        known = base64.b64encode(f"sales:{secret('sales')}".encode()).decode()
        head = {"Authorization": "Basic " + known, "Host": "till.example"}
        assert till.get("/v1/sales/total", head).status == 200, "with identities any name may be used"
