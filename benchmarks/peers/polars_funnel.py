"""The figures of each source with Polars, from lead.parquet and deal.parquet; prints seconds and the figures."""

import json
import sys
import time
from datetime import datetime
from statistics import median

import polars as pl

DAY = 86_400_000_000  # microseconds


def funnel(folder: str, as_of: datetime) -> pl.DataFrame:
    leads = pl.scan_parquet(f"{folder}/lead.parquet").filter(pl.col("created_at") <= as_of)
    deals = pl.scan_parquet(f"{folder}/deal.parquet")
    won = deals.filter(pl.col("status") == "won", pl.col("closed_at") <= as_of)
    won = won.group_by("lead_id").agg(won_at=pl.col("closed_at").min())
    created, days = pl.col("created_at"), pl.col("days")
    rows = leads.join(won, left_on="id", right_on="lead_id", how="left").select(
        "source",
        customer=pl.col("won_at").is_not_null(),
        days=(pl.col("won_at") - created).dt.total_microseconds() / DAY,
        age=(pl.lit(as_of) - created).dt.total_microseconds() / DAY,
    )
    judged, customer = pl.col("judged"), pl.col("customer")
    rows = rows.with_columns(judged=pl.col("age") >= days.quantile(0.9, "linear"))
    return (
        rows.group_by("source")
        .agg(
            leads=pl.len(),
            customers=customer.sum(),
            judged_leads=judged.sum(),
            judged_customers=(judged & customer).sum(),
            days_to_win_median=days.median(),
            days_to_win_p90=days.quantile(0.9, "linear"),
        )
        .collect()
    )


def main(folder: str, as_of: str, repeats: str) -> None:
    times = []
    for _ in range(int(repeats)):
        start = time.perf_counter()
        found = funnel(folder, datetime.fromisoformat(as_of))
        times.append(time.perf_counter() - start)
    print(json.dumps({"seconds": median(times), "rows": found.to_dicts()}))


main(*sys.argv[1:])
