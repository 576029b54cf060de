"""What the public file says, by DuckDB over exact decimals, for test_figures.py."""

from decimal import ROUND_HALF_UP, Decimal

import duckdb

# One row per line of the file. Times in the file are local times of the shop, so a day is the first ten characters.
LINES = """
create table line as
with typed as (
    select "Invoice" as invoice, "StockCode" as product, "Customer ID" as customer, "Country" as country,
        left("InvoiceDate", 10) as day, left("InvoiceDate", 7) as month,
        cast("Quantity" as bigint) as quantity, cast("Price" as decimal(18, 5)) as price,
        cast("Quantity" as bigint) * cast("Price" as decimal(18, 5)) as amount
    from raw
)
select *, case
    when invoice like 'A%' then 'adjustment'
    when price < 0 then 'adjustment'
    when invoice like 'C%' and quantity < 0 then 'return'
    when invoice like 'C%' then 'adjustment'
    when quantity < 0 and customer is not null then 'return'
    when quantity < 0 then 'adjustment'
    else 'gross' end as kind
from typed
"""

NATIVE = """
    coalesce(sum(amount) filter (kind = 'gross'), 0) as gross,
    -coalesce(sum(amount) filter (kind = 'return'), 0) as returns,
    coalesce(sum(amount) filter (kind in ('gross', 'return')), 0) as net,
    count(distinct invoice) filter (kind = 'gross') as orders,
    coalesce(sum(quantity) filter (kind = 'gross'), 0) as units
"""


class Expected:
    """What the file says, by SQL over exact decimals."""

    def __init__(self, path):
        self.db = duckdb.connect(
            config={"autoinstall_known_extensions": "false", "autoload_known_extensions": "false"},
        )
        self.db.execute(
            """create table raw as
            select * from read_csv(?, header = true, all_varchar = true, delim = ',', quote = '"')""",
            [str(path)],
        )
        self.db.execute(LINES)
        self.rows = self.one("select count(*) from raw")[0]
        self.totals = self.one(f"select {NATIVE} from line")
        self.adjustments = self.one("select coalesce(sum(amount) filter (kind = 'adjustment'), 0) from line")[0]
        self.reference = self.one("select sum(amount) from line where invoice not like 'C%'")[0]
        self.by_day = self.keyed(f"select day, {NATIVE} from line group by day")
        self.by_month = self.keyed(f"select month, {NATIVE} from line group by month")
        self.by_country = self.keyed(f"select country, {NATIVE} from line group by country")
        self.by_customer = self.keyed(
            f"select customer, {NATIVE} from line where customer is not null group by customer"
        )
        self.top = self.all(
            """select product, sum(amount) as gross, cast(sum(quantity) as bigint) as units
            from line where kind = 'gross' group by product order by gross desc, product limit 10"""
        )
        self.cancellations = self.keyed(
            """select day, count(distinct invoice) as documents, sum(-abs(amount)) as amount
            from line where invoice like 'C%' group by day"""
        )
        self.reference_by = {
            part: self.keyed(f"select {part}, sum(amount) from line where invoice not like 'C%' group by {part}")
            for part in ("day", "month", "country")
        }
        self.reference_by_time = self.keyed(
            """select (left(day, 4), substr(day, 6, 2), quarter(cast(day as date)), week(cast(day as date)),
                dayname(cast(day as date))) as time, sum(amount)
            from line where invoice not like 'C%' group by time"""
        )
        self.reference_top = self.all(
            """select product, sum(amount) as sold from line where invoice not like 'C%'
            group by product order by sold desc, product limit 10"""
        )
        orders = self.one("select count(distinct invoice) from line where invoice not like 'C%'")[0]
        self.reference_average = (self.reference / orders).quantize(Decimal("0.00001"), ROUND_HALF_UP)
        self.cancelled_orders = self.keyed(
            "select invoice, sum(-abs(amount)) from line where invoice like 'C%' group by invoice"
        )
        self.customer_stats = self.keyed(
            """select customer, count(distinct invoice) as orders from line where customer is not null
            group by customer having orders > 1"""
        )
        self.average = (self.totals[0] / self.totals[3]).quantize(Decimal("0.00001"), ROUND_HALF_UP)

    def filtered(self, country=None, first=None, last=None):
        """The figures of the dashboard's tiles for some days and a country; None leaves nothing out."""
        where = "true"
        if country:
            where += f" and country = '{country}'"
        if first:
            where += f" and day between '{first}' and '{last}'"
        orders = f"""(select customer, count(distinct invoice) filter (kind = 'gross') as orders from line
            where customer is not null and {where} group by customer)"""
        return {
            "native": self.one(f"select {NATIVE} from line where {where}"),
            "reference": self.one(
                f"""select coalesce(sum(amount), 0), count(distinct invoice) from line
                where invoice not like 'C%' and {where}"""
            ),
            "top": self.all(
                f"""select product, sum(amount) as gross, cast(sum(quantity) as bigint) as units
                from line where kind = 'gross' and {where} group by product order by gross desc, product limit 10"""
            ),
            "cancelled": self.one(
                f"""select count(distinct invoice), coalesce(sum(-abs(amount)), 0) from line
                where invoice like 'C%' and {where}"""
            ),
            "loyal": self.one(
                f"""select count(*), count(*) filter (orders > 1), max(orders) filter (orders > 1)
                from {orders}"""
            ),
        }

    def all(self, sql):
        cursor = self.db.execute(sql)
        types = {str(column[1]) for column in cursor.description}
        assert not types & {"FLOAT", "DOUBLE", "REAL"}, f"a binary float in the expectation: {types}: {sql}"
        rows = cursor.fetchall()
        assert not any(isinstance(value, float) for row in rows for value in row)
        return rows

    def one(self, sql):
        (row,) = self.all(sql)
        return row

    def keyed(self, sql):
        return {row[0]: row[1:] for row in self.all(sql)}
