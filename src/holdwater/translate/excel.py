"""Ordinary Excel expressions, without LAMBDA and LET: any Excel, Calc and a viewer compute them."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from holdwater.translate.notation import write
from holdwater.translate.read import CannotTranslateError, out_of_domain, read
from holdwater.translate.tree import (
    Call,
    Constant,
    Fail,
    If,
    Missing,
    Name,
    Node,
    binary,
    choose,
    inline,
    logical,
    part_of_row,
    substitute,
)

LONGEST_FORMULA = 8192  # characters that a cell of Excel takes


@dataclass(frozen=True, slots=True)
class Ref:
    """A cell, a name or a column of this row (`[@leads]`); `blank` says that it may be empty."""

    text: str
    blank: bool = False


Given = Ref | float | str | None


def plain(function: Callable[..., Any], arguments: Mapping[str, Given]) -> str:
    """The function's body over these arguments; what is constant or omitted is folded in.

    The arguments are taken to be right: cells that were checked where they were typed.
    """
    return _text(_specialised(read(function), function, arguments))


def expression(function: Callable[..., Any], arguments: Mapping[str, Given], part: str = "") -> str:
    """A formula over these arguments with its guards: it answers as the Python function does, errors included.

    Of a formula that gives a row, `part` names the one number that the cell shows.
    """
    entry = function.formula  # type: ignore[attr-defined]  # set by @formula
    given = {a.name: arguments.get(a.name) for a in entry.arguments}
    given |= {a.name: entry.check(a, given[a.name]) for a in entry.arguments if not isinstance(given[a.name], Ref)}
    outside = _specialised(out_of_domain(entry.arguments), function, given)
    body = read(function)
    if entry.row:
        body = part_of_row(body, entry.row.index(part))
    answer = _text(choose(outside, Fail("#NUM!"), _specialised(body, function, given)))
    refs = [(argument, ref) for argument in entry.arguments if isinstance(ref := given[argument.name], Ref)]
    if not refs:
        return answer
    kinds = _text(logical("and", [_is_of_kind(argument.unit.many, ref) for argument, ref in refs]))
    total = "+".join(f"SUM({ref.text})" if argument.unit.many else ref.text for argument, ref in refs)
    # A cell that holds an error comes out as that error, anything else that is no number as #VALUE!.
    return f"IF({kinds},{answer},IF(ISERROR({total}),{total},#VALUE!))"


def _is_of_kind(many: bool, ref: Ref) -> Node:
    """Whether the cell holds a number (or may be, and is, empty); a range holds numbers and empty cells only."""
    cell = Name(ref.text)
    if many:
        filled = Name(f'SUMPRODUCT(--({ref.text}<>""))')
        numbers = Call("COUNT", (cell,))
        return logical("and", [binary("==", filled, numbers), binary(">", numbers, Constant(0))])
    is_number = Call("ISNUMBER", (cell,))
    return logical("or", [Missing(ref.text), is_number]) if ref.blank else is_number


def _specialised(node: Node, function: Callable[..., Any], arguments: Mapping[str, Given]) -> Node:
    known: dict[str, Node] = {}
    filled: set[str] = set()
    for name, parameter in inspect.signature(function).parameters.items():
        default = None if parameter.default is inspect.Parameter.empty else parameter.default
        match arguments.get(name):
            case Ref(text, blank):
                cell = Name(text)
                known[name] = _or_default(cell, default) if blank and default is not None else cell
                if not blank or default is not None:
                    filled.add(name)
            case None:
                known[name] = Constant(default)
            case value:
                known[name] = Constant(value)
    return inline(substitute(node, known, frozenset(filled)))


def _or_default(cell: Name, default: float) -> Node:
    """What an optional cell means; N takes an empty one, or an empty text, for 0 and is short."""
    return Call("N", (cell,)) if default == 0 else If(Missing(cell.name), Constant(default), cell)


def _text(node: Node) -> str:
    text = write(node, lambda _: None)
    if len(text) >= LONGEST_FORMULA:
        raise CannotTranslateError(
            f"The formula has {len(text)} characters, a cell takes {LONGEST_FORMULA}; use LAMBDA."
        )
    return text
