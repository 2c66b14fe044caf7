"""What the boundary between cells and Python costs, as a ratio to the function itself in one run."""

from __future__ import annotations

import pytest
from ratios import Goal, paired

import holdwater
from holdwater.hosts.cells import evaluate

SCALAR = Goal("LTV, PAYBACK or CHURN of one cell", "times the time of the bare function", "the same body", at_most=10)
MANY = range(20_000)


@pytest.mark.parametrize("name", ["ltv", "payback", "churn"])  # the last is a single division
def test_a_scalar_call_costs_at_most_ten_times_the_bare_function(name: str) -> None:
    given = {"ltv": (30.0, 0.04), "payback": (600.0, 30.0), "churn": (200.0, 13.0)}[name]
    bare, excel_name = getattr(holdwater, name).__wrapped__, name.upper()
    assert evaluate(excel_name, given) == bare(*given)

    def ours() -> object:
        return [evaluate(excel_name, given) for _ in MANY]

    def theirs() -> object:
        return [bare(*given) for _ in MANY]

    SCALAR.measured(paired(ours, theirs, 15))
