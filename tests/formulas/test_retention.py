"""Rates, lifetimes and annuities keep their digits, for the smallest rate and the oddest length of time."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import mpmath
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

import holdwater
from holdwater.translate import Ref, expression, lambda_text, plain

TINY_TO_ALL = st.floats(-300, 0).map(lambda power: 10**power)
CONVERSIONS = (holdwater.churn_convert, holdwater.discount_convert)
PERIODS = st.floats(-6, 4).map(lambda power: 10**power)


@given(TINY_TO_ALL, PERIODS)
@example(1e-17, 12.0)
@example(0.9999999999999999, 1 / 12)
def test_churn_of_another_period_has_all_its_digits(rate: float, periods: float) -> None:
    with mpmath.workdps(350):
        exact = float(1 - (1 - mpmath.mpf(rate)) ** mpmath.mpf(periods))
    assert holdwater.churn_convert(rate, periods) == pytest.approx(exact, rel=1e-12, abs=0)


@given(TINY_TO_ALL, st.sampled_from([1, -0.999]), st.floats(1e-6, 500))
def test_discount_of_another_period_has_all_its_digits(size: float, sign: float, periods: float) -> None:
    rate = sign * size
    with mpmath.workdps(350):
        exact = float((1 + mpmath.mpf(rate)) ** mpmath.mpf(periods) - 1)
    assert holdwater.discount_convert(rate, periods) == pytest.approx(exact, rel=1e-12, abs=0)


@given(st.floats(1e-12, 0.99), st.floats(0.01, 100))
def test_there_and_back_again(rate: float, periods: float) -> None:
    # Close to 1 a float has few digits left for those who stay.
    year = holdwater.churn_convert(rate, periods)
    if year < 0.999:
        assert holdwater.churn_convert(year, 1 / periods) == pytest.approx(rate, rel=1e-9, abs=0)
    grown = holdwater.discount_convert(rate, periods)
    if grown <= 1:
        assert holdwater.discount_convert(grown, 1 / periods) == pytest.approx(rate, rel=1e-9, abs=0)


def test_edges_of_conversion() -> None:
    assert holdwater.churn_convert(1, 1 / 12) == 1
    assert holdwater.churn_convert(0, 12) == 0
    assert holdwater.discount_convert(0, 12) == 0
    assert holdwater.discount_convert(0.1, 1) == pytest.approx(0.1, rel=1e-15)
    with pytest.raises(holdwater.NumError, match="no finite answer"):
        holdwater.discount_convert(1, 1e5)
    with pytest.raises(holdwater.NumError, match="periods is 0"):
        holdwater.churn_convert(0.1, 0)


@given(st.floats(1e-12, 1), PERIODS, st.sampled_from([0, 1, 2]))
@example(0.09, 0.001, 0)  # a share of one period
@example(1e-12, 1e5, 0)  # 1 - churn is rounded, and to a high power the rounding would show
def test_value_over_any_length_of_time(churn: float, periods: float, timing: int) -> None:
    with mpmath.workdps(50):
        c = mpmath.mpf(churn)
        exact = float((1 - (1 - c) ** mpmath.mpf(periods)) / c * (1 - c if timing == 2 else 1))
    assert holdwater.ltv(1, churn, 0, 0, periods, timing) == pytest.approx(exact, rel=1e-10, abs=0)


def test_lifetime() -> None:
    assert holdwater.lifetime(1) == 1
    assert holdwater.lifetime(0.04, 60) == holdwater.lifetime(0.04, 26) == 25
    assert holdwater.lifetime(0.01, 60) == 60
    assert holdwater.lifetime(0, 60) == holdwater.lifetime(1e-320, 60) == 60
    with pytest.raises(holdwater.NumError, match="give cap"):
        holdwater.lifetime(0)
    with pytest.raises(holdwater.NumError, match="cap is 0"):
        holdwater.lifetime(0.04, 0)


def test_digits_survive_in_a_cell(ironcalc: Callable[..., list[Any]]) -> None:
    """Rates down to the smallest, where 1 - (1 - rate)^periods as it is written would give 0."""
    lengths = (1 / 12, 1.0, 12.0, 300.0)
    cases = [(rate * 10**-power, n) for rate in (1.0, 0.37) for power in range(20) for n in lengths]
    names = {f.formula.excel_name: lambda_text(f) for f in CONVERSIONS}  # type: ignore[attr-defined]  # by @formula
    where = {"rate": Ref("A{}"), "periods": Ref("B{}")}
    texts = [text for f in CONVERSIONS for text in (expression(f, where), f"{f.__name__.upper()}(A{{}},B{{}})")]
    rows = [(case, [text.replace("{}", str(row)) for text in texts]) for row, case in enumerate(cases, 1)]
    for (rate, periods), (churn, churn_name, discount, discount_name) in zip(cases, ironcalc(rows, names), strict=True):
        with mpmath.workdps(50):
            lost = float(1 - (1 - mpmath.mpf(rate)) ** mpmath.mpf(periods))
            grown = float((1 + mpmath.mpf(rate)) ** mpmath.mpf(periods) - 1)
        assert [churn, churn_name] == pytest.approx([lost] * 2, rel=1e-12, abs=0), (rate, periods)
        assert [discount, discount_name] == pytest.approx([grown] * 2, rel=1e-12, abs=0), (rate, periods)


def test_conversion_stays_short_enough_to_be_read_in_a_cell() -> None:
    assert len(plain(holdwater.churn_convert, {"rate": Ref("A1"), "periods": 12})) < 400
    assert len(plain(holdwater.discount_convert, {"rate": Ref("A1"), "periods": 12})) < 400


def test_what_is_known_beforehand_is_folded_or_is_no_number() -> None:
    assert float(plain(holdwater.discount_convert, {"rate": 0.1, "periods": 1 / 12})) == pytest.approx(0.00797414)
    assert plain(holdwater.discount_convert, {"rate": 1, "periods": 1e5}) == "#NUM!"
