"""100,000,000 purchases in Parquet: counted in DuckDB, fitted in NumPy. Runs only when it is named."""

from __future__ import annotations

from itertools import islice
from pathlib import Path

import numpy as np
import pytest
import scale
from numpy.typing import NDArray
from ratios import Goal

from holdwater.models import bg_nbd, gamma_gamma
from holdwater.models.fitted import Estimator
from holdwater.sandbox.transactions import Purchases, Shop, purchases

MEMORY = Goal("Counts and fits of 100,000,000 purchases", "GB of memory at the peak", "DuckDB and NumPy", at_most=6)
GROWTH = Goal(
    "Counts and fits of 100,000,000 purchases", "times the cost of one among 10,000,000", "itself", at_most=1.2
)
EARLIER = Goal(
    "Counts and fits of 10,000,000 purchases", "times the cost of one among 1,000,000", "itself", at_most=1.2
)
ROOT = Path(__file__).parents[1]
FOLDER = ROOT / "build" / "scale"  # kept: a run that was cut short goes on
PLOT = ROOT / "docs" / "static" / "scale.svg"


def test_cost_grows_with_the_rows_and_memory_does_not() -> None:
    FOLDER.mkdir(parents=True, exist_ok=True)
    small, middle, large = (scale.one(FOLDER, size) for size in scale.SIZES)
    buying, spent = fits_of_others()
    assert large["buying"] == pytest.approx(buying, rel=0.02)
    assert large["spent"] == pytest.approx(spent, rel=0.02)
    MEMORY.measured(large["megabytes"] / 1024)
    each_small, each_middle, each_large = (told["seconds"] / told["purchases"] for told in (small, middle, large))
    EARLIER.measured(each_middle / each_small)
    GROWTH.measured(each_large / each_middle)
    PLOT.write_text(scale.svg([small, middle, large]), encoding="utf-8")


def fits_of_others() -> tuple[list[float], list[float]]:
    """The fits of 1,000,000 other customers of the same shop, row by row and without an engine.

    Both differ from how the shop was simulated, and alike: purchases of one day are one, which makes buying rarer and
    what is spent on a day more.
    """
    shop = Shop()
    blocks = [_histories(block, shop) for block in islice(purchases(shop, seed=2), 5)]
    frequency, recency, age, spend = (np.concatenate(column) for column in zip(*blocks, strict=True))
    again = frequency > 0
    buying = bg_nbd.fit(frequency, recency, age, estimator=Estimator.LIKELIHOOD)
    spent = gamma_gamma.fit(frequency[again], spend[again], estimator=Estimator.LIKELIHOOD)
    return list(buying.parameters.values()), list(spent.parameters.values())


def _histories(rows: Purchases, shop: Shop) -> tuple[NDArray[np.float64], ...]:
    """Repeat days, days from first to last and to the close, mean spend of a repeat day; the rows are in order."""
    new_day = np.diff(rows.customer, prepend=-1).astype(bool) | np.diff(rows.day, prepend=-1).astype(bool)
    amount = np.add.reduceat(rows.amount_minor, np.flatnonzero(new_day)).astype(float)
    customer, day = rows.customer[new_day], rows.day[new_day].astype(float)
    first = np.flatnonzero(np.diff(customer, prepend=-1))
    last = np.append(first[1:], len(customer)) - 1
    frequency = (last - first).astype(float)
    repeats = np.add.reduceat(amount, first) - amount[first]
    age = shop.days - 1 - day[first]
    return frequency, day[last] - day[first], age, repeats / np.maximum(frequency, 1)
