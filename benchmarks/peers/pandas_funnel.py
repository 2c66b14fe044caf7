"""The figures of each source with pandas, from lead.parquet and deal.parquet; prints seconds and the figures."""

import json
import sys
import time
from statistics import median

import pandas as pd

DAY = 86_400_000_000  # microseconds


def funnel(folder: str, as_of: pd.Timestamp) -> pd.DataFrame:
    leads = pd.read_parquet(f"{folder}/lead.parquet")
    deals = pd.read_parquet(f"{folder}/deal.parquet", columns=["lead_id", "status", "closed_at"])
    leads = leads[leads["created_at"] <= as_of]
    won = deals[(deals["status"] == "won") & (deals["closed_at"] <= as_of)]
    won = won.groupby("lead_id")["closed_at"].min().rename("won_at")
    leads = leads.merge(won, left_on="id", right_index=True, how="left")
    leads["customer"] = leads["won_at"].notna()
    microsecond = pd.Timedelta(1, "us")
    leads["days"] = (leads["won_at"] - leads["created_at"]) / microsecond / DAY
    leads["judged"] = (as_of - leads["created_at"]) / microsecond / DAY >= leads["days"].quantile(0.9)
    leads["judged_customer"] = leads["judged"] & leads["customer"]
    by_source = leads.groupby("source", dropna=False)
    return by_source.agg(
        leads=("id", "size"),
        customers=("customer", "sum"),
        judged_leads=("judged", "sum"),
        judged_customers=("judged_customer", "sum"),
        days_to_win_median=("days", "median"),
        days_to_win_p90=("days", lambda days: days.quantile(0.9)),
    ).reset_index()


def main(folder: str, as_of: str, repeats: str) -> None:
    times = []
    for _ in range(int(repeats)):
        start = time.perf_counter()
        found = funnel(folder, pd.Timestamp(as_of))
        times.append(time.perf_counter() - start)
    found["source"] = found["source"].astype(object).where(found["source"].notna(), None)
    print(json.dumps({"seconds": median(times), "rows": found.to_dict("records")}))


main(*sys.argv[1:])
