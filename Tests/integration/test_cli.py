"""The command line: settings and where they come from, identities, loading files, the log's tools, exit codes."""

import base64
import contextlib
import csv
import gzip
import hashlib
import itertools
import json
import os
import signal
import socket
import subprocess
import threading
import time
from decimal import Decimal

import pytest
from conftest import free_port, wait_until
from support import EXAMPLE, binary, line, log_dump, new_till, till_command, totals

DONE, FAILED, USAGE, IN_USE, DAMAGED = range(5)
HEADER = list(line(client_line_no="0"))


@contextlib.contextmanager
def running(till):
    try:
        yield till.start()
    finally:
        till.kill9()


@pytest.fixture
def directory(tmp_path, monkeypatch):
    """An empty working directory, without settings of the environment."""
    for name in list(os.environ):
        if name.startswith("TILL_") and name not in ("TILL_BIN", "TILL_URL"):
            monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def ended(done, code):
    said = f"{done.args} ended with {done.returncode}, not {code}:\n{done.stdout}\n{done.stderr}"
    assert done.returncode == code, said
    return (done.stdout + done.stderr).decode()


def write_rows(path, numbers, quantity=1):
    """A CSV file with one line for each number."""
    with (gzip.open if path.suffix == ".gz" else open)(path, "wt", newline="") as file:
        writer = csv.DictWriter(file, HEADER)
        writer.writeheader()
        for number in numbers:
            writer.writerow(line(InvoiceNo=f"F{number}", client_line_no="1", Quantity=quantity, UnitPrice="1.25"))
    return path


# --- settings ---------------------------------------------------------------------------------------------------------


def test_settings_precedence(directory):
    """Default, file, environment, flag: the last that says something wins, and says so."""

    def effective(*words, **env):
        done = till_command("settings", "--effective", "--json", *words, env=env)
        found = json.loads(ended(done, DONE))["log.waiting_mebibytes"]
        return found["value"], found["origin"]

    config = directory / "till.yaml"
    config.write_text("# comment\nlog:\n  waiting_mebibytes: 11\n")
    assert effective() == ("64", "default")
    assert effective("--config", config) == ("11", f"{config}:3")
    environment = {"TILL_LOG_WAITING_MEBIBYTES": "12"}
    assert effective("--config", config, **environment) == ("12", "TILL_LOG_WAITING_MEBIBYTES")
    flag = ("--log.waiting_mebibytes", "13")
    assert effective("--config", config, *flag, **environment) == ("13", "--log.waiting_mebibytes")
    assert effective("--log.waiting_mebibytes=14") == ("14", "--log.waiting_mebibytes")


def test_every_setting_has_a_value_and_an_origin(directory):
    settings = json.loads(ended(till_command("settings", "--effective", "--json"), DONE))
    listed = ended(till_command("settings", "--effective"), DONE)
    for name, found in settings.items():
        if isinstance(found, dict):
            assert found["origin"] == "default" and f"{name}: {found['value']}" in listed


def test_all_mistakes_of_a_configuration_with_their_lines(directory):
    config = directory / "till.yaml"
    config.write_text(
        "lissten: 127.0.0.1:1\nlog:\n  waiting_mebibytes: many\n  segment_mibs: 7\nlog_level: loud\n"
        "identities:\n  - name: a\n    secret_sha256: xyz\n    scopes: [read:everything]\n    colour: red\n"
    )
    for command in (("up", "--data", directory / "d"), ("settings", "--effective")):
        text = ended(till_command(*command, "--config", config, env={"TILL_TABLES_READERS": "99"}), USAGE)
        for place in ("1:1", "3", "4:3", "5", "8:", "9:", "10:"):
            assert f"till.yaml:{place}" in text, (place, text)
        for word in ("lissten", "waiting_mebibytes", "segment_mibs", "log_level", "read:everything", "colour"):
            assert word in text, (word, text)
        assert "TILL_TABLES_READERS" in text
    assert not (directory / "d").exists(), "nothing was started"


@pytest.mark.parametrize(
    "text",
    ["log: [1", "a: b: c", "- 1\n- 2\n", "listen: [1, 2]\n", "listen: 1\nlisten: 2\n", "contracts: [missing.yaml]\n"],
)
def test_files_that_are_no_configuration(directory, text):
    config = directory / "till.yaml"
    config.write_text(text)
    output = ended(till_command("up", "--config", config, "--data", directory / "d", "--listen", "127.0.0.1:0"), USAGE)
    assert "till.yaml" in output or "missing.yaml" in output


@pytest.mark.parametrize(
    "words",
    [
        ("sell",), ("up", "--lissten", "x"), ("up", "now"), ("up", "--data"), ("up", "--listen", "8080"),
        ("up", "--listen", "127.0.0.1:99999"), ("up", "--config", "missing.yaml"), ("ingest",), ("ingest", "invoices"),
        ("ingest", "invoices", "-", "x.csv"), ("ingest", "invoices", "x.parquet", "--to", "http://127.0.0.1:1"),
        ("ingest", "invoices", "missing.csv", "--data", "d"), ("log",), ("log", "shred"), ("contract", "check"),
        ("log", "dump", "--from", "x"), ("ingest", "invoices", "-", "--to", "ftp://127.0.0.1"),
    ],
)  # fmt: skip
def test_wrong_command_lines(directory, words):
    """Exit code 2 and a sentence."""
    done = till_command(*words)
    assert len(ended(done, USAGE).strip()) > 20


def test_words_that_always_work(directory):
    assert ended(till_command("version"), DONE).startswith("till ")
    text = ended(till_command("help"), DONE)
    assert ended(till_command(), DONE) == text
    assert all(word in text for word in ("till up", "till ingest", "till contract check", "till log", "till settings"))


# --- one writer, many readers -----------------------------------------------------------------------------------------


def test_one_writer_and_readers_beside_it(directory):
    with running(new_till(directory)) as till:
        assert till.post("invoices", [line(), line(Quantity=0)]).status == 202
        rows = write_rows(directory / "a.csv", [1])
        for command in (("up", "--listen", "127.0.0.1:0"), ("ingest", "invoices", rows)):
            text = ended(till_command(*command, "--data", till.data), IN_USE)
            assert str(till.data) in text
        assert "feed.invoices/0" in ended(till_command("log", "stat", "--data", till.data), DONE)
        stat = ended(till_command("log", "stat", "--json", "--data", till.data), DONE)
        (feed,) = [one for one in map(json.loads, stat.splitlines()) if one["partition"] == "feed.invoices/0"]
        assert (feed["start"], feed["end"]) == (0, 2)
        verified = json.loads(ended(till_command("log", "verify", "--json", "--data", till.data), DONE))
        assert verified["damages"] == 0 and verified["records"] >= 2
        assert [record["offset"] for record in log_dump(till)] == [0, 1]
        dump = till_command("log", "dump", "--data", till.data, "--from", "1", "--limit", "1")
        assert [json.loads(one)["offset"] for one in dump.stdout.splitlines()] == [1]
        assert till.get("/health/ready").status == 200
        assert till.stop() == DONE
    with running(till):
        assert totals(till)["received"] == 2, "the directory is free again"


def test_log_tools_without_a_log(directory):
    for verb in ("stat", "verify", "dump"):
        done = till_command("log", verb, "--data", directory / "nothing")
        assert done.returncode in (FAILED, USAGE, DONE), done
        assert done.returncode == DONE or done.stderr
    assert not (directory / "nothing").exists(), "readers create nothing"


# --- who may do what --------------------------------------------------------------------------------------------------

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
    ("GET", "/v1/quarantine"): {"operate"},
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
    rows = write_rows(directory / "a.csv", range(10))
    config = directory / "till.yaml"
    digest = hashlib.sha256(b"open").hexdigest()
    config.write_text(
        f"identities:\n  - {{ name: loader, secret_sha256: {digest}, scopes: ['ingest:invoices', operate] }}\n"
    )
    with running(new_till(directory, "--config", config)) as till:
        target = till.url.replace("http://", "http://loader:open@")
        assert "read 10 = distinct 10" in ended(till_command("ingest", "invoices", rows, "--to", target), DONE)
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


# --- loading files ----------------------------------------------------------------------------------------------------


def ingest(till, *words, stdin=None, code=DONE):
    done = till_command("ingest", "invoices", *words, "--to", till.url, stdin=stdin)
    return ended(done, code)


def test_loading_files_as_one_run(directory):
    plain, packed = write_rows(directory / "a.csv", range(100)), write_rows(directory / "b.csv.gz", range(100, 250))
    lines = directory / "c.ndjson"
    events = [line(InvoiceNo=f"F{n}", client_line_no="1", UnitPrice=1.25) for n in range(250, 300)]
    lines.write_text("".join(json.dumps(event) + "\n" for event in events))
    bad = directory / "d.tsv"
    bad_row = map(str, line(InvoiceNo="F0", Quantity=0, client_line_no="9").values())
    bad.write_text("\t".join(HEADER) + "\n" + "\t".join(bad_row) + "\n")
    with running(new_till(directory)) as till:
        text = ingest(till, plain, packed, lines, bad)
        assert "read 301 = distinct 300 + duplicates 0 + quarantined 1" in text
        assert totals(till)["distinct"] == 300
        assert len({record["run"] for record in log_dump(till)}) == 1
        again = ingest(till, plain, packed, lines, bad)
        assert "read 301 = distinct 0 + duplicates 300 + quarantined 1" in again or "duplicates 301" in again
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
        assert "read 0" in ingest(till, "-", stdin=b"")


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


# --- contracts --------------------------------------------------------------------------------------------------------


def test_contract_check(directory):
    contract = (EXAMPLE.parents[2] / "Contracts/invoices.yaml").read_text()
    good = directory / "good.yaml"
    good.write_text(contract)
    assert "contract invoices version 1 is good" in ended(till_command("contract", "check", good), DONE)
    bad = directory / "bad.yaml"
    bad.write_text(
        contract.replace("type: integer", "type: intiger", 1)
        .replace("check: Quantity != 0", "check: Quantty != 0")
        .replace("version: 1", "version: one")
        .replace("on_failure: flag", "on_failure: shout", 1)
    )
    done = till_command("contract", "check", good, bad)
    text = ended(done, FAILED)
    lines = bad.read_text().splitlines()
    for word in ("intiger", "Quantty", "one", "shout"):
        number = next(n for n, one in enumerate(lines, 1) if word in one and ":" in one and not one.startswith("#"))
        found = [one for one in text.splitlines() if one.startswith(f"{bad}:{number}:")]
        assert found, (word, number, text)
        column = int(found[0].removeprefix(f"{bad}:{number}:").split(":")[0])
        assert 1 <= column <= len(lines[number - 1]) + 1
    assert "missing.yaml" in ended(till_command("contract", "check", directory / "missing.yaml"), USAGE)
    config = directory / "till.yaml"
    config.write_text(f"contracts: [{bad}]\n")
    text = ended(till_command("up", "--config", config, "--data", directory / "d", "--listen", "127.0.0.1:0"), USAGE)
    assert "intiger" in text and "Quantty" in text


# --- damage -----------------------------------------------------------------------------------------------------------


def segments(till):
    return sorted((till.data / "log").glob("feed.invoices/**/*"), key=lambda path: -path.stat().st_size)


def test_damage_in_the_middle_is_found_and_named(directory):
    """One byte: till up refuses, names segment and byte, and changes nothing."""
    with running(new_till(directory)) as till:
        for number in range(40):
            assert till.post("invoices", [line(InvoiceNo=f"{number}-{n}") for n in range(20)]).status == 202
        assert till.stop() == DONE
    (segment, *_) = [path for path in segments(till) if path.is_file()]
    content = bytearray(segment.read_bytes())
    place = len(bytes(content).rstrip(b"\0")) // 2
    content[place] ^= 0x10
    segment.write_bytes(content)
    verdict = till_command("log", "verify", "--data", till.data)
    text = ended(verdict, DAMAGED)
    assert "damage" in text and segment.name in text
    for with_tables in (True, False):
        # Without tables they are rebuilt, which must not skip what it cannot read.
        for suffix in () if with_tables else ("", "-wal", "-shm"):
            (till.data / f"tables.sqlite{suffix}").unlink(missing_ok=True)
        done = till_command("up", "--data", till.data, "--listen", "127.0.0.1:0", timeout=20)
        text = ended(done, DAMAGED)
        assert segment.name in text and "byte" in text, text
        assert segment.read_bytes() == bytes(content), "the damage is left as it is"
    content[place] ^= 0x10
    segment.write_bytes(content)
    with running(till):
        assert totals(till)["distinct"] == 800


def test_a_torn_tail_is_cut_and_told(directory):
    """What a crash leaves at the end is no damage: it was never acknowledged."""
    with running(new_till(directory)) as till:
        assert till.post("invoices", line()).status == 202
        assert till.stop() == DONE
    (segment, *_) = [path for path in segments(till) if path.is_file()]
    with open(segment, "ab") as file:
        file.write(segment.read_bytes()[-40:][:17])
    ended(till_command("log", "verify", "--data", till.data), DONE)
    with running(till):
        assert totals(till)["distinct"] == 1
        assert till.post("invoices", line(InvoiceNo="2")).status == 202
        assert totals(till)["distinct"] == 2
    assert "tail_cut" in till.log_tail()


# --- the end ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_drains(directory, number):
    """Requests under way are answered, and then the process ends with 0."""
    with running(new_till(directory, "--log.added_sync_milliseconds", "300")) as till:
        replies = []
        senders = [
            threading.Thread(target=lambda n=n: replies.append(till.post("invoices", line(InvoiceNo=str(n)))))
            for n in range(8)
        ]
        for sender in senders:
            sender.start()
        idle = socket.create_connection(("127.0.0.1", till._port))
        time.sleep(0.15)
        till.process.send_signal(number)
        assert till.process.wait(15) == DONE
        for sender in senders:
            sender.join()
        idle.close()
        assert [reply.status for reply in replies] == [202] * 8, "none of them was cut off"
        assert "Traceback" not in till.log_tail() and "drain" in till.log_tail()
        till.process = None
    with running(till):
        assert totals(till)["distinct"] == 8


def test_stopping_with_a_listener_of_live_figures(directory):
    with running(new_till(directory)) as till, socket.create_connection(("127.0.0.1", till._port)) as stream:
        stream.sendall(b"GET /v1/live HTTP/1.1\r\nHost: t\r\n\r\n")
        assert stream.recv(4096).startswith(b"HTTP/1.1 200")
        started = time.monotonic()
        assert till.stop() == DONE
        assert time.monotonic() - started < 12
