"""The equation of a formula as MathML, which browsers show without any script."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import fields, replace
from html import escape
from typing import Any

from holdwater import twins
from holdwater.translate.read import read_with_helpers
from holdwater.translate.tree import (
    Binary,
    Call,
    Constant,
    Fail,
    If,
    Let,
    Logical,
    Missing,
    Name,
    Node,
    is_number,
    part_of_row,
    substitute,
)

_PRECEDENCE = {"+": 1, "-": 1, "*": 2, "**": 4}
_SIGNS = {"<": "&lt;", "<=": "≤", ">": "&gt;", ">=": "≥", "==": "=", "!=": "≠", "*": "·", "-": "−"}  # noqa: RUF001  # minus
_WORDS = {"log": "ln", "exp": "exp", "min": "min", "max": "max", "prod": "product", "NORMSINV": "z"} | {
    twin.spreadsheet_name: name.replace("_", " ")
    for name, twin in vars(twins).items()
    if "{}" in getattr(twin, "spreadsheet_name", "")  # a twin that is no single function of the spreadsheet
}


def equations(function: Callable[..., Any]) -> list[str]:
    """The result first, then each value and each helper that it names: one `<math>` element each."""
    lines: list[str] = []
    pending: list[Callable[..., Any]] = [function]
    seen: set[str] = set()
    while pending:
        one = inspect.unwrap(pending.pop(0))
        if one.__name__ in seen:
            continue
        seen.add(one.__name__)
        node, helpers = read_with_helpers(one)
        pending += [helper for helper in helpers if not hasattr(helper, "formula")]  # a formula has its own page
        lines += _lines(one, node)
    return [f'<math display="block" displaystyle="true">{line}</math>' for line in lines]


def _lines(function: Callable[..., Any], node: Node) -> list[str]:
    if hasattr(function, "formula"):
        left = _name(function.formula.excel_name)
    else:
        parameters = [_name(name) for name in inspect.signature(function).parameters]
        left = _name(function.__name__.lstrip("_")) + _bracketed("<mo>,</mo>".join(parameters), True)
    named: list[tuple[str, Node]] = []
    result = _without_names(node, named)
    row = function.formula.row if hasattr(function, "formula") else ()
    results = [(_name(part), part_of_row(result, n)) for n, part in enumerate(row)] or [(left, result)]
    labels = _labels([name for name, _ in named])
    values = [(_name(labels[name]), value) for name, value in named]
    known: dict[str, Node] = {name: Name(label) for name, label in labels.items()}
    return [f"{name}<mo>=</mo>{_markup(substitute(value, known))}" for name, value in [*results, *values]]


def _labels(names: list[str]) -> dict[str, str]:
    """What each local is called: a variable that is set again gets a prime for each time before."""
    labels: dict[str, str] = {}
    for name in names:
        label = name.rstrip("0123456789")
        while label in labels.values():
            label += "′"  # noqa: RUF001  # a prime
        labels[name] = label
    return labels


def _without_names(node: Node, named: list[tuple[str, Node]]) -> Node:
    """The expression with each named value moved out into `named`, also from inside a case."""
    if isinstance(node, Let):
        value = _without_names(node.value, named)
        if (node.name, value) not in named:
            named.append((node.name, value))
        return _without_names(node.body, named)
    parts: dict[str, Any] = {}
    for field in fields(node):
        part = getattr(node, field.name)
        if isinstance(part, Node):
            parts[field.name] = _without_names(part, named)
        elif isinstance(part, tuple):
            parts[field.name] = tuple(_without_names(item, named) for item in part)
    return replace(node, **parts)


def _name(name: str) -> str:
    words = escape(name.rstrip("0123456789").replace("_", " "))
    return f"<mi>{words}</mi>" if len(words) > 1 else f'<mi mathvariant="italic">{words}</mi>'


def _markup(node: Node, around: int = 0) -> str:
    match node:
        case Constant(None):
            return "<mtext>nothing</mtext>"
        case Constant(value):
            return _number(value)
        case Name(name):
            return _name(name)
        case Fail(cell):
            return f"<mtext>{cell}</mtext>"
        case Missing(name):
            return f"{_name(name)}<mtext>&#160;is not given</mtext>"
        case Binary("/", top, bottom):
            return f"<mfrac><mrow>{_markup(top)}</mrow><mrow>{_markup(bottom)}</mrow></mfrac>"
        case Binary("**", base, power):
            return f"<msup><mrow>{_markup(base, 5)}</mrow><mrow>{_markup(power)}</mrow></msup>"
        case Binary("-", left, right) if is_number(left, 0):
            return _bracketed(f"<mo>−</mo>{_markup(right, 2)}", around > 1)  # noqa: RUF001  # a minus sign
        case Binary(operator, left, right):
            strength = _PRECEDENCE.get(operator, 0)
            sign = _SIGNS.get(operator, operator)
            text = f"{_markup(left, strength)}<mo>{sign}</mo>{_markup(right, strength + (operator == '-'))}"
            return _bracketed(text, strength < around)
        case Logical("not", (item,)):
            return f"<mtext>not&#160;</mtext>{_markup(item, 9)}"
        case Logical(operator, items):
            return _bracketed(
                f"<mtext>&#160;{operator}&#160;</mtext>".join(_markup(item) for item in items), around > 0
            )
        case If():
            return _cases(node)
        case Call("row", items):
            return _bracketed("<mo>,</mo>".join(_markup(item) for item in items), True)
        case Call(function, arguments):
            return _call(function, [_markup(a) for a in arguments])
    raise AssertionError(node)


def _number(value: float | str | None) -> str:
    digits, _, power = str(value).removesuffix(".0").partition("e")
    if not power:
        return f"<mn>{escape(digits)}</mn>"
    ten = f"<msup><mn>10</mn><mn>{int(power)}</mn></msup>"
    return ten if digits == "1" else f"<mn>{digits}</mn><mo>·</mo>{ten}"


def _bracketed(text: str, needed: bool) -> str:
    return f"<mrow><mo>(</mo>{text}<mo>)</mo></mrow>" if needed else f"<mrow>{text}</mrow>"


def _cases(node: Node) -> str:
    rows = []
    while isinstance(node, If):
        rows.append((_markup(node.then), f"<mtext>if&#160;</mtext>{_markup(node.condition)}"))
        node = node.otherwise
    rows.append((_markup(node), "<mtext>otherwise</mtext>"))
    cells = "".join(
        f'<mtr><mtd style="text-align:left">{value}</mtd><mtd style="text-align:left">{when}</mtd></mtr>'
        for value, when in rows
    )
    return f'<mtable class="cases">{cells}</mtable>'


def _call(function: str, arguments: list[str]) -> str:
    inside = "<mo>,</mo>".join(arguments)
    match function:
        case "sqrt":
            return f"<msqrt>{inside}</msqrt>"
        case "abs":
            return f"<mrow><mo>|</mo>{inside}<mo>|</mo></mrow>"
        case "ceil":
            return f"<mrow><mo>⌈</mo>{inside}<mo>⌉</mo></mrow>"
        case "floor":
            return f"<mrow><mo>⌊</mo>{inside}<mo>⌋</mo></mrow>"
        case "log1p":
            sum_ = inside if inside.startswith("<mrow><mo>−") else f"<mo>+</mo>{inside}"  # noqa: RUF001  # a minus sign
            return f"<mi>ln</mi>{_bracketed(f'<mn>1</mn>{sum_}', True)}"
        case "expm1":
            return f"<mrow><msup><mi>e</mi><mrow>{inside}</mrow></msup><mo>−</mo><mn>1</mn></mrow>"  # noqa: RUF001  # minus
    return f"<mi>{escape(_WORDS.get(function, function.strip('_').replace('_', ' ')))}</mi>{_bracketed(inside, True)}"
