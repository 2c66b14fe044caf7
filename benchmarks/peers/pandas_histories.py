"""Customers grouped by frequency, recency and age with pandas, from a folder of Parquet; prints seconds and sums."""

import json
import sys
import time
from statistics import median

import pandas as pd


def histories(folder: str, as_of: pd.Timestamp) -> pd.DataFrame:
    rows = pd.read_parquet(folder)
    rows["day"] = pd.to_datetime(rows["day"])
    rows = rows[rows["day"] <= as_of]
    days = rows.groupby(["customer", "day"], as_index=False)["amount_minor"].sum()  # by customer, then by day
    each = days.groupby("customer").agg(
        frequency=("day", "size"),
        first=("day", "min"),
        last=("day", "max"),
        spent=("amount_minor", "sum"),
        at_first=("amount_minor", "first"),
    )
    told = pd.DataFrame(
        {
            "frequency": each["frequency"] - 1,
            "recency": (each["last"] - each["first"]).dt.days,
            "age": (as_of - each["first"]).dt.days,
            "repeat_spend": each["spent"] - each["at_first"],
        }
    )
    groups = told.groupby(["frequency", "recency", "age"], as_index=False)
    return groups.agg(customers=("repeat_spend", "size"), repeat_spend=("repeat_spend", "sum"))


def main(folder: str, as_of: str, repeats: str) -> None:
    times = []
    for _ in range(int(repeats)):
        start = time.perf_counter()
        found = histories(folder, pd.Timestamp(as_of))
        times.append(time.perf_counter() - start)
    weighted = {name: int((found[name] * found["customers"]).sum()) for name in ("frequency", "recency", "age")}
    sums = {name: int(found[name].sum()) for name in ("customers", "repeat_spend")}
    print(json.dumps({"seconds": median(times), "groups": len(found)} | weighted | sums))


main(*sys.argv[1:])
