"""LAMBDA text: a defined name that gives Excel 365 the function itself, with no Python installed.

Measured rules behind the spelling: every parameter and local ends in `_`, so that no cell or function of that name
gets in its way; min and max become IF and `and`/`or` become `*`/`+`, because MIN, AND and OR collapse a range that
should spill; ISNUMBER does not spill, `x=x+0` does.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from holdwater.translate.notation import write
from holdwater.translate.read import out_of_domain, read
from holdwater.translate.tree import Binary, Call, Let, Logical, Missing, Name, Node


def lambda_text(function: Callable[..., Any]) -> str:
    """The text of a defined name for this formula, as an .xlsx file stores it (without the equals sign)."""
    entry = function.formula  # type: ignore[attr-defined]  # set by @formula
    heads, checked, sound = [], [], []
    for argument in entry.arguments:
        raw, value = f"_xlpm.{argument.name}_", f"_xlpm.{argument.name}_v_"
        heads.append(f"{'_xlpm.' if argument.required else '_xlop.'}{argument.name}_")
        if argument.unit.many:
            # The range itself goes on into the body; only the verdict on it gets a name.
            # Typed into the call itself, text or TRUE would count as a number: x=x+0 tells them apart.
            sound_cells = f'SUMPRODUCT(--IF({raw}="",FALSE,{raw}={raw}+0))'
            checked.append(f'{value},IF((SUMPRODUCT(--({raw}<>""))={sound_cells})*({sound_cells}>0),0,#VALUE!)')
        else:
            checked.append(f"{value},{_checked(argument, raw)}")
        blank = not argument.required and argument.default is None
        sound.append(f'IF({value}="",TRUE,{value}*0=0)' if blank else f"({value}*0=0)")
    ranges = {a.name for a in entry.arguments if a.unit.many}
    outside = _text(out_of_domain(entry.arguments), ranges)
    body = _text(read(function), ranges)
    # Every check stands in one product, so that an error in any argument comes out as that error.
    return (
        f"_xlfn.LAMBDA({','.join(heads)},_xlfn.LET({','.join(checked)},"
        f"IF({'*'.join(sound)},IF({outside},#NUM!,{body}),#VALUE!)))"
    )


def _checked(argument: Any, raw: str) -> str:
    number = f"IF({raw}={raw}+0,{raw},#VALUE!)"
    if argument.required:
        return f'IF({raw}="",#VALUE!,{number})'
    default = '""' if argument.default is None else f"{argument.default:.17g}"
    return f'IF(_xlfn.ISOMITTED({raw}),{default},IF({raw}="",{default},{number}))'


def _text(node: Node, ranges: set[str]) -> str:
    """The expression with spilling operators, and LET for its intermediate values."""

    def other(part: Node) -> str | None:
        match part:
            case Name(name):
                return _name(name, ranges)
            case Missing(name):
                return f'({_name(name, ranges)}="")'
            case Let(name, value, body):
                return f"_xlfn.LET({_name(name, ranges)},{inner(value)},{inner(body)})"
            case Logical("not", (item,)):
                return f"(1-({inner(item)}))"
            case Logical("and", items):
                return "(" + "*".join(f"({inner(item)})" for item in items) + ")"
            case Logical("or", items):
                return "(" + "+".join(f"({inner(item)})" for item in items) + ">0)"
            case Call("min" | "max" as function, (left, right)):
                sign = "<" if function == "min" else ">"
                return f"IF({write(Binary(sign, left, right), other)},{inner(left)},{inner(right)})"
        return None

    def inner(part: Node) -> str:
        return write(part, other)

    return inner(node)


def _name(name: str, ranges: set[str]) -> str:
    if name in ranges:
        return f"_xlpm.{name}_"
    return f"_xlpm.{name}_" if name[-1].isdigit() else f"_xlpm.{name}_v_"
