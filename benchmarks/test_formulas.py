"""Speed of formulas, as ratios to a peer measured in the same run."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable

import numpy as np
import pytest
from ratios import Goal, paired

import holdwater
from holdwater.hosts.cells import Answer, evaluate

IMPORT = Goal("import holdwater", "times the time of an empty program", "the same Python", at_most=2)
SCALAR = Goal("LTV of one customer", "times the time of the undecorated function", "the same body", at_most=5)
LTV_BY_HAND = Goal("LTV of 1,000,000 rows", "times the time of a hand-written expression", "numpy", at_most=1.5)
LTV_LOOP = Goal("LTV of 1,000,000 rows, against a call a row", peer="holdwater's scalar function", at_least=30)
PAYBACK_BY_HAND = Goal("PAYBACK of 1,000,000 rows", LTV_BY_HAND.unit, "numpy", at_most=1.5)
PAYBACK_LOOP = Goal("PAYBACK of 1,000,000 rows, against a call a row", peer=LTV_LOOP.peer, at_least=30)
LTV_RANGE = Goal("LTV of a range of 10,000 cells", "times the time of 10,000 calls", "a call a cell")
ROWS = 1_000_000
LOOPED = 20_000


@pytest.fixture(scope="module")
def rows() -> dict[str, np.ndarray]:
    random = np.random.default_rng(20261121)
    return {
        "cac": random.uniform(50, 500, ROWS),
        "margin": random.uniform(20, 200, ROWS),
        "churn": random.uniform(0.001, 0.03, ROWS),
        "discount": random.uniform(0, 0.01, ROWS),
    }


def test_import_takes_at_most_twice_an_empty_python() -> None:
    with_bytecode = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}  # as an installed package

    def run(code: str) -> Callable[[], object]:
        return lambda: subprocess.run([sys.executable, "-c", code], check=True, env=with_bytecode)

    IMPORT.measured(paired(run("import holdwater"), run("pass"), 21))


def test_a_scalar_call_costs_at_most_five_times_the_bare_function() -> None:
    bare = holdwater.ltv.__wrapped__
    many = range(20_000)
    SCALAR.measured(paired(lambda: [holdwater.ltv(30, 0.04) for _ in many], lambda: [bare(30, 0.04) for _ in many]))


def test_ltv_over_arrays(rows: dict[str, np.ndarray]) -> None:
    m, c, d = rows["margin"], rows["churn"], rows["discount"]
    assert np.allclose(holdwater.ltv(m, c, d), m / (c + d), rtol=1e-12)
    LTV_BY_HAND.measured(paired(lambda: holdwater.ltv(m, c, d), lambda: m / (c + d), 15))
    some = [column[:LOOPED].tolist() for column in (m, c, d)]  # Python's own numbers are the fastest for a loop
    loops = paired(lambda: [holdwater.ltv(*row) for row in zip(*some, strict=True)], lambda: holdwater.ltv(m, c, d))
    LTV_LOOP.measured(ratio * ROWS / LOOPED for ratio in loops)


def test_payback_over_arrays(rows: dict[str, np.ndarray]) -> None:
    cac, m, c, d = rows["cac"], rows["margin"], rows["churn"], rows["discount"]

    def by_hand() -> object:
        return np.log(1 - cac * (c + d) / m) / np.log((1 - c) / (1 + d))

    assert np.allclose(holdwater.payback(cac, m, c, d), by_hand(), rtol=1e-9)
    PAYBACK_BY_HAND.measured(paired(lambda: holdwater.payback(cac, m, c, d), by_hand, 15))
    some = [column[:LOOPED].tolist() for column in (cac, m, c, d)]
    loops = paired(
        lambda: [holdwater.payback(*row) for row in zip(*some, strict=True)], lambda: holdwater.payback(cac, m, c, d)
    )
    PAYBACK_LOOP.measured(ratio * ROWS / LOOPED for ratio in loops)


def test_ltv_over_a_range(rows: dict[str, np.ndarray]) -> None:
    """As a sheet has it: one formula that spills, or one in each row."""
    margins, churns = (rows[name][:10_000].tolist() for name in ("margin", "churn"))
    columns = [[(cell,) for cell in column] for column in (margins, churns)]

    def a_call_a_cell() -> list[Answer]:
        return [evaluate("LTV", pair) for pair in zip(margins, churns, strict=True)]

    assert evaluate("LTV", columns) == [[value] for value in a_call_a_cell()]
    LTV_RANGE.measured(paired(lambda: evaluate("LTV", columns), a_call_a_cell))
