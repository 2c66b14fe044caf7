"""Every formula keeps the house rules of the catalogue."""

from __future__ import annotations

import doctest
import json
import math
import subprocess
import sys
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import mpmath
import pytest
from hypothesis import given
from hypothesis import strategies as st

import holdwater
from holdwater.formula import Formula, registry

FORMULAS = pytest.mark.parametrize("formula", registry.values(), ids=registry)
# Rows, and the arguments that EXPLAIN hands on, are looked at by the functions themselves: their own tests see to it.
NUMERIC = {name: f for name, f in registry.items() if not any(a.unit.table for a in f.arguments)}
FORMULAS_OF_NUMBERS = pytest.mark.parametrize("formula", NUMERIC.values(), ids=NUMERIC)


@FORMULAS
def test_says_everything_about_itself(formula: Formula) -> None:
    assert formula.name in holdwater.__all__
    assert 10 < len(formula.description) <= 255
    assert formula.category
    assert formula.equation
    assert formula.source
    assert list(formula.help) == [a.name for a in formula.arguments]
    assert all(formula.help.values())
    assert formula.name not in formula.help, "an argument named like its function breaks the wrapper of a host"
    examples = doctest.DocTestFinder().find(formula.function, globs={"holdwater": holdwater})[0]
    assert len(examples.examples) >= 2
    outcome = doctest.DocTestRunner().run(examples)
    assert outcome.failed == 0


@FORMULAS_OF_NUMBERS
def test_a_blank_that_calc_hands_over_as_zero_never_counts(formula: Formula) -> None:
    for argument in formula.arguments:
        if argument.required or argument.default == 0 or (formula.name, argument.name) == ("allowable_cac", "churn"):
            continue
        assert not argument.unit.allows(0), f"{formula.name}: 0 for {argument.name} must be #NUM!"


@FORMULAS_OF_NUMBERS
def test_each_bad_argument_is_named_with_its_value_and_what_is_allowed(formula: Formula) -> None:
    function = getattr(holdwater, formula.name)
    good: dict[str, Any] = {a.name: [0.5] if a.unit.many else 1 if a.unit.whole else 0.5 for a in formula.arguments}
    for argument in formula.arguments:
        wrong_kinds: list[Any] = ["abc", "5", True, b"1", 1j, object(), float]
        for value in wrong_kinds:
            with pytest.raises(holdwater.KindError, match=rf"^{formula.excel_name}: {argument.name} is .*number"):
                function(**good | {argument.name: [value] if argument.unit.many else value})
        beyond = [b - 1 if "<" in operator else max(b + 1, 2 * b) for operator, b in argument.unit.bounds]
        outside = [math.nan, math.inf, -math.inf, *beyond]
        for number in outside:
            with pytest.raises(holdwater.NumError, match=rf"^{formula.excel_name}: {argument.name} is .*allowed is"):
                function(**good | {argument.name: [number] if argument.unit.many else number})
        if argument.required:
            for nothing in (None, ""):
                with pytest.raises(holdwater.KindError, match=f"{argument.name} is missing"):
                    function(**good | {argument.name: nothing})


@FORMULAS_OF_NUMBERS
def test_nothing_given_for_an_optional_argument_takes_the_default(formula: Formula) -> None:
    function = getattr(holdwater, formula.name)
    required = [[0.5, 0.25] if a.unit.many else 1 if a.unit.whole else 0.5 for a in formula.arguments if a.required]
    optional = len(formula.arguments) - len(required)

    def answer(*arguments: Any) -> Any:
        try:
            return function(*arguments)
        except holdwater.FormulaError as error:  # too few observations for a fitted model, more lost than there was
            return str(error)

    assert answer(*required) == answer(*required, *[None] * optional) == answer(*required, *[""] * optional)


def test_numbers_of_any_kind_are_numbers() -> None:
    cost: Any = Decimal("4200")
    assert holdwater.cpl(cost, 60) == 70.0
    two_rows: Any = ((0.2, None), ("", 0.5))
    assert holdwater.conversion(two_rows) == 0.1


def test_errors_that_span_arguments() -> None:
    cases: dict[Callable[[], float], str] = {
        lambda: holdwater.ltv(30, 0): "no end",
        lambda: holdwater.ltv(30, 0.05, 0, 0.05 / 0.95): "no end",  # q is 1, give or take a rounding
        lambda: holdwater.payback(6000, 400, 0.07): "never comes back",
        lambda: holdwater.payback(1, 400, 1): "never comes back",
        lambda: holdwater.customers_ceiling(10, 0.05, 0.05): "no ceiling",
        lambda: holdwater.churn(10, 11): "more customers were lost",
        lambda: holdwater.leads_needed(1, [0.5, 0]): "no number of leads",
        lambda: holdwater.cpl(1e308, 1e-300): "no finite answer",
    }
    for call, error in cases.items():
        with pytest.raises(holdwater.NumError, match=error):
            call()
    with pytest.raises(holdwater.KindError, match="together"):
        holdwater.allowable_cac(10000, 3, 100)
    with pytest.raises(TypeError, match="has no place for 'chrun'"):
        holdwater.ltv(30, chrun=0.1)  # type: ignore[call-arg]  # the typing mistake is the point


RATE = st.floats(1e-12, 1)


@given(st.floats(0.01, 1e6), RATE, st.floats(0, 1), st.floats(-0.5, 0.5), st.integers(1, 400), st.integers(0, 2))
def test_finite_lifetime_value_is_the_sum_of_its_payments(
    margin: float, churn: float, discount: float, growth: float, periods: int, timing: int
) -> None:
    """Against the sum itself, in 50 digits: no cancellation for the smallest churn."""
    with mpmath.workdps(50):
        m, c, d, g = map(mpmath.mpf, (margin, churn, discount, growth))
        shift = {0: 1, 1: 0, 2: 1}[timing]
        stay = 1 if timing == 2 else 0
        total = mpmath.fsum(m * (1 + g) ** t * (1 - c) ** (t + stay) / (1 + d) ** (t + shift) for t in range(periods))
    assert holdwater.ltv(margin, churn, discount, growth, periods, timing) == pytest.approx(float(total), rel=1e-9)


@given(st.floats(1, 1e6), st.floats(0.01, 1e5), st.floats(1e-15, 0.999), st.floats(0, 1))
def test_payback_solves_its_equation(cac: float, margin: float, churn: float, discount: float) -> None:
    try:
        n = holdwater.payback(cac, margin, churn, discount)
    except holdwater.NumError:
        assert cac * (churn + discount) >= margin * (1 - 1e-12)
        return
    with mpmath.workdps(50):
        k = (1 - mpmath.mpf(churn)) / (1 + mpmath.mpf(discount))
        unpaid = 1 - mpmath.mpf(cac) * (mpmath.mpf(churn) + mpmath.mpf(discount)) / mpmath.mpf(margin)
        exact = mpmath.log(unpaid) / mpmath.log(k)
    # Close to "never" the answer hangs on the last digits of what remains unpaid.
    assert n == pytest.approx(float(exact), rel=1e-9 + 1e-15 / float(unpaid))


@given(st.integers(1, 10**6), st.integers(1, 1000), st.integers(1, 1000))
def test_leads_needed_is_the_exact_ceiling(customers: int, won: int, of: int) -> None:
    if won > of:
        won, of = of, won
    assert holdwater.leads_needed(customers, [won / of]) == -(-customers * of // won)


def test_contract_of_names(shared: Path) -> None:
    """Every formula stands in the catalogue, argument by argument."""
    catalogue = (shared / "formulas.md").read_text()
    for formula in registry.values():
        alternatives = [formula.signature, formula.signature.replace(".0]", "]")]
        alternatives.append(f"{formula.excel_name}(…)")  # as the one before it
        if formula.gathers:
            alternatives.append(f'{formula.excel_name}("LTV", …')  # by an example
        assert any(signature in catalogue for signature in alternatives), formula.signature


def test_published_examples_pass_through_keywords_too(shared: Path) -> None:
    for example in json.loads((shared / "worked_examples.json").read_text()):
        formula = registry.get(example["function"].upper())
        if formula:
            named = dict(zip((a.name for a in formula.arguments), example["args"], strict=False))
            answer = getattr(holdwater, formula.name)(**named)
            assert answer == pytest.approx(example["expected"], rel=example["rel_tol"])


def test_import_needs_the_standard_library_only_and_little_of_it() -> None:
    heavy = {"typing", "dataclasses", "inspect", "ast", "re", "numpy", "httpx", "pydantic", "xlsxwriter", "duckdb"}
    code = "import sys, holdwater; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-S", "-c", code], capture_output=True, text=True, check=True,
                            env={"PYTHONPATH": str(Path(holdwater.__file__).parents[1])}).stdout.split()  # fmt: skip
    assert not heavy & set(loaded)
