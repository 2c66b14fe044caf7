"""One definition, three engines: Python, the plain expression and the LAMBDA name agree, errors included."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from agreement import CASES, LAMBDAS, TRANSLATED, disagreements, same

import holdwater
from holdwater.formula import Formula
from holdwater.translate import Ref, expression
from holdwater.translate.excel import LONGEST_FORMULA


@pytest.mark.parametrize("formula", TRANSLATED.values(), ids=TRANSLATED)
def test_python_plain_and_lambda_agree(formula: Formula, ironcalc: Callable[..., list[Any]]) -> None:
    wrong, numbers = disagreements(formula, ironcalc)
    assert not wrong, f"{len(wrong)} of {CASES}:\n" + "\n".join(wrong[:10])
    assert CASES * 0.3 < numbers < CASES, "the cases must hold both answers and errors"


def test_published_examples(shared: Path, ironcalc: Callable[..., list[Any]]) -> None:
    examples = [
        e for e in json.loads((shared / "worked_examples.json").read_text()) if e["function"].upper() in TRANSLATED
    ]
    assert len(examples) >= 16

    rows = []
    for row, example in enumerate(examples, start=1):
        cells: list[Any] = []
        typed = []
        for argument in example["args"]:
            numbers = argument if isinstance(argument, list) else [argument]
            first, last = (chr(ord("A") + n) for n in (len(cells), len(cells) + len(numbers) - 1))
            typed.append(f"{first}{row}:{last}{row}" if isinstance(argument, list) else f"{first}{row}")
            cells += numbers
        rows.append((cells, [f"{example['function'].upper()}({','.join(typed)})"]))
    for example, (named,) in zip(examples, ironcalc(rows, LAMBDAS), strict=True):
        function = getattr(holdwater, example["function"])
        assert function(*example["args"]) == pytest.approx(example["expected"], rel=example["rel_tol"]), example
        assert named == pytest.approx(example["expected"], rel=example["rel_tol"]), example


def test_lambda_takes_omitted_arguments_and_spills(ironcalc: Callable[..., list[Any]]) -> None:
    calls = ["LTV(30,0.04)", "LTV(30,0.04,,,,1)", "SUM(LTV(A1:B1,C1))", "PAYBACK(6000,400)", 'LTV("30",0.04)']
    computed = ironcalc([([30, 60, 0.04], [call]) for call in calls], LAMBDAS)
    ltv = holdwater.ltv
    expected_ = [ltv(30, 0.04), ltv(30, 0.04, timing=1), ltv(30, 0.04) + ltv(60, 0.04), 15.0, "#VALUE!"]
    assert [same(e, c) for e, (c,) in zip(expected_, computed, strict=True)] == [True] * len(calls), computed


@pytest.mark.parametrize("formula", TRANSLATED.values(), ids=TRANSLATED)
def test_the_plain_expression_fits_a_cell_whatever_its_references_are_called(formula: Formula) -> None:
    places = {a.name: Ref("'Inputs of mine'!$B$10", blank=not a.required) for a in formula.arguments}
    for part in formula.row or ("",):
        assert len(expression(formula.function, dict(places), part)) < LONGEST_FORMULA
    assert len(LAMBDAS[formula.excel_name]) < LONGEST_FORMULA


def test_a_range_takes_no_text_and_no_truth_typed_into_the_call(ironcalc: Callable[..., list[Any]]) -> None:
    calls = ['CONVERSION("0.5")', "CONVERSION(TRUE)", "CONVERSION(0.5)", "CONVERSION(A1:C1)", "CONVERSION(D1)"]
    computed = ironcalc([([0.5, None, 0.5], [call]) for call in calls], LAMBDAS)
    assert [c for (c,) in computed] == ["#VALUE!", "#VALUE!", 0.5, 0.25, "#VALUE!"]
