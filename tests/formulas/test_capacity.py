"""Capacity of people: ranges that stand beside each other, in Python and in a spreadsheet."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import holdwater
from holdwater.formula import registry
from holdwater.translate import Ref, expression, lambda_text

steady = settings(derandomize=True, deadline=None)  # the same cases on every machine, however slow

PAIRS = st.lists(st.tuples(st.floats(0, 1e4), st.floats(0, 1)), min_size=1, max_size=40)


@steady
@given(PAIRS)
def test_ramped_reps_are_the_sum_of_products(pairs: list[tuple[float, float]]) -> None:
    reps, ramp = zip(*pairs, strict=True)
    expected = sum(a * b for a, b in pairs)
    assert holdwater.reps_ramped(reps, ramp) == pytest.approx(expected, rel=1e-12)
    assert 0 <= holdwater.reps_ramped(reps, ramp) <= sum(reps) * (1 + 1e-12)
    assert holdwater.reps_ramped(reps, [1] * len(reps)) == pytest.approx(sum(reps), rel=1e-12)


BESIDE: list[tuple[list[Any], list[Any], Any]] = [
    ([7, 3], [1, 0.4], 8.2),
    ([7, None, 3], [1, 0.9, 0.4], 8.2),  # nobody of that tenure: an empty cell keeps its place
    ([7, None, 3], [1, None, 0.4], 8.2),
    ([None, 7, 3], [0.1, 1, 0.4], 8.2),
    ([7, 3, None], [1, 0.4, None], 8.2),
    ([7, 3, 1], [1, None, 0.4], "#VALUE!"),  # three who sell nobody knows how much
    ([7, 0, 1], [1, None, 0.4], "#VALUE!"),
    ([7, 3], [1, 0.4, 0.2], "#VALUE!"),
    ([7, 3, 1], [1, 0.4], "#VALUE!"),
    ([7, 3, None], [1, 0.4], "#VALUE!"),
    ([7], [1, 0.4], "#VALUE!"),
    ([7, 3], [1, "abc"], "#VALUE!"),
    ([None, None], [1, 0.4], "#VALUE!"),
    ([7, 3], [1, 1.4], "#NUM!"),
    ([7, 3, 1], [1, 1.4], "#NUM!"),  # both wrong: the domain is looked at first, in every engine
]


def test_ranges_that_do_not_pair_up(ironcalc: Callable[..., list[Any]]) -> None:
    """Ranges of different lengths and empty cells within them, the same in Python and in both translations."""
    rows = []
    for row, (reps, ramp, _) in enumerate(BESIDE, start=1):
        first = f"A{row}:{chr(ord('A') + len(reps) - 1)}{row}"
        second = f"E{row}:{chr(ord('E') + len(ramp) - 1)}{row}"
        plain = expression(holdwater.reps_ramped, {"reps_by_tenure": Ref(first), "ramp": Ref(second)})
        cells = reps + [None] * (4 - len(reps)) + ramp
        rows.append((cells, [plain, f"REPS_RAMPED({first},{second})"]))
    names = {"REPS_RAMPED": lambda_text(registry["REPS_RAMPED"].function)}
    for (reps, ramp, expected), computed in zip(BESIDE, ironcalc(rows, names), strict=True):
        if isinstance(expected, str):
            with pytest.raises(holdwater.FormulaError) as caught:
                holdwater.reps_ramped(reps, ramp)
            assert [caught.value.cell, *computed] == [expected] * 3, (reps, ramp)
        else:
            assert [holdwater.reps_ramped(reps, ramp), *computed] == pytest.approx([expected] * 3, rel=1e-12)


def test_ranges_that_do_not_pair_up_say_so() -> None:
    for reps, ramp in ([7, 3], [1.0]), ([7, 3], [1, None]):
        with pytest.raises(holdwater.KindError, match="ranges of the same shape, with a ramp beside every"):
            holdwater.reps_ramped(reps, ramp)


@steady
@given(st.floats(0, 1e4), st.floats(0, 1e4), st.floats(0.01, 1e3), st.floats(0.01, 1))
def test_customer_capacity_uses_up_the_hours(staff: float, hours: float, each: float, utilization: float) -> None:
    served = holdwater.customer_capacity(staff, hours, each, utilization)
    assert served * each == pytest.approx(staff * hours * utilization, rel=1e-12)
    assert holdwater.lead_capacity(staff, hours, 60 * each, 1, utilization) == pytest.approx(served, rel=1e-12)
    assert holdwater.customer_capacity(staff, hours, each) == holdwater.customer_capacity(staff, hours, each, 0.8)
