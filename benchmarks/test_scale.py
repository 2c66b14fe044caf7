"""100,000,000 purchases in Parquet: counted in DuckDB, fitted in NumPy. Runs only when it is named."""

from __future__ import annotations

from pathlib import Path

import pytest
import scale
from ratios import Goal

from holdwater.sandbox.transactions import Shop

MEMORY = Goal("Counts and fits of 100,000,000 purchases", "GB of memory at the peak", "DuckDB and NumPy", at_most=6)
GROWTH = Goal(
    "Counts and fits of 100,000,000 purchases", "times the cost of one among 10,000,000", "itself", at_most=1.2
)
EARLIER = Goal(
    "Counts and fits of 10,000,000 purchases", "times the cost of one among 1,000,000", "itself", at_most=1.2
)
FOLDER = Path(__file__).parents[1] / "build" / "scale"  # kept: a run that was cut short goes on


def test_cost_grows_with_the_rows_and_memory_does_not() -> None:
    FOLDER.mkdir(parents=True, exist_ok=True)
    small, middle, large = (scale.one(FOLDER, size) for size in scale.SIZES)
    shop = Shop()
    for fitted, true in ((large["buying"], shop.buying), (large["spent"], shop.spending)):
        assert fitted == pytest.approx(true, rel=0.02)
    MEMORY.measured(large["megabytes"] / 1024)
    each_small, each_middle, each_large = (told["seconds"] / told["purchases"] for told in (small, middle, large))
    EARLIER.measured(each_middle / each_small)
    GROWTH.measured(each_large / each_middle)
    (FOLDER / "scale.svg").write_text(scale.svg([small, middle, large]), encoding="utf-8")
