"""What the Python half of the Excel add-in costs, as a ratio to the function itself in one run."""

from __future__ import annotations

import pytest
from ratios import ratio, report

import holdwater
from holdwater.hosts.excel_udfs import answer

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

    report(f"{excel_name} from Excel's values / bare", ratio(ours, theirs, 15), 10)
