"""The peer of the order counters: `order_counters.py ORDERS RESTAURANTS DATABASE`, what one writes by hand in Python.

json.loads per message; repeats and older versions are recognised by a table of orders; counters of user and product and
of user and category, orders and the position in the file go to SQLite in one transaction per 1,000 messages (WAL,
synchronous=NORMAL as in till's tables, executemany). Nothing else is kept or checked: no lines, sums, validation or
quarantine. Positions are byte offsets, so a restart goes on where the last transaction ended.
"""

import json
import sqlite3
import sys
import time
from collections import Counter
from itertools import islice

BATCH = 1_000
SCHEMA = """
    PRAGMA journal_mode = WAL;
    PRAGMA synchronous = NORMAL;
    CREATE TABLE menu (restaurant TEXT, product TEXT, category TEXT, PRIMARY KEY (restaurant, product)) WITHOUT ROWID;
    CREATE TABLE current (number INTEGER PRIMARY KEY, version TEXT NOT NULL, status TEXT NOT NULL, user TEXT NOT NULL,
        products TEXT NOT NULL, categories TEXT NOT NULL) STRICT;
    CREATE TABLE user_product (user TEXT, product TEXT, orders INTEGER, PRIMARY KEY (user, product)) WITHOUT ROWID;
    CREATE TABLE user_category (user TEXT, category TEXT, orders INTEGER, PRIMARY KEY (user, category)) WITHOUT ROWID;
    CREATE TABLE position (file TEXT PRIMARY KEY, bytes INTEGER NOT NULL);
"""
COUNT = """INSERT INTO user_{0} VALUES (?, ?, ?)
    ON CONFLICT (user, {0}) DO UPDATE SET orders = orders + excluded.orders"""


def book(batch, database, menu, changes):
    marks = ",".join("?" * len(batch))
    numbers = [order["object_id"] for order in batch]
    known = {row[0]: row for row in database.execute(f"SELECT * FROM current WHERE number IN ({marks})", numbers)}
    fresh = {}
    for order in batch:
        number, payload = order["object_id"], order["payload"]
        before = known.get(number)
        if before and before[1] >= payload["update_ts"]:
            continue
        products = sorted({item["id"] for item in payload["order_items"]})
        categories = sorted({menu[payload["restaurant"]["id"], product] for product in products})
        row = (
            number,
            payload["update_ts"],
            payload["final_status"],
            payload["user"]["id"],
            json.dumps(products),
            json.dumps(categories),
        )
        for state, sign in ((before, -1), (row, 1)):
            if state and state[2] == "CLOSED":
                changes["product"].update({(state[3], product): sign for product in json.loads(state[4])})
                changes["category"].update({(state[3], name): sign for name in json.loads(state[5])})
        known[number] = fresh[number] = row
    return fresh.values()


def main():
    orders, restaurants, path = sys.argv[1:]
    started, cpu, count, position = time.perf_counter(), time.process_time(), 0, 0
    database = sqlite3.connect(path, isolation_level=None)
    database.executescript(SCHEMA)
    menu = {}
    with open(restaurants, "rb") as source:
        for place in map(json.loads, source):
            menu |= {(place["_id"], item["_id"]): item["category"] for item in place["menu"]}
    database.executemany("INSERT INTO menu VALUES (?, ?, ?)", [(*key, name) for key, name in menu.items()])
    with open(orders, "rb") as source:
        while rows := list(islice(source, BATCH)):
            changes = {"product": Counter(), "category": Counter()}
            database.execute("BEGIN")
            states = book([json.loads(row) for row in rows], database, menu, changes)
            database.executemany("INSERT OR REPLACE INTO current VALUES (?, ?, ?, ?, ?, ?)", states)
            for name, deltas in changes.items():
                added = [(*key, delta) for key, delta in deltas.items() if delta]
                database.executemany(COUNT.format(name), added)
            position += sum(map(len, rows))
            database.execute("INSERT OR REPLACE INTO position VALUES ('orders', ?)", (position,))
            database.execute("COMMIT")
            count += len(rows)
    database.close()
    seconds, cpu = time.perf_counter() - started, time.process_time() - cpu
    print(json.dumps({"seconds": seconds, "cpu_seconds": round(cpu, 2), "messages": count}))


main()
