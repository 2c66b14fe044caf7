"""One definition in three engines: random cases for a formula, and where the engines disagree."""

from __future__ import annotations

import math
import random
from collections.abc import Callable
from typing import Any

import holdwater
from holdwater.errors import FormulaError
from holdwater.formula import Argument, Formula, registry
from holdwater.translate import Ref, expression, lambda_text

CASES = 250
PARTS = {"successes": "trials", "won": "leads", "customers_lost": "customer_periods"}
TRANSLATED = {name: formula for name, formula in registry.items() if not formula.python_only}
LAMBDAS = {name: lambda_text(formula.function) for name, formula in TRANSLATED.items()}


OVERFLOW = "#NUM! by overflow"


def python(formula: Formula, values: list[Any]) -> Any:
    function: Callable[..., Any] = getattr(holdwater, formula.name)
    try:
        return function(*values)
    except FormulaError as error:
        return OVERFLOW if "no finite answer" in str(error) else error.cell


def same(a: Any, b: Any) -> bool:
    if a == OVERFLOW:  # IronCalc answers 10^400 with #DIV/0!, Excel with #NUM!
        return b in ("#NUM!", "#DIV/0!")
    if isinstance(a, str) or isinstance(b, str):
        return bool(a == b)
    return math.isclose(a, b, rel_tol=1e-9, abs_tol=1e-300)


def any_value(argument: Argument, random_: random.Random) -> Any:
    """Mostly inside the domain, often on its edge, sometimes outside it, of the wrong kind, or missing."""
    unit = argument.unit
    low, high = max(unit.low, -1e4), min(unit.high, 1e4)
    ordinary = [random_.uniform(low, high), random_.uniform(low, min(high, 1)), random_.uniform(low, min(high, 100))]
    edges = [0, 1, -1, 2, 1e-9, 0.5, 1e-5, 0.999999, -0.1, 1.5, -5]
    kind = random_.choices(["ordinary", "inside edge", "edge", "wrong", "missing"], [64, 12, 4, 3, 17])[0]
    if kind == "missing" and (not argument.required or random_.random() < 0.05):
        return None
    if kind == "wrong":
        return random_.choice(["abc", "5", True, "#N/A", "#DIV/0!"])
    if kind == "edge":
        return random_.choice(edges)
    if unit.whole:
        return random_.randint(round(unit.low), round(unit.high))
    return random_.choice([e for e in edges if unit.allows(e)] if kind == "inside edge" else ordinary)


def ranges(random_: random.Random) -> list[Any]:
    choices = [random_.random(), random_.random(), random_.random(), 0, 1, None, 1.2, "abc", True]
    return [random_.choices(choices, [30, 30, 30, 2, 5, 8, 1, 1, 1])[0] for _ in "abc"]


def case(formula: Formula, random_: random.Random, row: int) -> tuple[list[Any], list[Any], dict[str, Ref]]:
    """The cells of one row, the Python arguments they stand for, and where each argument lies."""
    cells: list[Any] = []
    values: list[Any] = []
    places: dict[str, Ref] = {}
    for argument in formula.arguments:
        start = chr(ord("A") + len(cells))
        if argument.unit.many:
            numbers = ranges(random_)
            end = chr(ord("A") + len(cells) + len(numbers) - 1)
            places[argument.name] = Ref(f"{start}{row}:{end}{row}")
            cells += numbers
            values.append(numbers)
        else:
            value = any_value(argument, random_)
            places[argument.name] = Ref(f"{start}{row}", blank=not argument.required)
            cells.append(value)
            values.append(value)
    names = list(places)
    for part, whole in PARTS.items():  # left to chance, every second part would be more than its whole
        if part in names and whole in names and random_.random() < 0.9:
            here, there = names.index(part), names.index(whole)
            if type(values[here]) is type(values[there]) is float and values[here] > values[there]:
                cells[here], cells[there] = values[here], values[there] = values[there], values[here]
            if values[here] == 1e-9:  # its Wilson limit is below 2.2E-16, which IronCalc compares as if it were 0
                cells[here] = values[here] = 1e-4
    return cells, values, places


def expected(formula: Formula, values: list[Any]) -> Any:
    for value in values:  # an error in an input cell comes out as that same error, unless a text came before it
        if isinstance(value, str) and value.startswith("#"):
            return value
    return python(formula, values)


Change = Callable[[str], str]


def disagreements(
    formula: Formula,
    ironcalc: Callable[..., list[Any]],
    change_plain: Change = lambda text: text,
    change_lambda: Change = lambda text: text,
) -> tuple[list[str], int]:
    """What Python, the plain expression and the LAMBDA name disagree on, and how many answers are numbers."""
    random_ = random.Random(formula.name)
    rows: list[tuple[list[Any], list[str]]] = []
    answers: list[tuple[list[Any], Any]] = []
    while len(rows) < CASES:
        cells, values, places = case(formula, random_, len(rows) + 1)
        required = {a.name for a in formula.arguments if a.required}
        missing = sum(v is None for a, v in zip(formula.arguments, values, strict=True) if a.name in required)
        if missing + sum(isinstance(v, (str, bool)) for v in cells) > 1:
            continue  # two wrong cells at once: which of the two errors wins is not part of the contract
        call = f"{formula.excel_name}({','.join(ref.text for ref in places.values())})"
        function, answer = getattr(holdwater, formula.name), expected(formula, values)
        if not formula.row:
            rows.append((cells, [change_plain(expression(function, dict(places))), call]))
            answers.append((values, answer))
            continue
        part = random_.randrange(len(formula.row))  # a row is checked at one of its numbers, another one each time
        plain = expression(function, dict(places), formula.row[part])
        rows.append((cells, [change_plain(plain), f"INDEX({call},1,{part + 1})"]))
        number = answer if isinstance(answer, str) else answer[part]
        answers.append((values, "#NUM!" if number != number else number))
    names = LAMBDAS | {formula.excel_name: change_lambda(LAMBDAS[formula.excel_name])}
    computed = ironcalc(rows, names)
    wrong = [
        f"{formula.excel_name}{values}: Python {answer}, plain {plain}, LAMBDA {named}"
        for (values, answer), (plain, named) in zip(answers, computed, strict=True)
        if not (same(answer, plain) and same(answer, named))
    ]
    return wrong, sum(not isinstance(answer, str) for _, answer in answers)
