"""CONVERSION_MATURED as it stands in a cell."""

from __future__ import annotations

import math
import subprocess
import sys
from typing import Any

import numpy as np
import pytest
from coverage_conversion import BUSINESSES

import holdwater
from holdwater.models import cure
from holdwater.models.deals import Deals

DAYS = [12, 20, 31, 9, 40, 5, 15, 22, 30, 70]
STATUS = ["won", "won", "won", "lost", "lost", "open", "open", "open", "open", "open"]


def cells(deals: Deals) -> tuple[list[float], list[str]]:
    """One row a deal, as a sheet has them."""
    days: list[float] = []
    status: list[str] = []
    for name in ("open", "won", "lost"):
        for day, count in zip(deals.days, getattr(deals, name), strict=True):
            days += [float(day)] * int(count)
            status += [name] * int(count)
    return days, status


def test_row_of_four() -> None:
    low, rate, high, decided = holdwater.conversion_matured(DAYS, STATUS)
    assert 0 < low < rate < high < 1
    assert decided == 0.5
    fit = cure.fit(DAYS, STATUS)
    assert (low, high, False) == fit.conversion_limits()
    assert rate == fit.conversion


def test_half_a_year_of_deals() -> None:
    """12 % are won in the end; half of the deals are open."""
    deals = BUSINESSES[0].deals(np.random.default_rng(11), 2_000, 180)
    low, rate, high, decided = holdwater.conversion_matured(*cells(deals))
    assert low < 0.12 < high
    assert abs(rate - 0.12) < 0.015
    assert decided == deals.decided


def test_more_confidence_is_wider() -> None:
    ninety, narrow = holdwater.conversion_matured(DAYS, STATUS), holdwater.conversion_matured(DAYS, STATUS, 0.5)
    assert ninety[0] < narrow[0] < narrow[1] == ninety[1] < narrow[2] < ninety[2]


@pytest.mark.parametrize("confidence", [None, ""])
def test_blank_rows_and_blank_options_do_not_count(confidence: Any) -> None:
    days: Any = [None, *DAYS, ""]
    status: Any = ["", *STATUS, None]
    assert holdwater.conversion_matured(days, status, confidence) == holdwater.conversion_matured(DAYS, STATUS)


def test_a_column_of_a_sheet_an_array_and_any_spelling() -> None:
    expected = holdwater.conversion_matured(DAYS, STATUS)
    column: Any = tuple((day,) for day in DAYS)
    words: Any = tuple((f" {end.upper()} ",) for end in STATUS)
    assert holdwater.conversion_matured(column, words) == expected
    array: Any = np.array(DAYS)
    assert holdwater.conversion_matured(array, np.array(STATUS)) == expected  # type: ignore[arg-type]  # a sequence to us


def test_weeks_are_as_good_as_days() -> None:
    weeks = holdwater.conversion_matured([day / 7 for day in DAYS], STATUS)
    assert weeks == pytest.approx(holdwater.conversion_matured(DAYS, STATUS), rel=1e-9)


@pytest.mark.parametrize("days", [[3, 8, 200], [0, 0, 0], [1, 1, 1]])
def test_too_young_before_the_first_win(days: list[float]) -> None:
    with pytest.raises(holdwater.NoDataError, match="too young, 33% of them decided") as caught:
        holdwater.conversion_matured(days, ["open", "lost", "open"])
    assert caught.value.cell == "#N/A"


def test_too_young_while_wins_still_come_in_ever_faster() -> None:
    with pytest.raises(holdwater.NoDataError, match="too young"):
        holdwater.conversion_matured([*range(1, 41), *[41] * 400], ["won"] * 40 + ["open"] * 400)


def test_the_same_deals_are_old_enough_later() -> None:
    days = [*range(1, 41), *[400] * 400]
    low, rate, high, decided = holdwater.conversion_matured(days, ["won"] * 40 + ["open"] * 400)
    assert low < 40 / 440 < high
    assert rate == pytest.approx(40 / 440, rel=0.03)
    assert decided == pytest.approx(40 / 440)


@pytest.mark.parametrize(("end", "side"), [("won", 1), ("lost", -1)])
@pytest.mark.parametrize("n", [1, 40])
def test_all_decided_one_way_is_an_honest_doubt(end: str, side: int, n: int) -> None:
    low, rate, high, decided = holdwater.conversion_matured(list(range(n)), [end] * n)
    assert 0 < low < rate < high < 1
    assert decided == 1
    assert side * (rate - 0.5) > 0 or n == 1
    assert high - low > (0.4 if n == 1 else 0.02)


@pytest.mark.parametrize(
    ("days", "status", "error", "message"),
    [
        ([1, 2], ["won"], holdwater.KindError, "status has 1 cells and days has 2"),
        ([1, None], ["won", "open"], holdwater.KindError, "days in row 2 is blank"),
        ([1, 2], ["won", None], holdwater.KindError, "status in row 2 is no won, lost or open"),
        ([1, 2], ["won", " "], holdwater.KindError, "status in row 2 is no won, lost or open"),
        ([1, 2], ["won", "gone"], holdwater.KindError, "status in row 2 is no won, lost or open"),
        ([1, 2], ["won", 1], holdwater.KindError, "status in row 2 is no won, lost or open"),
        ([1, 2], ["won", True], holdwater.KindError, "status in row 2 is no won, lost or open"),
        ([None, None], ["", ""], holdwater.KindError, "days is an empty range"),
        (None, ["won"], holdwater.KindError, "days is missing"),
        ([1], None, holdwater.KindError, "status is missing"),
        (["soon"], ["won"], holdwater.KindError, "days is 'soon'; a number belongs here"),
        ([True], ["won"], holdwater.KindError, "days is True; a number belongs here"),
        ([-3], ["open"], holdwater.NumError, "days is -3; allowed is 0 or more"),
        ([math.nan], ["open"], holdwater.NumError, "days is nan; allowed is 0 or more"),
        ([math.inf], ["open"], holdwater.NumError, "days is inf; allowed is 0 or more"),
    ],
)
def test_refuses_what_cannot_be(days: Any, status: Any, error: type[holdwater.FormulaError], message: str) -> None:
    with pytest.raises(error, match=f"^CONVERSION_MATURED: {message}"):
        holdwater.conversion_matured(days, status)
    assert message in holdwater.explain("CONVERSION_MATURED", days, status)


def test_confidence_as_everywhere() -> None:
    with pytest.raises(holdwater.NumError, match=r"confidence is 0.05"):
        holdwater.conversion_matured(DAYS, STATUS, 0.05)


def test_in_a_python_without_numpy_explain_says_why() -> None:
    code = (
        "import sys; sys.modules['numpy'] = None\n"
        "import holdwater\n"
        "try:\n    holdwater.conversion_matured([1], ['won'])\n"
        "except holdwater.NoDataError as error:\n    print(error.cell, error)\n"
        "print(holdwater.explain('CONVERSION_MATURED', [1], ['won']))\n"
        "print(holdwater.explain('CONVERSION_MATURED', [1], ['gone']))\n"
    )
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.splitlines()
    assert said[0].startswith("#N/A CONVERSION_MATURED: the fit needs NumPy, which the Python here does not have")
    assert said[1] == said[0].removeprefix("#N/A ")
    assert "status in row 1" in said[2]


def test_asking_for_the_function_loads_no_numpy() -> None:
    code = "import sys, holdwater; holdwater.conversion_matured; print('numpy' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "False\n"
