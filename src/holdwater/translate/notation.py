"""How operators, numbers, text and functions are written in a spreadsheet formula."""

from __future__ import annotations

from collections.abc import Callable

from holdwater.translate.tree import (
    COMPARISONS,
    Binary,
    Call,
    Constant,
    Fail,
    If,
    Logical,
    Missing,
    Name,
    Node,
    is_number,
    logical,
)

_PRECEDENCE = {"&": 2, "+": 3, "-": 3, "*": 4, "/": 4, "**": 5} | dict.fromkeys(COMPARISONS, 1)
_SIGNS = {"==": "=", "!=": "<>", "**": "^"}
_NEGATIVE, _ATOM = 3, 9


def write(node: Node, other: Callable[[Node], str | None], around: int = 0) -> str:
    """The node as text, in parentheses where what stands `around` it binds tighter.

    `other` writes what differs from one notation to the next; it is asked first and answers None for the rest.
    """

    def inner(part: Node, strength: int = 0) -> str:
        return write(part, other, strength)

    text = other(node)
    if text is not None:
        return text
    strength = _ATOM
    match node:
        case Constant(value):
            text = _constant(value)
            strength = _NEGATIVE if text.startswith("-") else _ATOM
        case Binary("-", left, right) if is_number(left, 0):
            # Excel's minus binds tighter than its ^, so a power keeps its parentheses: -(x^2).
            text, strength = f"-{inner(right, 6 if _is_power(right) else 4)}", _NEGATIVE
        case Binary(operator, left, right):
            strength = _PRECEDENCE[operator]
            sign = _SIGNS.get(operator, operator)
            text = inner(left, strength + (operator == "**")) + sign + inner(right, strength + 1)
        case If(condition, then, otherwise):
            text = f"IF({inner(condition)},{inner(then)},{inner(otherwise)})"
        case Logical("not", (item,)):
            text = f"NOT({inner(item)})"
        case Logical(operator, (first, *later)) if _is_guard(first) and not all(map(_is_guard, later)):
            # AND and OR look at every item and pass an error on; what a guard keeps out must not be looked at.
            rest = logical(operator, later)
            text = inner(If(first, rest, Constant(False)) if operator == "and" else If(first, Constant(True), rest))
        case Logical(operator, items):
            text = f"{operator.upper()}({','.join(inner(item) for item in items)})"
        case Missing(name):
            text, strength = f'{name}=""', 1
        case Name(name):
            text = name
        case Fail(cell):
            text = cell
        case Call(function, arguments):
            text, strength = _call(function, list(arguments), inner)
        case _:
            raise AssertionError(node)
    return f"({text})" if strength < around else text


def _is_guard(node: Node) -> bool:
    """Whether it asks what kind of cell it has before it, which an error cell answers without being one."""
    match node:
        case Logical(_, items):
            return all(map(_is_guard, items))
    return isinstance(node, Call) and node.function == "ISNUMBER"


def _is_power(node: Node) -> bool:
    return isinstance(node, Binary) and node.operator == "**"


def _constant(value: float | str | bool | None) -> str:
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, str):
        return '"' + value.replace('"', '""') + '"'
    if value is None:
        return '""'  # an empty cell equals the empty text
    text = repr(value).replace("e", "E").replace("E-0", "E-")
    return text.removesuffix(".0")


_SAME_CALL = {"log": "LN", "exp": "EXP", "sqrt": "SQRT", "abs": "ABS", "prod": "PRODUCT", "min": "MIN", "max": "MAX"}


def _call(function: str, arguments: list[Node], inner: Callable[..., str]) -> tuple[str, int]:
    match function:
        case "floor":
            return f"INT({inner(arguments[0])})", _ATOM
        case "ceil":
            return f"-INT(-{inner(arguments[0], 4)})", _NEGATIVE
        case "row":
            return (
                f"CHOOSE({{{','.join(str(n + 1) for n in range(len(arguments)))}}},{','.join(map(inner, arguments))})",
                _ATOM,
            )
        case "log1p":
            return _log1p(arguments[0], inner), _ATOM
        case "expm1":
            return _expm1(arguments[0], inner), _ATOM
    if "{}" in function:  # a twin that takes more than one function of the spreadsheet
        return function.format(*(inner(a) for a in arguments)), _ATOM
    return f"{_SAME_CALL.get(function, function)}({','.join(inner(a) for a in arguments)})", _ATOM


def _log1p(argument: Node, inner: Callable[..., str]) -> str:
    """ln(1+x) without the loss of digits for small x (Kahan): the rounding of 1+x cancels out."""
    match argument:
        case Binary("-", Constant(0), shrink):
            x = inner(shrink, 4)
            return f"IF(1-{x}=1,-{x},LN(1-{x})*{x}/(1-(1-{x})))"
    x = inner(argument, 4)
    return f"IF(1+{x}=1,{x},LN(1+{x})*{x}/((1+{x})-1))"


def _expm1(argument: Node, inner: Callable[..., str]) -> str:
    """e^x - 1 without the loss of digits for small x (Kahan): the rounding of e^x cancels out."""
    x = inner(argument)
    grown = f"EXP({x})"
    return f"IF({grown}=1,{x},IF({grown}-1=-1,-1,({grown}-1)*{inner(argument, 4)}/LN({grown})))"
