from __future__ import annotations

from datetime import date
from itertools import islice
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pytest

from holdwater.errors import ExportError, NumError
from holdwater.sandbox.transactions import Shop, purchases, write_purchases


def read(folder: Path) -> list[tuple[int, date, int]]:
    with duckdb.connect(":memory:") as database:
        return database.execute("SELECT * FROM read_parquet(?) ORDER BY ALL", [str(folder / "*.parquet")]).fetchall()


def test_the_same_seed_gives_the_same_rows_however_many_are_asked_for(tmp_path: Path) -> None:
    assert write_purchases(tmp_path / "few", 1_000, seed=5) >= 1_000
    assert write_purchases(tmp_path / "more", 3_000, seed=5) >= 3_000
    assert write_purchases(tmp_path / "other", 1_000, seed=6) >= 1_000
    few, more = read(tmp_path / "few"), read(tmp_path / "more")
    assert few == more[: len(few)]  # whole customers, in their order
    assert few != read(tmp_path / "other")[: len(few)]


def test_rows_lie_within_the_observation(tmp_path: Path) -> None:
    shop = Shop(days=100, new_customers_until=50)
    write_purchases(tmp_path, 5_000, shop=shop)
    days = [day for _, day, _ in read(tmp_path)]
    assert shop.opened <= min(days) <= max(days) <= shop.closed == date(2025, 4, 10)
    assert min(amount for _, _, amount in read(tmp_path)) >= 1


def test_customers_behave_as_the_truth_says() -> None:
    """The means that the parameters imply: spend p v / (q - 1), and who never returns by the age of those who came."""
    (block,) = islice(purchases(Shop(days=200, new_customers_until=1), seed=2), 1)
    (p, q, v), (r, alpha, _, _) = Shop().spending, Shop().buying
    each = np.bincount(block.customer, block.amount_minor) / np.bincount(block.customer)
    assert each.mean() == pytest.approx(p * v / (q - 1), rel=0.01)
    once = (np.bincount(block.customer) == 1).mean()
    assert once == pytest.approx((alpha / (alpha + 199.5)) ** r, rel=0.02)


def test_a_folder_with_other_rows_is_refused(tmp_path: Path) -> None:
    """Fewer rows over more would leave the last files of the others."""
    write_purchases(tmp_path, 1_000)
    with pytest.raises(ExportError, match="already"):
        write_purchases(tmp_path, 10)


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"days": 100}, "new_customers_until is 270"),
        ({"new_customers_until": -1}, "new_customers_until is -1"),
        ({"buying": (1.0, 2.0, 0.0, 3.0)}, "buying"),
        ({"spending": (1.0, float("nan"), 3.0)}, "spending"),
    ],
)
def test_a_shop_that_cannot_be_is_refused(wrong: dict[str, Any], said: str) -> None:
    with pytest.raises(NumError, match=said):
        Shop(**wrong)


def test_no_rows_are_refused(tmp_path: Path) -> None:
    with pytest.raises(NumError, match="rows is 0"):
        write_purchases(tmp_path, 0)
