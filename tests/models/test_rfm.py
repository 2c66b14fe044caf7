"""Frequency, recency, age and spend against a summary kept with plain dictionaries."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import holdwater
from holdwater.models import bg_nbd, rfm, transactions

DAY = date(2026, 1, 1)
Row = tuple[str, int, float]


def by_hand(rows: list[Row], as_of: int) -> dict[str, tuple[float, float, float, float]]:
    """Purchases without refunds: days since the first, and the mean of the days after it."""
    days: dict[str, dict[int, float]] = defaultdict(lambda: defaultdict(float))
    for name, day, amount in rows:
        days[name][day] += amount
    told: dict[str, tuple[float, float, float, float]] = {}
    for name, spent in days.items():
        first, *later = sorted(spent)
        mean = sum(spent[day] for day in later) / len(later) if later else 0.0
        told[name] = (len(later), (later[-1] - first) if later else 0, as_of - first, mean)
    return told


def told(summary: rfm.Summary) -> dict[str, tuple[float, float, float, float]]:
    columns = summary.names, summary.frequency, summary.recency, summary.age, summary.spend
    return {row[0]: row[1:] for row in zip(*(column.tolist() for column in columns), strict=True)}


ROWS = st.lists(
    st.tuples(st.sampled_from("abcdefg"), st.integers(46_000, 46_060), st.integers(1, 9).map(float)), min_size=1
)


@given(ROWS)
def test_any_list_of_purchases_as_by_hand(rows: list[Row]) -> None:
    names, days, amounts = (list(column) for column in zip(*rows, strict=True))
    found, wanted = told(rfm.summarise(names, days, amounts, as_of=46_061)), by_hand(rows, 46_061)
    assert list(found) == list(wanted), "in order of their first row"
    for name, numbers in found.items():
        assert numbers == pytest.approx(wanted[name])


@given(ROWS, st.integers(46_010, 46_050))
def test_calibration_knows_nothing_of_what_came_after(rows: list[Row], end: int) -> None:
    names, days, amounts = (list(column) for column in zip(*rows, strict=True))
    before = [row for row in rows if row[1] <= end]
    if not before:
        with pytest.raises(holdwater.NoDataError):
            rfm.split(names, days, amounts, end=end, as_of=46_061)
        return
    summary, holdout = rfm.split(names, days, amounts, end=end, as_of=46_061, unit=7)
    wanted = by_hand(before, end)
    assert told(summary).keys() == wanted.keys()
    for name, (f, r, a, s) in wanted.items():
        assert told(summary)[name] == pytest.approx((f, r / 7, a / 7, s))
    assert holdout.time == pytest.approx((46_061 - end) / 7)
    for name, count, spend in zip(summary.names, holdout.frequency, holdout.spend, strict=True):
        later = [row for row in rows if row[0] == name and row[1] > end]
        assert count == len({day for _, day, _ in later})
        assert spend == pytest.approx(sum(amount for *_, amount in later) / max(count, 1))


def settled_by_hand(rows: list[Row]) -> dict[str, dict[int, float]]:
    """Day by day: what a day lacks comes from the customer's last day before it that is worth something."""
    days: dict[str, dict[int, float]] = defaultdict(lambda: defaultdict(float))
    for name, day, amount in rows:
        days[name][day] += amount
    for spent in days.values():
        for day in sorted(spent):
            for earlier in sorted((d for d in spent if d < day and spent[d] > 0), reverse=True):
                if spent[day] >= 0:
                    break
                taken = min(spent[earlier], -spent[day])
                spent[earlier] -= taken
                spent[day] += taken
    return {name: {d: a for d, a in spent.items() if a > 0} for name, spent in days.items()}


@given(
    st.lists(st.tuples(st.sampled_from("abc"), st.integers(46_000, 46_012), st.integers(-12, 9).map(float)), min_size=1)
)
def test_refunds_take_from_the_last_purchases_before_them(rows: list[Row]) -> None:
    names, days, amounts = (list(column) for column in zip(*rows, strict=True))
    bought = rfm.purchase_days(names, days, amounts)
    wanted = {(n, d): a for n, spent in settled_by_hand(rows).items() for d, a in spent.items()}
    found = zip(bought.names[bought.customer], bought.day, bought.amount, strict=True)
    assert {(n, int(d)): a for n, d, a in found} == wanted


def test_refunds_in_the_words_of_an_owner() -> None:
    def frequency(*amounts: float) -> tuple[float, float]:
        days = [46_000 + 10 * place for place in range(len(amounts))]
        summary = rfm.summarise(["Ash"] * len(amounts), days, amounts, as_of=46_100)
        return float(summary.frequency[0]), float(summary.spend[0])

    assert frequency(20, 30, 40) == (2, 35)
    assert frequency(20, 30, 40, -10) == (2, 30), "part of the money back"
    assert frequency(20, 30, 40, -40) == (1, 30), "all of it back: no purchase"
    assert frequency(20, 30, 40, -50) == (1, 20), "and some of the one before"
    assert frequency(20, 0, 40) == (1, 40), "free: no purchase"
    assert frequency(20, 0.1 + 0.2, -0.3, 40) == (1, 40), "rounding is no purchase either"
    alone = rfm.purchase_days(["Ash", "Ash"], [46_000, 46_010], [-20, 30])
    assert (alone.unmatched_refunds, alone.amount.tolist()) == (1, [30])
    with pytest.raises(holdwater.NoDataError, match="all of it was refunded"):
        rfm.summarise(["Ash", "Ash"], [46_000, 46_010], [20, -20])


KINDS: dict[str, Callable[[list[int]], Any]] = {
    "day numbers": list,
    "floats with a time of day": lambda days: [day + 0.75 for day in days],
    "dates": lambda days: [date(1899, 12, 30) + timedelta(days=day) for day in days],
    "moments": lambda days: [datetime(1899, 12, 30, 23, 30, tzinfo=UTC) + timedelta(days=day) for day in days],
    "NumPy days": lambda days: np.datetime64("1899-12-30") + np.array(days),
    "NumPy nanoseconds": lambda days: (np.datetime64("1970-01-01") + np.array(days) - 25_569).astype("datetime64[ns]"),
    "NumPy dates in a list": lambda days: list(np.datetime64("1899-12-30") + np.array(days)),
    "a column of a sheet": lambda days: [[day] for day in days],
}


@pytest.mark.parametrize("kind", KINDS)
def test_dates_of_any_kind(kind: str) -> None:
    days = [46_000, 46_020, 46_005, 46_020]
    found = rfm.summarise(["a", "a", "b", "a"], KINDS[kind](days), [1.0, 2, 3, 4], as_of=date(2026, 2, 1))
    assert told(found) == {"a": (1, 20, 54, 6), "b": (0, 0, 49, 0)}


@pytest.mark.parametrize(
    "names",
    [
        np.array([7, 7, -3, 7]),
        np.array([200, 200, 3, 200], dtype=np.uint8),
        np.array([7, 7, 2**40, 7], dtype=np.uint64),
        np.array([7, 7, 2**61, 7], dtype=np.int64),
        np.array(["x", "x", "y", "x"]),
        [1001.0, 1001.0, "Birk", 1001.0],
    ],
)
def test_customers_of_any_kind(names: Any) -> None:
    found = rfm.summarise(names, [46_000, 46_020, 46_005, 46_020], as_of=46_030)
    assert told(found) == {names[0]: (1, 20, 30, 0), names[2]: (0, 0, 25, 0)}


def test_days_or_weeks_are_the_same_customers() -> None:
    random = np.random.default_rng(1)
    names, days = random.integers(0, 300, 2_000), 45_000 + random.integers(0, 700, 2_000)
    amounts = random.gamma(2, 10, 2_000)
    daily, weekly = (rfm.summarise(names, days, amounts, unit=unit) for unit in (1, 7))
    by_day, by_week = (bg_nbd.fit(*summary.histories) for summary in (daily, weekly))
    for name in ("r", "a", "b"):
        assert by_day.parameters[name] == pytest.approx(by_week.parameters[name], rel=1e-9)
    assert by_day.parameters["alpha"] == pytest.approx(7 * by_week.parameters["alpha"], rel=1e-9)


def test_keys_too_long_to_pack_sort_all_the_same() -> None:
    random = np.random.default_rng(2)
    key = random.integers(0, 2**58, 1_000)
    for keys in (key, key >> 30):
        found = keys.copy()
        order = rfm._sort(found, with_order=True)
        assert (found == np.sort(keys)).all()
        assert (keys[order] == found).all()


@pytest.mark.parametrize(
    ("customers", "dates", "amounts", "error", "message"),
    [
        (["a", None], [46_000, 46_001], [1, 1], holdwater.KindError, "row 2 of customers is blank"),
        (["a", float("nan")], [46_000, 46_001], [1, 1], holdwater.KindError, "row 2 of customers is blank"),
        (["a", "b"], [46_000, "2026-01-01"], [1, 1], holdwater.KindError, "row 2 of dates is no date"),
        (["a", "b"], [46_000, None], [1, 1], holdwater.KindError, "row 2 of dates is no date"),
        (["a", "b"], np.array(["2026-01-01", "NaT"], "M8[D]"), [1, 1], holdwater.KindError, "row 2 of dates is blank"),
        (["a", "b"], [46_000, float("nan")], [1, 1], holdwater.NumError, "row 2 of dates is no day between"),
        (["a", "b"], [46_000, -1], [1, 1], holdwater.NumError, "row 2 of dates is no day between"),
        (["a", "b"], [46_000, 1_767_225_600], [1, 1], holdwater.NumError, "row 2 of dates is no day between"),
        (["a"], np.array(["1850-01-01"], "M8[D]"), [1], holdwater.NumError, "row 1 of dates is no day between"),
        (["a", "b"], np.array(["x", "y"]), [1, 1], holdwater.KindError, "dates are no dates"),
        (["a", "b"], [46_000, 46_001], [1, float("nan")], holdwater.NumError, "row 2 of amounts is infinite or no"),
        (["a", "b"], [46_000, 46_001], [1, "5"], holdwater.KindError, "row 2 of amounts is no number"),
        (["a", "b"], [46_000, 46_001], [1, None], holdwater.KindError, "row 2 of amounts is no number"),
        (["a", "b"], [46_000, 46_001], [1], holdwater.KindError, "2 customers but 1 amounts"),
        (["a", "b"], [46_000], [1, 1], holdwater.KindError, "2 customers but 1 dates"),
        ([], [], [], holdwater.NoDataError, "no rows"),
        ("a", [46_000], [1], holdwater.KindError, "one cell stands where a column"),
        (np.ones((2, 2)), [46_000], [1], holdwater.KindError, "2 dimensions"),
        (["a"], [transactions.today() + 9], [1], holdwater.NumError, "still to come"),
    ],
)
def test_what_cannot_be_is_named_without_the_customer(
    customers: Any, dates: Any, amounts: Any, error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        rfm.summarise(customers, dates, amounts)


def test_dates_after_the_end_are_refused_not_dropped() -> None:
    with pytest.raises(holdwater.NumError, match="latest date is 2025-12-20, after as_of, 2025-12-10"):
        rfm.summarise(["a"], [46_011], [1], as_of=46_001)
    with pytest.raises(holdwater.KindError, match="as_of is no date"):
        rfm.summarise(["a"], [46_011], [1], as_of="yesterday")
    with pytest.raises(holdwater.NumError, match="holdout period has no day"):
        rfm.split(["a"], [46_011], [1], end=46_011)
    with pytest.raises(holdwater.NumError, match="unit is 0 days"):
        rfm.summarise(["a"], [46_011], [1], unit=0)


def test_the_summary_of_cdnow(cdnow: Path) -> None:
    """The published summary of the 2,357 customers, from their transactions of 1997 and 1998."""
    rows = [line.split() for line in (cdnow / "CDNOW_sample.txt").read_text().splitlines()]
    dates = [datetime.strptime(row[2], "%Y%m%d").replace(tzinfo=UTC) for row in rows]
    numbers = [int(row[1]) for row in rows]
    summary, holdout = rfm.split(numbers, dates, end=date(1997, 9, 30), as_of=date(1998, 6, 30), unit=7)
    published = np.genfromtxt(cdnow / "cdnow_customers_summary.csv", delimiter=",", skip_header=1)
    assert summary.names.tolist() == published[:, 0].tolist()
    assert summary.frequency == pytest.approx(published[:, 1])
    assert summary.recency == pytest.approx(published[:, 2], abs=0.0051)
    assert summary.age == pytest.approx(published[:, 3], abs=0.0051)
    later = {(number, day) for number, day in zip(numbers, dates, strict=True) if day.date() > date(1997, 9, 30)}
    assert (holdout.frequency.sum(), holdout.time) == (len(later), 39)
