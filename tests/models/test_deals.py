"""A cohort of deals: counted rightly, and refused where it cannot be."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np
import pytest

from holdwater.errors import FormulaError, KindError, NoDataError, NumError
from holdwater.models.deals import Deals, Status


def rows(deals: Deals) -> dict[tuple[float, str], float]:
    columns = {"open": deals.open, "won": deals.won, "lost": deals.lost}
    return {
        (float(day), name): float(count)
        for name, column in columns.items()
        for day, count in zip(deals.days, column, strict=True)
        if count
    }


@pytest.mark.parametrize(
    "unit", [1.0, 1 / 7, 3_000.0, 250_000.0], ids=["whole", "fractions", "large", "beyond counting"]
)
def test_counts_each_age_and_status(unit: float) -> None:
    random = np.random.default_rng(5)
    days = random.integers(0, 40, 500) * unit
    names = np.array(["open", "won", "lost"])[random.integers(0, 3, 500)]
    expected = Counter(zip(days.tolist(), names.tolist(), strict=True))
    deals = Deals.of(days, names)
    assert rows(deals) == expected
    assert (np.diff(deals.days) > 0).all()
    assert deals.decided == pytest.approx(1 - (names == "open").mean(), abs=1e-15)


def test_words_numbers_and_any_spelling_are_the_same() -> None:
    days = [3, 1, 2, 3]
    expected = rows(Deals.of(days, ["won", "lost", "open", "won"]))
    alike: list[Any] = [
        [Status.WON, Status.LOST, Status.OPEN, Status.WON],
        np.array([1, 2, 0, 1], dtype=np.int8),
        np.array([1, 2, 0, 1], dtype=np.uint64),
        [" Won", "LOST", "Open ", "won"],
        np.array(["won", "lost", "open", "won"], dtype=object),
    ]
    for status in alike:
        assert rows(Deals.of(days, status)) == expected


def test_weights_stand_for_deals_alike() -> None:
    one_by_one = Deals.of([4, 4, 4, 9, 9], ["won", "won", "open", "lost", "lost"])
    grouped = Deals.of([4, 4, 9, 8], ["won", "open", "lost", "won"], [2, 1, 2, 0])
    assert rows(grouped) == rows(one_by_one)


@pytest.mark.parametrize(
    ("days", "status", "weights", "error", "message"),
    [
        ([], [], None, NoDataError, "there are none"),
        ([1, 2], ["won", "open"], [0, 0], NoDataError, "there are none"),
        ([1, -2], ["won", "open"], None, NumError, "days is -2 in element 1.* future"),
        ([1, np.nan], ["won", "open"], None, NumError, "days is nan in element 1"),
        ([np.inf, 1], ["won", "open"], None, NumError, "days is inf in element 0"),
        (["1", "2"], ["won", "open"], None, KindError, "days holds something that is no number"),
        ([True, False], ["won", "open"], None, KindError, "days holds something that is no number"),
        ([None, 1], ["won", "open"], None, KindError, "days holds something that is no number"),
        ([[1], [2]], ["won", "open"], None, KindError, "days has 2 dimensions"),
        ([1, 2], ["won"], None, KindError, "status has 1 entries, days has 2"),
        ([1, 2], ["won", "gone"], None, KindError, "status is no won, lost or open in element 1"),
        ([1, 2], ["won", None], None, KindError, "status is no won, lost or open in element 1"),
        ([1, 2], [1, 3], None, KindError, "status is no won, lost or open in element 1"),
        ([1, 2], [1, -1], None, KindError, "status is no won, lost or open in element 1"),
        ([1, 2], [1.0, 0.0], None, KindError, "status is no won, lost or open in element 0"),
        ([1, 2], [True, False], None, KindError, "status is no won, lost or open in element 0"),
        ([1, 2], ["won", "open"], [1], KindError, "weights has 1 entries, days has 2"),
        ([1, 2], ["won", "open"], [1, -1], NumError, "weights is -1 in element 1"),
        ([1, 2], ["won", "open"], [1, np.nan], NumError, "weights is nan in element 1"),
    ],
)
def test_refuses_what_cannot_be(days: Any, status: Any, weights: Any, error: type[FormulaError], message: str) -> None:
    with pytest.raises(error, match=message):
        Deals.of(days, status, weights)


def test_what_was_typed_as_status_is_not_repeated() -> None:
    with pytest.raises(KindError) as caught:
        Deals.of([1], ["lost to Ms. Ash"])
    assert "Ash" not in str(caught.value)
