"""The command line speaks TLS with a real till behind a real TLS server; secrets stay out of errors."""

import contextlib
import hashlib
import json
import socket
import ssl
import subprocess
import threading

import pytest
from support import DONE, FAILED, USAGE, ended, line, new_till, running, till_command

DIGEST = hashlib.sha256(b"p4ssw0rd").hexdigest()


def openssl(directory, *words):
    subprocess.run(["openssl", *map(str, words)], cwd=directory, check=True, capture_output=True)


def authority(directory, name):
    openssl(directory, "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", f"{name}.key", "-out",
            f"{name}.pem", "-subj", f"/CN={name}", "-days", "2")  # fmt: skip
    return directory / f"{name}.pem"


def certificate(directory, name, names, days=2):
    """Signed by the authority `ca`; a negative number of days has expired."""
    openssl(directory, "req", "-newkey", "rsa:2048", "-nodes", "-keyout", f"{name}.key", "-out", f"{name}.csr",
            "-subj", f"/CN={name}")  # fmt: skip
    (directory / f"{name}.ext").write_text(f"subjectAltName={names}\n")
    openssl(directory, "x509", "-req", "-in", f"{name}.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial",
            "-out", f"{name}.pem", "-days", days, "-extfile", f"{name}.ext")  # fmt: skip
    return directory / f"{name}.pem", directory / f"{name}.key"


@contextlib.contextmanager
def proxy(till, pair):
    """A TLS server that passes everything on to a till; yields its port."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*pair)
    listener = socket.create_server(("127.0.0.1", 0))
    target = ("127.0.0.1", int(till.url.rsplit(":", 1)[1]))

    def pump(source, sink):
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                sink.sendall(data)
        with contextlib.suppress(OSError):
            sink.shutdown(socket.SHUT_RDWR)

    def serve():
        while True:
            try:
                client, _ = listener.accept()
            except OSError:
                return
            try:
                client = context.wrap_socket(client, server_side=True)
            except OSError:
                client.close()
                continue
            server = socket.create_connection(target)
            for ends in ((client, server), (server, client)):
                threading.Thread(target=pump, args=ends, daemon=True).start()

    threading.Thread(target=serve, daemon=True).start()
    try:
        yield listener.getsockname()[1]
    finally:
        listener.close()


@pytest.fixture
def served(directory):
    config = directory / "till.yaml"
    identity = {"name": "shop", "secret_sha256": DIGEST, "scopes": ["ingest:*", "operate"]}
    config.write_text(f"identities:\n  - {json.dumps(identity)}\n")
    authority(directory, "ca")
    with running(new_till(directory, "--config", config)) as till:
        yield till


def test_commands_speak_tls(served, directory):
    rows = directory / "a.ndjson"
    rows.write_text("".join(json.dumps(line(client_line_no=str(n))) + "\n" for n in range(10)))
    (directory / "token").write_text("shop:p4ssw0rd\n")
    with proxy(served, certificate(directory, "server", "DNS:localhost,IP:127.0.0.1")) as port:
        for host in ("localhost", "127.0.0.1"):
            target = ["--to", f"https://{host}:{port}", "--ca-file", directory / "ca.pem"]
            done = till_command("ingest", "invoices", rows, *target, "--token-file", directory / "token")
            assert "read 10" in ended(done, DONE)
            for command in (["senders"], ["quarantine", "list"], ["parked"], ["conflicts"]):
                ended(till_command(*command, *target, env={"TILL_TOKEN": "shop:p4ssw0rd"}), DONE)
                ended(till_command(*command, *target, env={"TILL_TOKEN": "p4ssw0rd"}), DONE)
            refused = till_command("senders", *target)
            assert "identity" in ended(refused, refused.returncode) and refused.returncode != DONE
        simulated = till_command(
            "simulate", "pos", "--count", 5, "--rate", 0, "--yes", *target, "--token-file", "token"
        )
        ended(simulated, DONE)


def test_servers_that_are_not_trusted(served, directory):
    other = authority(directory, "other")
    for names, days, ca, said in [
        ("DNS:localhost", 2, other, "certificate"),
        ("DNS:localhost", 2, None, "certificate"),
        ("DNS:elsewhere.example", 2, directory / "ca.pem", "ostname mismatch"),
        ("IP:127.0.0.2", 2, directory / "ca.pem", "ostname mismatch"),
        ("DNS:localhost", -1, directory / "ca.pem", "expired"),
    ]:
        with proxy(served, certificate(directory, "server", names, days)) as port:
            trust = ["--ca-file", ca] if ca else []
            done = till_command("senders", "--to", f"https://shop:p4ssw0rd@localhost:{port}", *trust)
            text = ended(done, FAILED)
            assert "TLS with port" in text and said in text and "p4ssw0rd" not in text, text
    with proxy(served, certificate(directory, "server", "DNS:localhost")) as port:
        trust = ["--ca-file", directory / "ca.pem"]
        text = ended(till_command("senders", "--to", f"https://127.0.0.1:{port}", *trust), FAILED)
        assert "IP address mismatch" in text, text
    plain = served.url.replace("http://", "https://")
    assert "TLS with port" in ended(till_command("senders", "--to", plain, "--ca-file", directory / "ca.pem"), FAILED)


@pytest.mark.parametrize("url", ["ftp://shop:p4ssw0rd@host", "shop:p4ssw0rd@host:80", "http://shop:p4ss/w0rd@host:x"])
def test_errors_never_echo_a_secret(directory, url):
    for words in (["senders", "--to", url], ["ingest", "invoices", "-", "--to", url], ["senders", f"--too={url}"]):
        text = ended(till_command(*words, stdin=b""), USAGE)
        assert "w0rd" not in text and "host" in text, text
