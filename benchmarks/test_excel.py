"""What the Python half of the Excel add-in costs, as a ratio to the function itself in one run."""

from __future__ import annotations

import pytest
from ratios import Goal, paired

import holdwater
from holdwater.hosts.excel_udfs import answer

SCALAR = Goal("LTV or PAYBACK from Excel's values", "times the time of the bare function", "the same body", at_most=10)
MANY = range(20_000)


@pytest.mark.parametrize("name", ["ltv", "payback"])
def test_a_scalar_call_costs_at_most_ten_times_the_bare_function(name: str) -> None:
    given = {"ltv": (30.0, 0.04), "payback": (600.0, 30.0)}[name]
    bare, excel_name = getattr(holdwater, name).__wrapped__, name.upper()
    assert answer(excel_name, *given) == ((bare(*given),),)

    def ours() -> None:
        for _ in MANY:
            answer(excel_name, *given)

    def theirs() -> None:
        for _ in MANY:
            bare(*given)

    SCALAR.measured(paired(ours, theirs, 15))
