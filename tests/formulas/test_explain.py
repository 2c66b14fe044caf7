"""EXPLAIN says what the function itself would say, and no more."""

from __future__ import annotations

import math
import random
from typing import Any

import pytest

import holdwater
from holdwater.catalogue import as_text
from holdwater.formula import Formula, formula, registry
from holdwater.units import Rate

NUMERIC = {name: f for name, f in registry.items() if not any(a.unit.table for a in f.arguments)}
FORMULAS_OF_NUMBERS = pytest.mark.parametrize("entry", NUMERIC.values(), ids=NUMERIC)


def said(name: str, *arguments: Any, **named: Any) -> str:
    """What the function itself says to these arguments."""
    try:
        getattr(holdwater, name.lower())(*arguments, **named)
    except (holdwater.FormulaError, TypeError) as error:
        return str(error)
    return "ok"


@FORMULAS_OF_NUMBERS
def test_says_what_the_function_says(entry: Formula) -> None:
    chance = random.Random(entry.name)
    choices = [None, "", "abc", True, -1, 0, 0.01, 0.5, 1, 1, 2, 30, 1e300, math.nan, math.inf]
    answers = set()
    for _ in range(200):
        values = [chance.choice(choices if chance.random() < 0.3 else [0.01, 0.5, 1, 2]) for _ in entry.arguments]
        arguments = [[v, 0.5] if a.unit.many else v for a, v in zip(entry.arguments, values, strict=True)]
        answer = holdwater.explain(entry.excel_name, *arguments)
        without_remark = "ok" if answer.startswith("ok. ") else answer
        assert without_remark == said(entry.name, *arguments)
        answers.add(answer)
    assert len(answers) > 1, "there must be something to explain"


@FORMULAS_OF_NUMBERS
def test_a_bad_number_is_told_with_nothing_else_that_was_given(entry: Formula) -> None:
    for position, argument in enumerate(entry.arguments):
        for operator, bound in argument.unit.bounds:
            wrong = bound - 1 if "<" in operator else max(bound + 1, 2 * bound)
            values: list[Any] = [[0.5, 0.5] if a.unit.many else 1 if a.unit.whole else 0.5 for a in entry.arguments]
            values[position] = [wrong, 0.5] if argument.unit.many else wrong
            unit = argument.unit
            assert holdwater.explain(entry.excel_name, *values) == (
                f"{entry.excel_name}: {argument.name} is {wrong:.15g}; allowed is {unit.allowed} ({unit.meaning})."
            )


def test_a_number_just_outside_does_not_look_as_if_it_were_inside() -> None:
    assert "churn is 1.0000001; allowed is 0 to 1" in holdwater.explain("LTV", 30, 1.0000001)


def test_a_long_text_is_not_repeated() -> None:
    letter = "Dear Ms Example, thank you for your call about " + "the contract " * 10
    assert holdwater.explain("CPL", letter, 2) == "CPL: spend is str; a number belongs here (money)."
    with pytest.raises(holdwater.KindError) as unknown:
        holdwater.explain(letter, 2)
    assert len(str(unknown.value)) < 130


def test_names_as_people_type_them() -> None:
    for name in ("LTV", "ltv", " Ltv "):
        assert holdwater.explain(name, 30, 0.02) == "ok"
        assert holdwater.explain(name, 30, 2) == "LTV: churn is 2; allowed is 0 to 1 (rate)."
        assert holdwater.explain(name, 30, churn=2) == "LTV: churn is 2; allowed is 0 to 1 (rate)."


@pytest.mark.parametrize(
    ("name", "closest"),
    [("LVT", "LTV"), ("allowable cpl", "ALLOWABLE_CPL"), ("PAYBAK", "PAYBACK"), ("rate-low", "RATE_LOW")],
)
def test_an_unknown_name_gets_the_closest(name: str, closest: str) -> None:
    with pytest.raises(holdwater.KindError, match=rf"no function '{name}'; the closest name is {closest}\.$"):
        holdwater.explain(name, 30, 2)


def test_no_name_at_all() -> None:
    for nothing in (None, "", "  ", 5, holdwater.ltv):
        with pytest.raises(holdwater.KindError, match="EXPLAIN: name is no text; give the name of a function"):
            holdwater.explain(nothing, 30, 2)  # type: ignore[arg-type]  # the wrong kind is the point


def test_wrong_numbers_of_arguments() -> None:
    assert holdwater.explain("CPL", 1, 2, 3) == "CPL takes 2 arguments, 3 were given."
    assert holdwater.explain("CPL") == "CPL: spend is missing; it needs a value (money)."
    assert holdwater.explain("CPL", 1, laeds=2) == "CPL has no place for 'laeds'; its arguments are spend, leads."
    assert holdwater.CallError.cell == "#VALUE!"


def test_errors_that_no_argument_has_alone() -> None:
    assert holdwater.explain("PAYBACK", 6000, 400, 0.07).startswith("PAYBACK: the cost never comes back")
    assert "wait until a lead has been won" in holdwater.explain("ALLOWABLE_CPL_RANGE", 400, 500, 0, 60)


def test_numbers_of_a_row_that_do_not_exist_are_explained_beside_the_answer() -> None:
    def explained(lost: float, discount: float = 0) -> str:
        return holdwater.explain("LTV_RANGE", 30, lost, 200, discount)

    assert explained(8) == "ok"
    assert explained(0).startswith("ok. Nobody was lost, so mid and high do not exist")
    assert explained(0, -0.001) == explained(0)
    assert explained(0, 0.01).startswith("ok. Nobody was lost, so mid does not exist")
    assert "so high does not exist" in explained(2, -0.005)
    assert "so mid and high do not exist" in explained(1, -0.005)
    assert "give a higher discount" in explained(1, -0.9)


def test_a_remark_of_any_formula_is_told_after_the_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("holdwater.formula.registry", registry.copy())

    def high(churn: float, floor: float) -> str:
        return f"Above {floor:g} is a lot." if churn > floor else ""

    def leak(churn: Rate, floor: Rate = 0.5) -> float:
        return churn

    formula("Test", Rate, remark=high)(leak)
    monkeypatch.setitem(registry, "LEAK", leak.formula)  # type: ignore[attr-defined]  # set by @formula
    assert holdwater.explain("LEAK", 0.2) == "ok"
    assert holdwater.explain("LEAK", 0.9) == "ok. Above 0.5 is a lot."
    assert holdwater.explain("LEAK", 0.2, 0.1) == "ok. Above 0.1 is a lot."
    assert holdwater.explain("LEAK", 2) == "LEAK: churn is 2; allowed is 0 to 1 (rate)."


def test_explains_itself() -> None:
    assert holdwater.explain("EXPLAIN", "LTV", 30, 2) == "ok"
    assert "closest name is LTV" in holdwater.explain("EXPLAIN", "LVT", 30, 2)


def test_stands_in_the_catalogue() -> None:
    assert "Help\n  EXPLAIN(name, …arguments…)\n      Says why a function answers with an error" in as_text()


def test_customers_that_swing_around_the_number_where_they_would_settle() -> None:
    """The remark against the path itself: N' = N (1 - churn + referral) + new customers, for 400 periods."""

    def path_settles(new: float, churn: float, capacity: float, slope: float) -> bool:
        settled = holdwater.customers_settled(new, churn, capacity, slope)
        customers = settled * 1.001
        for _ in range(400):
            customers += new - holdwater.churn_overloaded(churn, customers, capacity, slope) * customers
        return abs(customers / settled - 1) < 0.001

    answers = set()
    for slope in (0.1, 0.3, 1.0, 1.7, 2.5, 4.0, 10.0):
        for new in (1, 10, 40, 120):
            answer = holdwater.explain("CUSTOMERS_SETTLED", new, 0.03, 150, slope)
            assert (answer == "ok") == path_settles(new, 0.03, 150, slope), (new, slope, answer)
            answers.add(answer.partition(". ")[2][:24])
    assert answers == {"", "The customers will swing"}
