"""What several integration tests share: servers with flags, invoice lines, and the command line."""

import base64
import contextlib
import json
import os
import socket
import subprocess

import jsonschema
import pytest
from conftest import ROOT, Till, till_binary

JSON = {"Content-Type": "application/json"}
DONE, FAILED, USAGE, IN_USE, DAMAGED, RELEASING = range(6)
EXAMPLE = ROOT / "Examples/online-retail/online_retail_2009_2010.csv.gz"


def line(**changes):
    """The line of the specification, changed; a value of `...` leaves the field out."""
    fields = {
        "customerName": "Customer A", "InvoiceNo": "536365", "StockCode": "85123A",
        "Description": "WHITE HANGING HEART", "Quantity": 6, "InvoiceDate": "01/12/2010 08:26",
        "UnitPrice": 2.55, "CustomerID": 17850,
        "Country": "United Kingdom", **changes,
    }  # fmt: skip
    return {name: value for name, value in fields.items() if value is not ...}


def raw_line(field, text):
    """The line of the specification with the JSON text of one value, for numbers that Python cannot say."""
    return json.dumps(line(**{field: "@"})).replace('"@"', text).encode()


def binary():
    if os.environ.get("TILL_URL"):
        pytest.skip("needs its own till, TILL_URL names another")
    found = till_binary()
    if found is None:
        pytest.skip("no till binary: build it or set TILL_BIN")
    return found


def new_till(directory, *arguments):
    return Till(directory, binary=binary(), arguments=arguments)


def till_command(*words, stdin=None, env=None, timeout=60, cwd=None):
    """Runs `till WORDS` to its end."""
    return subprocess.run(
        [binary(), *map(str, words)], input=stdin, stdin=subprocess.DEVNULL if stdin is None else None,
        capture_output=True, timeout=timeout, env={**os.environ, **(env or {})}, cwd=cwd, check=False,
    )  # fmt: skip


def log_dump(till, topic="feed.invoices", limit=1_000_000):
    done = till_command("log", "dump", "--data", till.data, "--topic", topic, "--limit", limit)
    assert done.returncode == 0, done.stderr
    return [json.loads(text) for text in done.stdout.splitlines()]


def totals(till):
    """Control totals once the tables contain everything that is durable."""
    reply = till.get("/v1/status?after=latest&wait_ms=30000")
    assert reply.status == 200, reply
    return reply.json["totals"]


def metric(till, name):
    for text in till.get("/metrics").body.decode().splitlines():
        if text.startswith(f"till_{name} "):
            return int(text.split()[1])
    raise AssertionError(f"no metric {name}")


def pages(till, path, limit):
    """All items of a list, page by page."""
    items, cursor = [], None
    while True:
        joint = "&" if "?" in path else "?"
        reply = till.get(f"{path}{joint}limit={limit}" + (f"&cursor={cursor}" if cursor else ""))
        assert reply.status == 200, reply
        page = reply.json
        assert len(page["items"]) <= limit
        items += page["items"]
        cursor = page["next"]
        if cursor is None:
            return items
        assert len(page["items"]) == limit, "a page that is not the last is full"


def raw_exchange(till, request, seconds=10):
    """Sends bytes as they are and returns everything that comes back until the server closes."""
    host, port = till.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=seconds) as connection:
        connection.sendall(request)
        connection.shutdown(socket.SHUT_WR)
        received = bytearray()
        while chunk := connection.recv(65536):
            received += chunk
    return bytes(received)


@contextlib.contextmanager
def running(till):
    try:
        yield till.start()
    finally:
        till.kill9()


def ended(done, code):
    said = f"{done.args} ended with {done.returncode}, not {code}:\n{done.stdout}\n{done.stderr}"
    assert done.returncode == code, said
    return (done.stdout + done.stderr).decode()


def quarantined(till):
    reply = till.get("/v1/quarantine?after=latest")
    assert reply.status == 200, reply
    return reply.json["items"]


def original_bytes(till, item):
    """All of them: lists show only the first ones."""
    return base64.b64decode(till.get(f"/v1/quarantine/{item['id']}").json["base64"])


# Input, status of the native and of the compatible path, what the canonical line shows instead of the input.


def schema_of(openapi, path, status="200", method="get"):
    return openapi["paths"][path][method]["responses"][status]["content"]["application/json"]["schema"]


def check_documented(till, reply, path, method="post", headers=None):
    """An answer fits what the OpenAPI document says of its path and status."""
    openapi = till.get("/v1/openapi.json", headers).json
    check_shape(reply.json, schema_of(openapi, path, str(reply.status), method))


def check_shape(answer, schema):
    checker = jsonschema.Draft202012Validator(schema, format_checker=jsonschema.FormatChecker())
    errors = [f"{error.json_path}: {error.message}" for error in checker.iter_errors(answer)]
    assert not errors, errors[:5]
