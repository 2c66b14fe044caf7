"""The NumPy version answers as the scalar function does, element by element."""

from __future__ import annotations

import json
import math
import random
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import holdwater
from holdwater.formula import Argument, Formula, registry

SPREADING = {
    name: formula
    for name, formula in registry.items()
    if not any(a.unit.many or a.unit.table for a in formula.arguments) and not formula.columns
}
ROWS = 200


def number(argument: Argument, chance: random.Random) -> float:
    """Mostly inside the domain, often on an edge, sometimes outside it or no finite number at all."""
    unit = argument.unit
    low, high = max(unit.low, -1e4), min(unit.high, 1e4)
    inside = [chance.uniform(low, high), chance.uniform(low, min(high, 1)), chance.uniform(low, min(high, 100))]
    odd = [0, 1, -1, 2, 1e-9, 0.5, -0.1, 1.5, math.nan, math.inf, -math.inf, 1e300]
    if unit.whole and chance.random() < 0.9:
        return chance.randint(round(max(unit.low, 0)), round(min(unit.high, 9)))
    return chance.choice(inside) if chance.random() < 0.8 else chance.choice(odd)


def scalar(formula: Formula, arguments: dict[str, Any]) -> tuple[float, ...]:
    try:
        answer = getattr(holdwater, formula.name)(**arguments)
    except holdwater.FormulaError:
        return (math.nan,) * (len(formula.row) or 1)
    return answer if formula.row else (answer,)


@pytest.mark.parametrize("formula", SPREADING.values(), ids=SPREADING)
def test_arrays_give_what_the_scalars_give(formula: Formula) -> None:
    chance = random.Random(formula.name)
    rows = ROWS if not formula.python_only else 25
    for optional in (False, True):
        names = [a for a in formula.arguments if a.required or optional]
        columns = {a.name: np.array([number(a, chance) for _ in range(rows)]) for a in names}
        function = getattr(holdwater, formula.name)
        found = function(**columns)
        found = np.stack(found) if formula.row else found[np.newaxis]
        for row in range(rows):
            arguments = {name: float(column[row]) for name, column in columns.items()}
            expected = scalar(formula, arguments)
            assert found[:, row] == pytest.approx(expected, rel=1e-9, abs=1e-300, nan_ok=True), arguments


def test_broadcasting_shapes_and_kinds() -> None:
    margin, churn = np.array([[10.0], [20.0]]), np.array([0.1, 0.2, 5.0])
    values: Any = holdwater.ltv(margin, churn)  # type: ignore[arg-type]  # arrays are welcome, floats are promised
    assert values.shape == (2, 3)
    assert np.array_equal(values, [[100, 50, np.nan], [200, 100, np.nan]], equal_nan=True)
    beside: Any = np.array([0.1, 0.2])
    assert list(np.atleast_1d(holdwater.ltv(30, beside))) == [300.0, 150.0]
    assert np.isnan(holdwater.ltv(30, beside, -5)).all(), "a number outside the domain spoils every element"
    assert isinstance(holdwater.ltv(30, np.float64(0.1)), float)
    nothing: Any = np.array([])
    empty: Any = holdwater.ltv(30, nothing)
    assert empty.shape == (0,)
    whole: Any = np.array([10, 20])
    assert list(np.atleast_1d(holdwater.ltv(whole, 0.1))) == [100.0, 200.0]
    for wrong in (np.array(["a"]), np.array([True]), np.array([object()])):
        with pytest.raises(holdwater.KindError, match="churn is an array of"):
            holdwater.ltv(30, wrong)  # type: ignore[arg-type]  # the wrong kind is the point
    with pytest.raises(holdwater.KindError, match="discount"):
        holdwater.ltv(30, beside, "a")  # type: ignore[arg-type]  # likewise


def test_longer_than_a_block() -> None:
    churn: Any = np.linspace(0.01, 0.5, 100_003)
    churn[50_001] = 7
    values = holdwater.ltv(30, churn)
    assert np.isnan(values).sum() == 1
    expected = 30 / churn
    assert np.allclose(np.delete(values, 50_001), np.delete(expected, 50_001), rtol=1e-15)


def test_ranges_stay_ranges_beside_arrays() -> None:
    customers: Any = np.array([6, 12])
    assert list(np.atleast_1d(holdwater.leads_needed(customers, [0.1, 0.15]))) == [400.0, 800.0]


def test_published_examples_over_arrays(shared: Path) -> None:
    """Every one of them, in Python and, where a number may be an array, twice in an array."""
    examples = json.loads((shared / "worked_examples.json").read_text())
    assert {e["function"].upper() for e in examples} <= registry.keys()
    spread = 0
    for example in examples:
        function = getattr(holdwater, example["function"])
        expected = pytest.approx(example["expected"], rel=example["rel_tol"])
        assert function(*example["args"]) == expected
        if example["function"].upper() in SPREADING:
            twice = [None if argument is None else np.array([argument, argument]) for argument in example["args"]]
            assert list(function(*twice)) == [expected, expected]
            spread += 1
    assert spread >= 30


def test_arrays_of_the_wrong_make() -> None:
    masked: Any = np.ma.array([30.0, 20.0], mask=[False, True])
    assert np.array_equal(holdwater.ltv(masked, 0.04), [750.0, np.nan], equal_nan=True)
    one: Any = np.array([750.0])
    with pytest.raises(holdwater.KindError, match="together"):
        holdwater.allowable_cac(one, 3, 30)
    three: Any = np.array([0.1, 0.2, 0.3])
    two: Any = np.array([1.0, 2.0])
    with pytest.raises(holdwater.KindError, match=r"do not fit together: margin \(2,\), churn \(3,\)"):
        holdwater.ltv(two, three)
    truth: Any = np.bool_(True)
    with pytest.raises(holdwater.KindError, match="margin is"):
        holdwater.ltv(truth, 0.04)
    assert "explain one element" in holdwater.explain("LTV", two, 2)
