"""The small language between Python and the notations of spreadsheets: expressions only, no statements.

The functions that build nodes fold constants on the way, so that an omitted argument leaves no trace.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields, replace


@dataclass(frozen=True, slots=True)
class Node:
    """Any expression."""

    def children(self) -> Iterator[Node]:
        for field in fields(self):
            value = getattr(self, field.name)
            if isinstance(value, Node):
                yield value
            elif isinstance(value, tuple):
                yield from (item for item in value if isinstance(item, Node))


@dataclass(frozen=True, slots=True)
class Constant(Node):
    """A number, a text or a truth value; None stands for an argument that is not given."""

    value: float | str | bool | None


@dataclass(frozen=True, slots=True)
class Name(Node):
    """An argument or a local variable."""

    name: str


@dataclass(frozen=True, slots=True)
class Binary(Node):
    """`+ - * / **`, the comparisons `< <= > >= == !=`, and `&` for joining text."""

    operator: str
    left: Node
    right: Node


@dataclass(frozen=True, slots=True)
class Logical(Node):
    """`and`, `or` and `not` over truth values."""

    operator: str
    items: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Call(Node):
    """One of the functions every notation knows: log, exp, min, prod ..."""

    function: str
    arguments: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class If(Node):
    condition: Node
    then: Node
    otherwise: Node


@dataclass(frozen=True, slots=True)
class Missing(Node):
    """Whether an optional argument was left out."""

    name: str


@dataclass(frozen=True, slots=True)
class Fail(Node):
    """The error value that stands for a raised error."""

    cell: str


@dataclass(frozen=True, slots=True)
class Let(Node):
    """A value that is named once and used in the body."""

    name: str
    value: Node
    body: Node


_ARITHMETIC: dict[str, Callable[[float, float], float | bool]] = {
    "+": lambda a, b: a + b,
    "-": lambda a, b: a - b,
    "*": lambda a, b: a * b,
    "/": lambda a, b: a / b,
    "**": lambda a, b: a**b,
    "<": lambda a, b: a < b,
    "<=": lambda a, b: a <= b,
    ">": lambda a, b: a > b,
    ">=": lambda a, b: a >= b,
    "==": lambda a, b: a == b,
    "!=": lambda a, b: a != b,
}
COMPARISONS = frozenset({"<", "<=", ">", ">=", "==", "!="})


def is_number(node: Node, value: float | None = None) -> bool:
    number = isinstance(node, Constant) and type(node.value) in (int, float)
    return number and (value is None or node.value == value)  # type: ignore[attr-defined]  # a Constant here


def binary(operator: str, left: Node, right: Node) -> Node:
    """The operation, or what it is already known to be: x + 0 is x, 2 * 3 is 6."""
    if is_number(left) and is_number(right):
        try:
            return Constant(_ARITHMETIC[operator](left.value, right.value))  # type: ignore[attr-defined]  # Constants
        except ArithmeticError:
            return Fail("#NUM!")
    match operator:
        case "+" if is_number(right, 0):
            return left
        case "+" if is_number(left, 0):
            return right
        case "-" if is_number(right, 0):
            return left
        case "*" if is_number(left, 0) or is_number(right, 0):
            return Constant(0)  # the guards have seen to it that the other factor is a finite number
        case "*" if is_number(left, 1):
            return right
        case "*" | "/" | "**" if is_number(right, 1):
            return left
        case "/" if is_number(left, 0):
            return left
    return Binary(operator, left, right)


def negate(node: Node) -> Node:
    return binary("-", Constant(0), node)


def logical(operator: str, items: list[Node]) -> Node:
    if operator == "not":
        (item,) = items
        return Constant(not item.value) if isinstance(item, Constant) else Logical("not", (item,))
    decisive = operator == "or"  # one True decides an or, one False an and
    open_items = [
        part
        for item in items
        if not isinstance(item, Constant)
        for part in (item.items if isinstance(item, Logical) and item.operator == operator else (item,))
    ]
    if any(isinstance(item, Constant) and bool(item.value) is decisive for item in items):
        return Constant(decisive)
    if not open_items:
        return Constant(not decisive)
    return open_items[0] if len(open_items) == 1 else Logical(operator, tuple(open_items))


def choose(condition: Node, then: Node, otherwise: Node) -> Node:
    if isinstance(condition, Constant):
        return then if condition.value else otherwise
    if then == otherwise:
        return then
    if isinstance(condition, Logical) and condition.operator == "not":
        return choose(condition.items[0], otherwise, then)
    return If(condition, then, otherwise)


_FOLDED: dict[str, Callable[..., float]] = {
    "log": math.log,
    "log1p": math.log1p,
    "exp": math.exp,
    "expm1": math.expm1,
    "sqrt": math.sqrt,
    "abs": abs,
    "min": min,
    "max": max,
    "ceil": math.ceil,
    "floor": math.floor,
}


def call(function: str, arguments: list[Node]) -> Node:
    if function in _FOLDED and all(is_number(a) for a in arguments):
        try:
            return Constant(_FOLDED[function](*(a.value for a in arguments)))  # type: ignore[attr-defined]  # Constants
        except (ArithmeticError, ValueError):
            return Fail("#NUM!")
    return Call(function, tuple(arguments))


def substitute(node: Node, known: dict[str, Node], filled: frozenset[str] = frozenset()) -> Node:
    """The expression with these names replaced, and all that follows from it folded away.

    Names in `filled` are known never to be missing.
    """

    def walk(part: Node) -> Node:
        return substitute(part, known, filled)

    match node:
        case Name(name):
            return known.get(name, node)
        case Missing(name):
            given = known.get(name, Name(name))
            if isinstance(given, Name):
                return Constant(False) if name in filled else Missing(given.name)
            return Constant(given == Constant(None))
        case Binary(operator, left, right):
            return binary(operator, walk(left), walk(right))
        case Logical(operator, items):
            return logical(operator, [walk(item) for item in items])
        case Call(function, arguments):
            return call(function, [walk(a) for a in arguments])
        case If(condition, then, otherwise):
            decided = walk(condition)
            if isinstance(decided, Constant):  # the branch not taken may hold nonsense such as None + 1
                return walk(then if decided.value else otherwise)
            return choose(decided, walk(then), walk(otherwise))
        case Let(name, value, body):
            value = walk(value)
            if isinstance(value, (Constant, Name)):
                return substitute(body, known | {name: value}, filled)
            return replace(node, value=value, body=walk(body))
    return node


def inline(node: Node) -> Node:
    """The expression without names for intermediate values."""
    match node:
        case Let(name, value, body):
            return inline(substitute(body, {name: inline(value)}))
        case Binary(operator, left, right):
            return binary(operator, inline(left), inline(right))
        case Logical(operator, items):
            return logical(operator, [inline(item) for item in items])
        case Call(function, arguments):
            return call(function, [inline(a) for a in arguments])
        case If(condition, then, otherwise):
            return choose(inline(condition), inline(then), inline(otherwise))
    return node


def part_of_row(node: Node, position: int) -> Node:
    """One number of an expression that gives a row, as an expression of its own."""
    match node:
        case Call("row", items):
            return items[position]
        case If(condition, then, otherwise):
            return choose(condition, part_of_row(then, position), part_of_row(otherwise, position))
        case Let(name, value, body):
            return Let(name, value, part_of_row(body, position))
    return node  # an error stands for each number of the row
