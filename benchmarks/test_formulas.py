"""Speed of formulas, as ratios to a peer measured in the same run."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable

import numpy as np
import pytest
from ratios import ratio, report, seconds

import holdwater

ROWS = 1_000_000


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

    report("import holdwater / pass", ratio(run("import holdwater"), run("pass"), 21), 2)


def test_a_scalar_call_costs_at_most_five_times_the_bare_function() -> None:
    bare = holdwater.ltv.__wrapped__
    many = range(20_000)
    report(
        "ltv guarded / bare",
        ratio(lambda: [holdwater.ltv(30, 0.04) for _ in many], lambda: [bare(30, 0.04) for _ in many]),
        5,
    )


def test_ltv_over_arrays(rows: dict[str, np.ndarray]) -> None:
    m, c, d = rows["margin"], rows["churn"], rows["discount"]
    assert np.allclose(holdwater.ltv(m, c, d), m / (c + d), rtol=1e-12)
    report("ltv / hand-written NumPy", ratio(lambda: holdwater.ltv(m, c, d), lambda: m / (c + d), 15), 1.5)
    loop = seconds(lambda: [holdwater.ltv(*row) for row in zip(m[:20_000], c, d, strict=False)], 3) * ROWS / 20_000
    report("ltv / Python loop", seconds(lambda: holdwater.ltv(m, c, d)) / loop, 1 / 30)


def test_payback_over_arrays(rows: dict[str, np.ndarray]) -> None:
    cac, m, c, d = rows["cac"], rows["margin"], rows["churn"], rows["discount"]

    def by_hand() -> object:
        return np.log(1 - cac * (c + d) / m) / np.log((1 - c) / (1 + d))

    assert np.allclose(holdwater.payback(cac, m, c, d), by_hand(), rtol=1e-9)
    report("payback / hand-written NumPy", ratio(lambda: holdwater.payback(cac, m, c, d), by_hand, 15), 1.5)
    loop = seconds(lambda: [holdwater.payback(*row) for row in zip(cac[:20_000], m, c, d, strict=False)], 3) * 50
    report("payback / Python loop", seconds(lambda: holdwater.payback(cac, m, c, d)) / loop, 1 / 30)
