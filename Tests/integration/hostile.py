"""Connections that mean no good, of six kinds, and what an honest client with credentials notices of them.

As a script: `hostile.py BINARY [COUNT]` prints the latencies of the honest client, from a release build.
"""

import base64
import contextlib
import hashlib
import http.client
import json
import os
import resource
import selectors
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

KINDS = ("silent", "half a head", "slow head", "slow body", "no body", "does not read")
NAME, SECRET = "kiosk", "a secret of a kiosk, long enough"


class Hostile:
    """Keeps COUNT connections, from many addresses; those that are closed come again, EACH a turn at most."""

    def __init__(self, port, count, each=200):
        self.port, self.count, self.each = port, count, each
        self.sockets = {}
        self.selector = selectors.DefaultSelector()
        self.begun = self.refused = 0

    def first_bytes(self, kind):
        host = f"Host: 127.0.0.1:{self.port}\r\n"
        return {
            "silent": b"",
            "half a head": b"GET /v1/status HTTP/1.1\r\nHo",
            "slow head": b"G",
            "slow body": f"POST /v1/feeds/invoices HTTP/1.1\r\n{host}Content-Length: 9000000\r\n"
            "Content-Type: application/json\r\n\r\n[".encode(),
            "no body": f"POST /v1/feeds/invoices HTTP/1.1\r\n{host}Content-Length: 9000000\r\n\r\n".encode(),
            "does not read": f"GET /vendor/chart.min.js HTTP/1.1\r\n{host}\r\n".encode() * 40,
        }[kind]

    def turn(self):
        """Opens what is missing and sends one byte where that is slow."""
        for _ in range(min(self.each, self.count - len(self.sockets))):
            kind = KINDS[self.begun % len(KINDS)]
            client = socket.socket()
            client.setblocking(False)
            with contextlib.suppress(OSError):
                client.bind((f"127.0.{self.begun % 199 + 1}.{self.begun % 241 + 1}", 0))
            client.connect_ex(("127.0.0.1", self.port))
            self.sockets[client] = [kind, False]
            self.selector.register(client, selectors.EVENT_WRITE)
            self.begun += 1
        for key, _ in self.selector.select(0):
            client = key.fileobj
            kind, has_begun = self.sockets[client]
            try:
                if not has_begun:
                    client.send(self.first_bytes(kind))
                    self.sockets[client][1] = True
                    self.selector.modify(client, selectors.EVENT_READ)
                elif kind != "does not read" and not client.recv(65_536):
                    raise ConnectionResetError
                elif kind == "does not read":
                    self.selector.unregister(client)
            except BlockingIOError:
                pass
            except OSError:
                self.drop(client)
        for client, (kind, has_begun) in list(self.sockets.items()):
            if has_begun and kind.startswith("slow") and self.begun % 7 == 0:
                try:
                    client.send(b" ")
                except BlockingIOError:
                    pass
                except OSError:
                    self.drop(client)

    def drop(self, client):
        with contextlib.suppress(KeyError, ValueError):
            self.selector.unregister(client)
        client.close()
        self.sockets.pop(client, None)
        self.refused += 1

    def close(self):
        for client in list(self.sockets):
            client.close()
        self.selector.close()


def honest_post(port, number):
    """One sale, as a register with credentials sends it: a connection of its own; status and seconds."""
    body = json.dumps(
        {
            "InvoiceNo": f"H{number}", "StockCode": "A", "Quantity": 1, "InvoiceDate": "01/12/2031 08:26",
            "UnitPrice": 1.25, "Country": "UK",
        }
    )  # fmt: skip
    credentials = base64.b64encode(f"{NAME}:{SECRET}".encode()).decode()
    started = time.monotonic()
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    try:
        connection.request(
            "POST", "/v1/feeds/invoices", body,
            {"Content-Type": "application/json", "Authorization": f"Basic {credentials}"},
        )  # fmt: skip
        status = connection.getresponse().status
    except OSError as error:
        status = repr(error)
    finally:
        connection.close()
    return status, time.monotonic() - started


def config(directory, connections=2_000):
    """Settings with the one identity."""
    path = Path(directory) / "till.yaml"
    path.write_text(
        f"http: {{ connections_max: {connections} }}\nidentities:\n"
        f"  - {{ name: {NAME}, secret_sha256: {hashlib.sha256(SECRET.encode()).hexdigest()}, "
        f'scopes: ["ingest:*", operate] }}\n'
    )
    return path


def main(binary, count):
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 40_000), hard))
    with tempfile.TemporaryDirectory() as directory:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        words = ["up", "--config", config(directory), "--data", f"{directory}/data", "--listen", f"127.0.0.1:{port}"]
        till = subprocess.Popen([binary, *words], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        attacker = None
        try:
            for _ in range(200):
                if honest_post(port, -1)[0] == 202:
                    break
                time.sleep(0.05)
            attacker = os.fork()
            if attacker == 0:
                hostile = Hostile(port, count)
                end = time.monotonic() + 40
                while time.monotonic() < end:
                    hostile.turn()
                    time.sleep(0.01)
                figures = f"{len(hostile.sockets)} open, {hostile.begun} begun, {hostile.refused} ended"
                os.write(1, f"hostile: {figures}\n".encode())
                os._exit(0)
            time.sleep(8)
            answers = []
            end = time.monotonic() + 25
            while time.monotonic() < end:
                answers.append(honest_post(port, len(answers)))
                time.sleep(0.01)
            seconds = sorted(each for _, each in answers)
            bad = [status for status, _ in answers if status != 202]
            resident = int(Path(f"/proc/{till.pid}/statm").read_text().split()[1]) * 4096 >> 20
            print(
                f"honest: {len(answers)} posts, {len(bad)} not taken {bad[:3]}, "
                f"p50 {seconds[len(seconds) // 2] * 1e3:.1f} ms, p99 {seconds[int(len(seconds) * 0.99)] * 1e3:.1f} ms, "
                f"max {seconds[-1] * 1e3:.1f} ms, till {resident} MiB"
            )
            return not bad
        finally:
            if attacker:
                os.waitpid(attacker, 0)
            till.kill()
            till.wait()


if __name__ == "__main__":
    sys.exit(not main(sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 10_000))
