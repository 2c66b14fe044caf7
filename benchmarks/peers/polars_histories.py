"""Customers grouped by frequency, recency and age with Polars, from a folder of Parquet; prints seconds and sums."""

import json
import sys
import time
from datetime import date
from statistics import median

import polars as pl


def histories(folder: str, as_of: date) -> pl.DataFrame:
    day, spent = pl.col("day"), pl.col("amount_minor")
    rows = pl.scan_parquet(f"{folder}/*.parquet").filter(day <= as_of)
    days = rows.group_by("customer", "day").agg(spent.sum())
    each = days.group_by("customer").agg(
        frequency=pl.len().cast(pl.Int64) - 1,
        first=day.min(),
        last=day.max(),
        repeat_spend=spent.sum() - spent.get(day.arg_min()),
    )
    first = pl.col("first")
    told = each.select(
        "frequency",
        "repeat_spend",
        recency=(pl.col("last") - first).dt.total_days(),
        age=(pl.lit(as_of) - first).dt.total_days(),
    )
    groups = told.group_by("frequency", "recency", "age")
    return groups.agg(customers=pl.len().cast(pl.Int64), repeat_spend=pl.col("repeat_spend").sum()).collect()


def main(folder: str, as_of: str, repeats: str) -> None:
    times = []
    for _ in range(int(repeats)):
        start = time.perf_counter()
        found = histories(folder, date.fromisoformat(as_of))
        times.append(time.perf_counter() - start)
    weighted = {name: int((found[name] * found["customers"]).sum()) for name in ("frequency", "recency", "age")}
    sums = {name: int(found[name].sum()) for name in ("customers", "repeat_spend")}
    print(json.dumps({"seconds": median(times), "groups": found.height} | weighted | sums))


main(*sys.argv[1:])
