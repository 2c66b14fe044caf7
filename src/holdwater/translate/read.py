"""Reads a formula's Python source into an expression tree.

The subset: assignments, if/elif/else, return, raise, arithmetic, comparisons, `and or not`, `x if c else y`, a few
functions of `math`, min, max, abs, text joined by f-strings, and calls of helpers written in the same subset.
Anything else is refused with its file and line.
"""

from __future__ import annotations

import ast
import inspect
import math
import textwrap
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cache
from itertools import count
from typing import Any

from holdwater.errors import FormulaError, HoldwaterError
from holdwater.translate.tree import (
    Call,
    Constant,
    Fail,
    Let,
    Missing,
    Name,
    Node,
    binary,
    call,
    choose,
    logical,
    negate,
    substitute,
)

_BINARY = {ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.Div: "/", ast.Pow: "**"}
_COMPARE = {ast.Lt: "<", ast.LtE: "<=", ast.Gt: ">", ast.GtE: ">=", ast.Eq: "==", ast.NotEq: "!="}
_FUNCTIONS: dict[Any, str] = {
    math.log: "log", math.log1p: "log1p", math.exp: "exp", math.expm1: "expm1", math.sqrt: "sqrt", math.ceil: "ceil",
    math.floor: "floor", math.prod: "prod", min: "min", max: "max", abs: "abs",
}  # fmt: skip


class CannotTranslateError(HoldwaterError):
    """The source of a formula leaves the subset that every notation can express."""


@cache  # a workbook writes one function into hundreds of cells
def read(function: Callable[..., Any]) -> Node:
    """The function's body as one expression over its arguments, without the guards of its units."""
    reader = _Reader(inspect.unwrap(function), count(1))
    return reader.block(reader.body, reader.names, None)


def read_with_helpers(function: Callable[..., Any]) -> tuple[Node, list[Callable[..., Any]]]:
    """The function's body with the helpers it calls left as calls, and those helpers: as a person reads it."""
    reader = _Reader(inspect.unwrap(function), count(1))
    reader.helpers = []
    return reader.block(reader.body, reader.names, None), reader.helpers


def out_of_domain(arguments: Iterable[Any]) -> Node:
    """The condition under which one of a formula's arguments lies outside its unit's bounds."""
    return logical("or", [wrong for a in arguments for wrong in _outside(a)])


def _outside(argument: Any) -> Iterator[Node]:
    unit, name = argument.unit, Name(argument.name)
    low, high = (Call("min", (name,)), Call("max", (name,))) if unit.many else (name, name)
    wrong = [binary(operator, low if "<" in operator else high, Constant(bound)) for operator, bound in unit.bounds]
    if unit.whole:
        wrong.append(binary("!=", name, call("floor", [name])))
    if wrong and not argument.required and argument.default is None:
        yield choose(Missing(argument.name), Constant(False), logical("or", wrong))
    else:
        yield from wrong


class _Reader:
    """Reads one function; helpers it calls get readers of their own and are folded in."""

    def __init__(self, function: Callable[..., Any], numbers: count[int]) -> None:
        self.globals = function.__globals__
        self.file = inspect.getsourcefile(function)
        lines, self.first_line = inspect.getsourcelines(function)
        definition = ast.parse(textwrap.dedent("".join(lines))).body[0]
        if not isinstance(definition, ast.FunctionDef):
            raise CannotTranslateError(f"{self.file}, line {self.first_line}: only a function can be translated.")
        self.function = function.__name__
        self.numbers = numbers
        self.helpers: list[Callable[..., Any]] | None = None  # a list to gather them in, or None to fold them in
        self.parameters = [a.arg for a in definition.args.args]
        self.names: dict[str, Node] = {name: Name(name) for name in self.parameters}
        documented = isinstance(definition.body[0], ast.Expr)
        self.body = definition.body[1:] if documented else definition.body

    def refuse(self, node: ast.AST, what: str) -> CannotTranslateError:
        line = self.first_line + getattr(node, "lineno", 1) - 1
        return CannotTranslateError(
            f"{self.file}, line {line}: {self.function} uses {what}, which no spreadsheet formula can express;"
            " write it with if, return, arithmetic and math, or keep the function for Python only."
        )

    def block(self, statements: list[ast.stmt], names: dict[str, Node], result: str | None) -> Node:
        """What the statements return, or the variable `result` where they run to their end."""
        if not statements:
            if result is None:
                raise self.refuse(self.body[-1], "a path that returns nothing")
            return names[result]
        first, rest = statements[0], statements[1:]
        match first:
            case ast.Return(value=ast.expr() as value):
                return self.expression(value, names)
            case ast.Raise(exc=ast.Call(func=ast.Name(id=error))):
                return self._failure(first, error)
            case ast.Assign(targets=[ast.Name(id=name)], value=assigned):
                return self._let(name, self.expression(assigned, names), rest, names, result)
            case ast.If(test=test, body=then, orelse=otherwise):
                condition = self.expression(test, names)
                if _ends(then):
                    return choose(condition, self.block(then, names, None), self.block(otherwise + rest, names, result))
                if otherwise and _ends(otherwise):
                    return choose(condition, self.block(then + rest, names, result), self.block(otherwise, names, None))
                variables = sorted(_assigned(then) | _assigned(otherwise))
                if len(variables) != 1:
                    raise self.refuse(first, "an if that sets several variables at once")
                name = variables[0]
                either = choose(condition, self.block(then, names, name), self.block(otherwise, names, name))
                return self._let(name, either, rest, names, result)
        raise self.refuse(first, f"the statement {ast.unparse(first).splitlines()[0]!r}")

    def _let(self, name: str, value: Node, rest: list[ast.stmt], names: dict[str, Node], result: str | None) -> Node:
        if isinstance(value, (Constant, Name)):
            return self.block(rest, names | {name: value}, result)
        local = f"{name}{next(self.numbers)}"  # each local has a name of its own, whatever it is assigned later
        return Let(local, value, self.block(rest, names | {name: Name(local)}, result))

    def _failure(self, node: ast.stmt, error: str) -> Fail:
        kind = self.globals.get(error)
        if not (isinstance(kind, type) and issubclass(kind, FormulaError)):
            raise self.refuse(node, f"{error}, which is no error of a formula")
        return Fail(kind.cell)

    def expression(self, node: ast.expr, names: dict[str, Node]) -> Node:
        match node:
            case ast.Constant(value=value) if value is None or isinstance(value, (int, float, str)):
                return Constant(value)
            case ast.Name(id=name):
                if name in names:
                    return names[name]
                if type(self.globals.get(name)) in (int, float, str):
                    return Constant(self.globals[name])
                raise self.refuse(node, f"the name {name}, which is not set on every path")
            case ast.BinOp(left=left, op=op, right=right) if type(op) in _BINARY:
                return binary(_BINARY[type(op)], self.expression(left, names), self.expression(right, names))
            case ast.UnaryOp(op=ast.USub(), operand=operand):
                return negate(self.expression(operand, names))
            case ast.UnaryOp(op=ast.Not(), operand=operand):
                return logical("not", [self.expression(operand, names)])
            case ast.BoolOp(op=op, values=values):
                operator = "and" if isinstance(op, ast.And) else "or"
                return logical(operator, [self.expression(v, names) for v in values])
            case ast.Compare(
                left=ast.Name(id=name), ops=[ast.Is() | ast.IsNot() as op], comparators=[ast.Constant(value=None)]
            ):
                known = names[name]
                missing = Missing(known.name) if isinstance(known, Name) else Constant(known == Constant(None))
                return missing if isinstance(op, ast.Is) else logical("not", [missing])
            case ast.Compare(left=left, ops=ops, comparators=comparators) if all(type(o) in _COMPARE for o in ops):
                sides = [self.expression(side, names) for side in (left, *comparators)]
                pairs = zip(ops, sides, sides[1:], strict=False)
                return logical("and", [binary(_COMPARE[type(o)], a, b) for o, a, b in pairs])
            case ast.IfExp(test=test, body=then, orelse=otherwise):
                return choose(*(self.expression(part, names) for part in (test, then, otherwise)))
            case ast.JoinedStr(values=parts):
                texts = [self.expression(part, names) for part in parts]
                joined = texts[0]
                for text in texts[1:]:
                    joined = binary("&", joined, text)
                return joined
            case ast.FormattedValue(value=value, conversion=-1, format_spec=None):
                return self.expression(value, names)
            case ast.Tuple(elts=items):  # a result that is one row
                return Call("row", tuple(self.expression(item, names) for item in items))
            case ast.Attribute(value=ast.Name(id="math"), attr="nan"):  # a number of a row that does not exist
                return Fail("#NUM!")
            case ast.Call(func=function, args=arguments, keywords=[]):
                return self._call(node, function, [self.expression(a, names) for a in arguments])
        raise self.refuse(node, repr(ast.unparse(node)))

    def _call(self, node: ast.expr, function: ast.expr, arguments: list[Node]) -> Node:
        target = self._resolve(function)
        if target is math.pow:
            return binary("**", arguments[0], arguments[1])
        if target in _FUNCTIONS:
            return call(_FUNCTIONS[target], arguments)
        if hasattr(target, "spreadsheet_name"):
            return Call(target.spreadsheet_name, tuple(arguments))
        if inspect.isfunction(target) and self.helpers is not None:
            self.helpers.append(target)
            return Call(target.__name__, tuple(arguments))
        if inspect.isfunction(target):
            helper = _Reader(inspect.unwrap(target), self.numbers)
            entry = getattr(target, "formula", None)
            return helper.fold_in(arguments, entry.arguments if entry else ())
        raise self.refuse(node, f"a call of {ast.unparse(function)}")

    def _resolve(self, function: ast.expr) -> Any:
        match function:
            case ast.Name(id=name):
                return self.globals.get(name, {"min": min, "max": max, "abs": abs}.get(name))
            case ast.Attribute(value=ast.Name(id=module), attr=name):
                return getattr(self.globals.get(module), name, None)
        return None

    def fold_in(self, arguments: list[Node], guards: Sequence[Any]) -> Node:
        """The helper's body with these arguments in place of its parameters; a formula brings its guards along."""
        arguments += [Constant(guard.default) for guard in guards[len(arguments) :]]
        names: dict[str, Node] = {}
        lets: list[tuple[str, Node]] = []
        for parameter, argument in zip(self.parameters, arguments, strict=True):
            if isinstance(argument, (Constant, Name)):
                names[parameter] = argument
            else:
                local = f"{parameter}{next(self.numbers)}"
                lets.append((local, argument))
                names[parameter] = Name(local)
        outside = substitute(out_of_domain(guards), names)
        body = choose(outside, Fail("#NUM!"), self.block(self.body, names, None))
        for local, argument in reversed(lets):
            body = Let(local, argument, body)
        return body


def _ends(statements: list[ast.stmt]) -> bool:
    """Whether every path through the statements returns or raises."""
    last = statements[-1]
    if isinstance(last, ast.If):
        return bool(last.orelse) and _ends(last.body) and _ends(last.orelse)
    return isinstance(last, (ast.Return, ast.Raise))


def _assigned(statements: list[ast.stmt]) -> set[str]:
    targets = (node.targets[0] for s in statements for node in ast.walk(s) if isinstance(node, ast.Assign))
    return {target.id for target in targets if isinstance(target, ast.Name)}
