"""Who may do what: every identity on every path, credentials, and listening for others."""

import base64
import hashlib
import json

import pytest
from conftest import free_port, wait_until
from support import (
    DONE,
    FAILED,
    JSON,
    USAGE,
    ended,
    line,
    new_till,
    running,
    till_command,
)

SCOPES = {
    "writer": ["ingest:invoices"], "anywriter": ["ingest:*"], "other": ["ingest:pos"], "sales": ["read:sales"],
    "customers": ["read:customers"], "operator": ["operate"], "scraper": ["read:metrics"],
}  # fmt: skip
# Path → scopes of which one is enough; None: open to everyone.
NEEDS = {
    ("POST", "/v1/feeds/invoices"): {"ingest:invoices", "ingest:*"},
    ("POST", "/invoicedata"): {"ingest:invoices", "ingest:*"},
    ("POST", "/v1/feeds/pos"): {"ingest:pos", "ingest:*"},
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
    ("GET", "/v1/runs"): {"operate"},
    ("GET", "/v1/overview"): {"read:sales"},
    ("GET", "/v1/quarantine/count"): {"operate"},
    ("GET", "/v1/status"): {"operate"},
    ("GET", "/metrics"): {"operate", "read:metrics"},
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
            body = line() if method == "POST" else None
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
        assert totals_as(till, "operator")["received"] == 6, "what was refused is not stored"
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
            wait_until(lambda: till.get("/v1/sales/total", headers).status == 401, 20, headers)  # noqa: B023
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
    ("POST", {"Origin": "http://localhost:80@evil.example"}, "origin_foreign"),
    ("POST", {"Origin": "http://evil.example"}, "origin_foreign"), ("POST", {"Origin": "null"}, "origin_foreign"),
    ("POST", {"Origin": "http://127.0.0.1@evil.example"}, "origin_foreign"),
]  # fmt: skip
OWN = [
    {"Host": "localhost"}, {"Host": "LOCALHOST:8080"}, {"Host": "[::1]:80"}, {"Host": "127.1.2.3"},
    {"Host": "till.localhost"},
    {"Origin": "http://localhost:3000", "Host": "localhost:3000"},
    {"Origin": "https://LOCALHOST", "Host": "localhost"}, {"Sec-Fetch-Site": "same-origin"}, {"Sec-Fetch-Site": "none"},
]  # fmt: skip


def test_pages_of_other_sites_reach_no_till_without_identities(directory):
    """A browser on this machine sends what any page says, and reads it where the page's name leads to loopback."""
    with running(new_till(directory)) as till:
        for method, headers, code in FOREIGN:
            path = "/v1/sales/total" if method == "GET" else "/v1/feeds/invoices"
            reply = till.request(method, path, None if method == "GET" else line(), headers)
            assert (reply.status, reply.json["error"]["code"]) == (403, code), (headers, reply)
            (named,) = headers.values()
            remedy = "identities" if code == "host_not_local" else "a page of till's own address"
            assert named in reply.json["error"]["message"] and remedy in reply.json["error"]["message"]
        assert till.get("/health/ready", {"Host": "10.0.0.7"}).status == 200, "probes use any name"
        assert till.get("/v1/sales/total?after=latest").json["totals"] == [], "nothing was stored"
        for headers in OWN:
            assert till.get("/v1/sales/total", headers).status == 200, headers
            assert till.request("POST", "/v1/feeds/invoices", json.dumps(line()), {**JSON, **headers}).status == 202, (
                headers
            )
    with running(new_till(directory, "--config", identities(directory))) as till:
        known = base64.b64encode(f"sales:{secret('sales')}".encode()).decode()
        head = {"Authorization": "Basic " + known, "Host": "till.example"}
        assert till.get("/v1/sales/total", head).status == 200, "with identities any name may be used"


CROSS = [
    {"Origin": "http://evil.example"}, {"Origin": "null"}, {"Origin": "http://127.0.0.1:1"},
    {"Origin": "http://127.0.0.1@evil.example"}, {"Sec-Fetch-Site": "cross-site"}, {"Sec-Fetch-Site": "same-site"},
]  # fmt: skip
CHANGING = [
    "/v1/feeds/invoices", "/invoicedata", "/validation-service/api/v1/pos/validate_transaction",
    "/v1/quarantine/redrive", "/v1/quarantine/discard",
]  # fmt: skip


@pytest.mark.parametrize("known", [False, True])
def test_pages_of_other_origins_change_nothing(directory, known):
    """A browser adds the credentials it knows to what any page sends: identities alone do not stop it."""
    with running(new_till(directory, *(["--config", identities(directory)] if known else []))) as till:
        for path in CHANGING:
            name = "operator" if "quarantine" in path else "anywriter"
            who = basic(name, secret(name)) if known else {}
            for headers in CROSS:
                for typed in (JSON, {}):
                    reply = till.request("POST", path, json.dumps(line()), {**who, **headers, **typed})
                    assert (reply.status, reply.json["error"]["code"]) == (403, "origin_foreign"), (path, headers)
                    assert next(iter(headers.values())) in reply.json["error"]["message"]
            assert till.request("POST", path, json.dumps(line()), who).status == 415, "a body without a type"
        who = basic("operator", secret("operator")) if known else {}
        assert till.get("/v1/status?after=latest", who).json["totals"]["received"] == 0
        for headers in CROSS:
            assert till.get("/health", headers).status == 200, "reading is not changing"


def test_paths_of_reference_systems_are_off_unless_configured(directory):
    till = new_till(directory)
    till.compatibility = False
    with running(till):
        assert b"Bonjour" not in till.get("/", {"Accept": "*/*"}).body
        for method, path in [
            ("POST", "/invoicedata"), ("POST", "/validation-service/api/v1/pos/validate_transaction"),
            ("GET", "/validation-service/api/v1/health"),
        ]:  # fmt: skip
            assert till.request(method, path, line() if method == "POST" else None).status == 404, path


def scrypt_of(text):
    return ended(till_command("identity", "hash", stdin=text.encode()), DONE).strip()


def configured(directory, *entries):
    config = directory / "till.yaml"
    config.write_text("identities:\n" + "".join(f"  - {json.dumps(entry)}\n" for entry in entries))
    return config


def test_secrets_as_slow_hashes_and_files(directory):
    (directory / "secret").write_text("from a file\n")
    hashed = scrypt_of("slow secret\n")
    assert hashed.startswith("scrypt:") and hashed != scrypt_of("slow secret"), "each has its own salt"
    config = configured(
        directory,
        {"name": "hashed", "secret_hash": hashed, "scopes": ["read:sales"]},
        {"name": "filed", "secret_file": str(directory / "secret"), "scopes": ["read:sales"]},
    )
    with running(new_till(directory, "--config", config)) as till:
        for name, right in (("hashed", "slow secret"), ("filed", "from a file")):
            assert till.get("/v1/sales/total", basic(name, right)).status == 200
            assert till.get("/v1/sales/total", {"Authorization": f"Bearer {right}"}).status == 200
            assert till.get("/v1/sales/total", basic(name, right + "x")).status == 401
            assert till.get("/v1/sales/total", basic(name, "")).status == 401


def test_guessing_is_logged_counted_and_slowed(directory):
    config = configured(
        directory, {"name": "boss", "secret_hash": scrypt_of("right"), "scopes": ["read:sales", "read:metrics"]}
    )
    with running(new_till(directory, "--config", config)) as till:
        assert till.get("/v1/sales/total", basic("boss", "right")).status == 200
        replies = [till.get("/v1/sales/total", basic("boss", f"hunter-{n}")) for n in range(40)]
        assert {reply.status for reply in replies} == {401, 429}, "a budget of wrong credentials"
        limited = next(reply for reply in replies if reply.status == 429)
        assert limited.headers["retry-after"] == "1" and limited.json["error"]["code"] == "logins_limited"
        assert till.get("/v1/sales/total", basic("boss", "right")).status == 200, "who is known never waits"
        counted = till.get("/metrics", basic("boss", "right")).body.decode().splitlines()
        figures = dict(text.split() for text in counted if text.startswith("till_login_"))
        refused = sum(reply.status == 401 for reply in replies)
        assert int(figures["till_login_failures_total"]) == refused
        assert int(figures["till_login_delayed_total"]) == 40 - refused
        log = till.log_path.read_text()
        assert log.count("login.failed") == refused and "boss" in log and "hunter" not in log


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        ({"name": "a", "secret_sha256": hashlib.sha256(b"x").hexdigest()}, "needs scopes"),
        ({"name": "a", "secret_sha256": hashlib.sha256(b"x").hexdigest(), "scopes": []}, "one scope or more"),
        ({"name": "a", "secret_sha256": hashlib.sha256(b"").hexdigest(), "scopes": ["operate"]}, "secret is empty"),
        ({"name": "a", "secret_sha256": hashlib.sha256(b"x").hexdigest(), "scopes": ["ingest:invoicse"]},
         "there is no such feed; known are invoices"),
        ({"name": "a", "secret_hash": "scrypt:99:00:00", "scopes": ["operate"]}, "till identity hash"),
        ({"name": "a", "secret_file": "none", "scopes": ["operate"]}, "secret_file cannot be read"),
        ({"name": "a", "scopes": ["operate"]}, "needs one of secret_hash"),
    ],
)  # fmt: skip
def test_identities_that_are_wrong_stop_the_start(directory, entry, said):
    config = configured(directory, entry)
    text = ended(till_command("up", "--data", directory / "d", "--config", config, "--listen", "127.0.0.1:0"), USAGE)
    assert said in text, text


def test_a_sender_is_bound_to_an_identity(directory):
    digest = hashlib.sha256(b"open").hexdigest()
    config = configured(
        directory, {"name": "shop", "secret_sha256": digest, "scopes": ["ingest:*"], "senders": ["shop-1"]}
    )
    with running(new_till(directory, "--config", config)) as till:
        who = basic("shop", "open")
        assert till.post("invoices", line(), headers={**who, "X-Till-Sender": "shop-1"}).status == 202
        reply = till.post("invoices", line(), headers={**who, "X-Till-Sender": "shop-2"})
        assert (reply.status, reply.json["error"]["code"]) == (403, "sender_not_allowed")
        assert "shop-2" in reply.json["error"]["message"] and "shop-1" in reply.json["error"]["message"]


def test_records_as_sent_need_the_scope_of_customers(directory):
    digest = hashlib.sha256(b"open").hexdigest()
    config = configured(
        directory,
        {"name": "both", "secret_sha256": digest, "scopes": ["operate", "read:customers", "ingest:*"]},
        {"name": "ops", "secret_sha256": digest, "scopes": ["operate"]},
    )
    with running(new_till(directory, "--config", config)) as till:
        both, ops = basic("both", "open"), basic("ops", "open")
        till.post("invoices", line(customerName="Ann Private", Quantity="Ann Private"), headers=both)
        listed = till.get("/v1/quarantine?after=latest", both)
        entry = f"/v1/quarantine/{listed.json['items'][0]['id']}"
        assert b"Ann Private" in listed.body and b"Ann Private" in till.get(entry, both).body
        for path in ("/v1/quarantine", entry):
            reply = till.get(path, ops)
            assert reply.status == 200 and b"Ann" not in reply.body and b"read:customers" in reply.body
            assert base64.b64encode(b"Ann Private")[:12] not in reply.body and b"withheld" in reply.body
        target = ["--to", till.url.replace("http://", "http://ops:open@")]
        shown = ended(till_command("quarantine", "show", entry.rsplit("/", 1)[1], *target), DONE)
        assert "withheld" in shown and "Ann" not in shown


def test_an_id_that_is_text_is_refused(till):
    for body in ({"ids": [1, "2"]}, {"ids": ["1"]}, {"ids": [None]}, {"ids": [1.5]}):
        assert till.request("POST", "/v1/quarantine/redrive", body).status == 400, body
