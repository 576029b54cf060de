"""The load of the kill loop: events that are a function of (connection, request), and a process that sends them.

Run as a program it reads one JSON line per life of the server, `{"port": 1234}`, loads it over many connections until
every connection is broken, and answers with one line: which requests were acknowledged and which were lost. What it
remembers is the oracle: nothing of it comes from till.
"""

import asyncio
import json
import sys
import time
from decimal import Decimal

CONNECTIONS = 24
EVENTS_MAX = 4
PENCE = Decimal("0.01")


def is_reposted(connection):
    """Odd connections send a lost request again, with the same keys, until it is acknowledged; even ones give it up."""
    return connection % 2 == 1


def invoice_number(connection, request):
    return f"K{connection:02}-{request}"


def events(connection, request):
    """The events of one request, all of one invoice; a third has only line numbers, a third only an idempotency key."""
    for index in range(request % EVENTS_MAX + 1):
        event = {
            "InvoiceNo": invoice_number(connection, request),
            "StockCode": f"P{(request + index) % 50}",
            "Description": f"PRODUCT {(request + index) % 50}",
            "Quantity": (request + 3 * index) % 9 + 1,
            "InvoiceDate": f"{request % 28 + 1:02}/05/2011 {connection:02}:{index:02}",
            "UnitPrice": float(price(connection, request, index)),
            "CustomerID": 10_000 + connection,
            "Country": "United Kingdom",
        }
        if request % 3 != 1:
            event["client_line_no"] = str(index + 1)
        yield event


def price(connection, request, index):
    """Differs between neighbours, so that one event in place of another changes a sum."""
    return (request * 31 + connection * 7 + index * 3 + 1) % 99_991 * PENCE


def amounts(connection, request):
    return [event["Quantity"] * price(connection, request, i) for i, event in enumerate(events(connection, request))]


def idempotency_key(connection, request):
    return f"{connection}/{request}" if request % 3 else None


def http_request(connection, request):
    body = json.dumps(list(events(connection, request))).encode()
    key = idempotency_key(connection, request)
    head = ["POST /v1/feeds/invoices HTTP/1.1", "Host: localhost", "Content-Type: application/json"]
    head += [f"Content-Length: {len(body)}", f"X-Till-Sender: kill-{connection}"]
    if key:
        head.append(f"Idempotency-Key: {key}")
    return "\r\n".join([*head, "", ""]).encode() + body


class Sender:
    """One connection's memory over all lives of the server."""

    def __init__(self, number, request_of=http_request, taken=(202,)):
        self.number, self.request_of, self.taken = number, request_of, taken
        self.request = 0

    async def live(self, port, report):
        """Sends one request after the other until the connection breaks."""
        sent_at = None
        try:
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
        except OSError:
            return
        try:
            while True:
                sent_at = None
                writer.write(self.request_of(self.number, self.request))
                await writer.drain()
                sent_at = time.monotonic()
                status = await answer(reader)
                if status in self.taken:
                    report["acknowledged"].append([self.number, self.request])
                    self.request += 1
                elif status == 429:
                    report["saturated"] += 1
                    await asyncio.sleep(0.05)
                else:
                    report["unexpected"].append([self.number, self.request, status])
                    self.request += 1
        except (OSError, asyncio.IncompleteReadError, ValueError):
            report["lost"].append([self.number, self.request, sent_at])
            if not is_reposted(self.number):
                self.request += 1
        finally:
            writer.close()


async def answer(reader):
    """Status of one complete answer; an answer that is cut off is none."""
    head = await reader.readuntil(b"\r\n\r\n")
    lines = head.decode("latin-1").split("\r\n")
    length = next(int(line.split(":")[1]) for line in lines if line.lower().startswith("content-length:"))
    await reader.readexactly(length)
    return int(lines[0].split()[1])


async def one_life(senders, port):
    report = {"acknowledged": [], "lost": [], "unexpected": [], "saturated": 0}
    await asyncio.gather(*(sender.live(port, report) for sender in senders))
    return report


def main(senders):
    for line in sys.stdin:
        report = asyncio.run(one_life(senders, json.loads(line)["port"]))
        print(json.dumps(report), flush=True)


if __name__ == "__main__":
    main([Sender(number) for number in range(*map(int, sys.argv[1:3]))])
