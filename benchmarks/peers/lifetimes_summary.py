"""Frequency, recency, age and spend by lifetimes from the rows of an .npz file; prints seconds and a few sums."""

import json
import sys
import time
from statistics import median

import numpy as np
import pandas as pd
from lifetimes.utils import summary_data_from_transaction_data

rows = np.load(sys.argv[1])
table = pd.DataFrame({"customer": rows["customer"], "date": rows["date"], "amount": rows["amount"]})
times = []
for _ in range(2):
    start = time.perf_counter()
    summary = summary_data_from_transaction_data(table, "customer", "date", "amount")
    times.append(time.perf_counter() - start)
print(json.dumps({"seconds": median(times)} | {name: float(column.sum()) for name, column in summary.items()}))
