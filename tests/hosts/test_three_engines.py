"""The same sheet in three engines: Python, Calc with the add-in, IronCalc with the LAMBDA names; one report."""

from __future__ import annotations

import json
import math
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import ironcalc
import pytest
import xlsxwriter
from calc_office import running_calc

import holdwater
from holdwater.errors import FormulaError
from holdwater.formula import Argument, Formula
from holdwater.hosts.calc import build
from holdwater.hosts.cells import functions
from holdwater.translate import lambda_text

pytestmark = pytest.mark.slow

CASES = 12  # of each function, beside the published examples
NUMERIC = {name: f for name, f in functions().items() if not any(a.unit.table for a in f.arguments)}
LAMBDAS = {name: lambda_text(f.function) for name, f in NUMERIC.items() if not f.python_only}
FIRST_INPUT = 8  # the columns before it hold the results


@dataclass
class Call:
    """A function and its arguments; None is an omitted one, a list a range."""

    formula: Formula
    values: Sequence[Any]
    answers: dict[str, list[Any]] = field(default_factory=dict)

    def python(self) -> list[Any]:
        width = len(self.formula.row) or 1
        try:
            answer = getattr(holdwater, self.formula.name)(*self.values)
        except FormulaError as error:
            return [error.cell] * width
        numbers = answer if self.formula.row else [answer]
        return ["#NUM!" if n != n else n for n in numbers]

    def typed(self, row: int) -> tuple[str, list[Any]]:
        """The formula over the cells of its row, and what stands in those cells."""
        cells: list[Any] = []
        places = []
        for value in self.values:
            if value is None:
                places.append("")
                continue
            numbers = value if isinstance(value, list) else [value]
            ends = [FIRST_INPUT + len(cells), FIRST_INPUT + len(cells) + len(numbers) - 1]
            names = [xlsxwriter.utility.xl_rowcol_to_cell(row, column) for column in dict.fromkeys(ends)]
            places.append(":".join(names))
            cells += numbers
        return f"{self.formula.excel_name}({','.join(places)})", cells


def published(shared: Path) -> Iterator[Call]:
    for example in json.loads((shared / "worked_examples.json").read_text()):
        yield Call(functions()[example["function"].upper()], example["args"])


def drawn() -> Iterator[Call]:
    """For each function: mostly answers, and each kind of error."""
    for formula in NUMERIC.values():
        if formula.columns or formula.column:
            continue  # of many rows: see test_calc_addin
        chance = random.Random(formula.name)
        for case in range(CASES):
            kinds = ["good"] * len(formula.arguments)
            if case % 3 == 0:
                kinds[case // 3 % len(kinds)] = chance.choice(["text", "outside"])
            values = [value(a, kind, chance) for a, kind in zip(formula.arguments, kinds, strict=True)]
            while values and values[-1] is None:
                values.pop()
            yield Call(formula, values)


def value(argument: Argument, kind: str, chance: random.Random) -> Any:
    unit = argument.unit
    if kind == "text":
        one: Any = "abc"
    elif kind == "outside" and unit.bounds:
        operator, bound = chance.choice(unit.bounds)
        one = bound - 1 if "<" in operator else bound + 1
    elif not argument.required and chance.random() < 0.5:
        return None
    else:
        low, high = max(unit.low, 0.01), min(unit.high, chance.choice([0.3, 40]))
        one = chance.randint(math.ceil(low), max(math.ceil(low), int(high))) if unit.whole else max(
            low, chance.uniform(low, high)
        )  # fmt: skip
    if not unit.many:
        return one
    falling = sorted((max(0.01, min(unit.high, chance.uniform(0.1, 1))) for _ in "abc"), reverse=True)
    return [one, *falling[1:]] if isinstance(one, str) or kind == "outside" else falling


def write(path: Path, calls: Sequence[Call]) -> None:
    with xlsxwriter.Workbook(path) as book:
        sheet = book.add_worksheet("S")
        for name, text in LAMBDAS.items():
            book.define_name(name, f"={text}")
        for row, call in enumerate(calls):
            formula, cells = call.typed(row)
            sheet.write_row(row, FIRST_INPUT, cells)
            width = len(call.formula.row) or 1
            if width == 1:
                sheet.write_formula(row, 0, f"={formula}")
            for column in range(width if width > 1 else 0):
                sheet.write_formula(row, column, f"=INDEX({formula},1,{column + 1})")


def agree(ours: Any, theirs: Any, tolerance: float) -> bool:
    if isinstance(ours, str) or isinstance(theirs, str):
        return bool(ours == theirs)
    return theirs is not None and math.isclose(ours, theirs, rel_tol=tolerance, abs_tol=tolerance * 1e-3)


def test_python_calc_and_ironcalc_give_the_same_numbers_and_errors(tmp_path: Path, shared: Path) -> None:
    calls = [*published(shared), *drawn()]
    write(tmp_path / "calls.xlsx", calls)
    build(tmp_path / "holdwater.oxt")
    with running_calc(tmp_path, [tmp_path / "holdwater.oxt"]) as calc:
        in_calc = calc.computed(tmp_path / "calls.xlsx")
    engine = ironcalc.load_from_xlsx(str(tmp_path / "calls.xlsx"), "en", "UTC", "en")
    engine.evaluate()

    report, numbers, errors = [], 0, 0
    for row, call in enumerate(calls):
        for column, python in enumerate(call.python()):
            place = f"S!{xlsxwriter.utility.xl_rowcol_to_cell(row, column)}"
            calc_says = in_calc[place]
            lambda_says = engine.get_cell_value(0, row + 1, column + 1) if call.formula.excel_name in LAMBDAS else "-"
            numbers += not isinstance(python, str)
            errors += isinstance(python, str)
            if not agree(python, calc_says, 1e-12) or (lambda_says != "-" and not agree(python, lambda_says, 1e-9)):
                report.append(
                    f"{call.formula.excel_name}{tuple(call.values)}: Python {python}, Calc {calc_says},"
                    f" LAMBDA in IronCalc {lambda_says}"
                )
    assert not report, f"{len(report)} of {numbers + errors} disagree:\n" + "\n".join(report[:40])
    assert numbers > 200
    assert errors > 60
