"""What the boundary between cells and Python costs, as a ratio to the function itself in one run."""

from __future__ import annotations

import time
from collections.abc import Callable
from statistics import median

import pytest

import holdwater
from holdwater.hosts.cells import evaluate

MANY = range(20_000)


def seconds(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


@pytest.mark.parametrize("name", ["ltv", "payback"])
def test_a_scalar_call_costs_at_most_ten_times_the_bare_function(name: str) -> None:
    given = {"ltv": (30.0, 0.04), "payback": (600.0, 30.0)}[name]
    bare, excel_name = getattr(holdwater, name).__wrapped__, name.upper()
    assert evaluate(excel_name, given) == bare(*given)

    def ours() -> object:
        return [evaluate(excel_name, given) for _ in MANY]

    def theirs() -> object:
        return [bare(*given) for _ in MANY]

    measured = median(seconds(ours) / seconds(theirs) for _ in range(15))
    print(f"\n{excel_name} from cells / bare: {measured:.2f} (bar 10)")
    assert measured <= 10
