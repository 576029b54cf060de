"""The peers of the file job: `year_file.py duckdb|polars FILE [DATABASE]` reads the csv.gz and computes the totals.

Money is decimal in both, so that the figures are comparable to the last digit. With DATABASE duckdb also stores the
lines and the figures by day and product in tables, which is nearer to what till leaves behind. Prints one JSON object;
the time is from the start of the work, without the interpreter's start and the imports.
"""

import json
import sys
import time

KIND = """case when invoice like 'A%' or price < 0 then 'adjustment'
    when invoice like 'C%' then case when quantity < 0 then 'return' else 'adjustment' end
    when quantity < 0 then case when customer is not null then 'return' else 'adjustment' end
    else 'gross' end"""


def by_duckdb(path, database):
    import duckdb

    started = time.perf_counter()
    settings = {"autoinstall_known_extensions": "false", "autoload_known_extensions": "false"}
    db = duckdb.connect(database or ":memory:", config=settings)
    db.execute(
        f"""create table line as select *, quantity * price as amount, {KIND} as kind from (
        select "Invoice" as invoice, "StockCode" as product, "Description" as description, "Customer ID" as customer,
        "Country" as country, cast("InvoiceDate" as timestamp) as moment, cast("Quantity" as bigint) as quantity,
        cast("Price" as decimal(18, 5)) as price from read_csv(?, header = true, all_varchar = true))""",
        [str(path)],
    )
    if database:
        for name, second in (("day", "country"), ("product", "product")):
            db.execute(
                f"create table sales_{name} as select cast(moment as date) as day, {second}, "
                "sum(amount) filter (kind = 'gross') as gross, "
                "sum(amount) filter (kind = 'return') as returns from line group by all"
            )
        db.execute("checkpoint")
    row = db.execute(
        """select count(*), sum(amount) filter (kind = 'gross'), -sum(amount) filter (kind = 'return'),
        count(distinct invoice) filter (kind = 'gross'), sum(quantity) filter (kind = 'gross'),
        sum(amount) filter (invoice not like 'C%') from line"""
    ).fetchone()
    db.close()
    return row, time.perf_counter() - started, duckdb.__version__


def by_polars(path, _):
    import polars as pl

    started = time.perf_counter()
    invoice, quantity, price = pl.col("Invoice"), pl.col("Quantity"), pl.col("Price")
    line = pl.read_csv(path, infer_schema=False).with_columns(quantity.cast(pl.Int64), price.cast(pl.Decimal(38, 5)))
    is_return = (quantity < 0) & (invoice.str.starts_with("C") | pl.col("Customer ID").is_not_null())
    line = line.with_columns(
        amount=quantity.cast(pl.Decimal(38, 0)) * price,
        kind=pl.when(invoice.str.starts_with("A") | (price < 0))
        .then(pl.lit("adjustment"))
        .when(is_return)
        .then(pl.lit("return"))
        .when(invoice.str.starts_with("C") | (quantity < 0))
        .then(pl.lit("adjustment"))
        .otherwise(pl.lit("gross")),
    )
    gross, amount = line.filter(pl.col("kind") == "gross"), pl.col("amount")
    row = (
        line.height,
        gross["amount"].sum(),
        -line.filter(pl.col("kind") == "return")["amount"].sum(),
        gross["Invoice"].n_unique(),
        gross["Quantity"].sum(),
        line.filter(~invoice.str.starts_with("C")).select(amount.sum()).item(),
    )
    return row, time.perf_counter() - started, pl.__version__


def main():
    tool, path, *database = sys.argv[1:]
    work = {"duckdb": by_duckdb, "polars": by_polars}[tool]
    (lines, gross, returns, orders, units, reference), seconds, version = work(path, database[0] if database else None)
    figures = {"lines": lines, "orders": orders, "units": int(units)}
    for name, value in (("gross", gross), ("returns", returns), ("reference", reference)):
        figures[name] = f"{value:.5f}"
    print(json.dumps({"tool": tool, "version": version, "seconds": seconds, "figures": figures}))


main()
