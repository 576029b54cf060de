"""The peer of the turnover windows: `bytewax_windows.py FILE OUT` sums the sales of 10 s per store with bytewax.

Event-time clock, tumbling windows, 10 s of allowed lateness, one worker, sums as Decimal, nothing durable: windows go
to a list. Repeated ids are dropped by a set in memory, which bytewax itself does not do. What it calls late it does not
add to its window any more; these sales are written to OUT as well. The time is without the imports.
"""

import json
import sys
import time
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from importlib.metadata import version

import bytewax.operators as op
from bytewax.connectors.files import FileSource
from bytewax.dataflow import Dataflow
from bytewax.operators.windowing import EventClock, TumblingWindower, fold_window
from bytewax.testing import TestingSink, run_main

LENGTH = timedelta(seconds=10)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def closed_sale(seen):
    def read(row):
        sale = json.loads(row, parse_float=Decimal)
        if sale["transaction_id"] in seen:
            return None
        seen.add(sale["transaction_id"])
        total = sum((x["quantity"] * x["price_per_unit"] for x in sale["items"]), Decimal(0))
        isClosed = sale["payment_status"] == "success"
        # A failed sale moves the clock and adds nothing.
        return sale["store_id"], (datetime.fromisoformat(sale["timestamp"]), total if isClosed else None)

    return read


def add(total, sale):
    if sale[1] is not None:
        total[0] += sale[1]
        total[1] += 1
    return total


def main():
    path, out = sys.argv[1:]
    started, cpu = time.perf_counter(), time.process_time()
    windows, late = [], []
    flow = Dataflow("turnover")
    rows = op.input("file", flow, FileSource(path, batch_size=1_000))
    sales = op.filter_map("sale", rows, closed_sale(set()))
    result = fold_window(
        "windows",
        sales,
        EventClock(ts_getter=lambda sale: sale[0], wait_for_system_duration=LENGTH),
        TumblingWindower(length=LENGTH, align_to=EPOCH),
        builder=lambda: [Decimal(0), 0],
        folder=add,
        merger=lambda one, other: [one[0] + other[0], one[1] + other[1]],
        ordered=False,
    )
    op.output("out", result.down, TestingSink(windows))
    op.output("late", result.late, TestingSink(late))
    run_main(flow)
    seconds, cpu = time.perf_counter() - started, time.process_time() - cpu
    found = [(store, number, str(total), count) for store, (number, (total, count)) in windows]
    missed = [(store, number, str(sale[1])) for store, (number, sale) in late if sale[1] is not None]
    with open(out, "w") as file:
        json.dump({"windows": found, "late": missed}, file)
    print(json.dumps({"seconds": seconds, "cpu_seconds": round(cpu, 2), "version": version("bytewax")}))


main()
