"""The peer of the ingest benchmarks: FastAPI and uvicorn, each request durable in SQLite before it is answered.

The same events, the same answers and the same promise as till: 202 only after the rows are synced (WAL with
synchronous=FULL). One process, as a WAL file has one writer anyway; uvloop and httptools when installed. A batch is one
executemany and one commit. PEER_DB names the file.
"""

import os
import sqlite3
from decimal import Decimal

from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse, Response
from pydantic import BaseModel, Field, TypeAdapter

UNITS = 100_000  # money is stored in units of 1e-5, as till does


class InvoiceLine(BaseModel):
    invoice: str = Field(alias="InvoiceNo", max_length=20)
    product: str = Field(alias="StockCode", max_length=20)
    description: str | None = Field(alias="Description", default=None, max_length=255)
    quantity: int = Field(alias="Quantity", ge=-1_000_000, le=1_000_000)
    at: str = Field(alias="InvoiceDate", pattern=r"^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d$")
    price: Decimal = Field(alias="UnitPrice", max_digits=19, decimal_places=5)
    customer: int | None = Field(alias="CustomerID", default=None)
    country: str = Field(alias="Country", max_length=100)
    line: str | None = Field(default=None, alias="client_line_no", max_length=64)

    def row(self):
        return (
            self.invoice, self.line, self.product, self.description, self.quantity, self.at,
            int(self.price * UNITS), int(self.price * UNITS) * self.quantity, self.customer, self.country,
        )  # fmt: skip


READ = TypeAdapter(InvoiceLine).validate_json
INSERT = "INSERT OR IGNORE INTO line VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"

database = sqlite3.connect(os.environ["PEER_DB"], isolation_level=None)
database.execute("PRAGMA journal_mode = WAL")
database.execute("PRAGMA synchronous = FULL")
database.execute(
    """CREATE TABLE IF NOT EXISTS line (invoice TEXT NOT NULL, line TEXT NOT NULL, product TEXT NOT NULL,
    description TEXT, quantity INTEGER NOT NULL,
    at TEXT NOT NULL, price INTEGER NOT NULL, amount INTEGER NOT NULL, customer INTEGER,
    country TEXT NOT NULL, PRIMARY KEY (invoice, line)) STRICT"""
)
app = FastAPI()


@app.post("/v1/feeds/invoices")
async def receive(request: Request):
    body = await request.body()
    is_batch = request.headers["content-type"] == "application/x-ndjson"
    rows = [READ(line).row() for line in (body.split(b"\n") if is_batch else (body,))]
    database.execute("BEGIN")
    database.executemany(INSERT, rows)
    database.execute("COMMIT")
    return Response(b'{"accepted":%d,"rejected":[]}' % len(rows), status_code=202, media_type="application/json")


@app.get("/v1/sales/total")
async def total():
    (units,) = database.execute("SELECT coalesce(sum(amount), 0) FROM line").fetchone()
    return JSONResponse({"totals": [{"currency": "GBP", "gross": str(Decimal(units) / UNITS)}]})
