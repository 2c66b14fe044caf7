"""The NumPy version of a formula: it broadcasts, and an element outside the domain is NaN.

Generated from the same tree as the spreadsheet formulas. It runs in blocks that stay in the processor's cache, and
checks each block by its smallest and largest element, so that the checks cost less than the arithmetic.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from holdwater.errors import FormulaError, KindError
from holdwater.translate.read import read
from holdwater.translate.tree import (
    COMPARISONS,
    Binary,
    Call,
    Constant,
    Fail,
    If,
    Let,
    Logical,
    Name,
    Node,
    substitute,
)

BLOCK = 16_384  # elements: a few such arrays fit into the second-level cache
LARGEST = 1e308

Array = NDArray[np.float64]

# The bare reductions: the methods of arrays put a wrapper around them, which costs as much as a block.
_sum, _least, _most, _any = np.add.reduce, np.minimum.reduce, np.maximum.reduce, np.logical_or.reduce


def over_arrays(entry: Any, arguments: Mapping[str, Any]) -> Any:
    """The formula over arguments of which some are arrays; raises KindError for arrays of anything but numbers."""
    given = {a: arguments.get(a.name) for a in entry.arguments}
    spread = {a: _numbers(entry, a, v) for a, v in given.items() if _is_array(v) and not (a.unit.many or a.unit.table)}
    fixed = {a.name: entry.check(a, v) for a, v in given.items() if a not in spread and not _is_number(a, v)}
    spread |= {a: np.float64(v) for a, v in given.items() if a not in spread and _is_number(a, v)}
    try:
        shape = np.broadcast_shapes(*(v.shape for v in spread.values()))
    except ValueError:
        shapes = ", ".join(f"{a.name} {v.shape}" for a, v in spread.items() if v.ndim)
        raise KindError(f"{entry.excel_name}: these arrays do not fit together: {shapes}.") from None
    columns = [np.broadcast_to(v, shape).reshape(-1) if v.ndim else v for v in spread.values()]
    width = len(entry.row) or 1
    out = np.empty((width, int(np.prod(shape, dtype=int))))
    if entry.python_only:
        body: Callable[..., Any] = _one_by_one(entry, [a.name for a in spread], fixed)
    else:
        names = tuple(a.name for a in spread)
        ranges = {name: np.asarray(v) for name, v in fixed.items() if isinstance(v, list)}
        constants = tuple((name, v) for name, v in fixed.items() if not isinstance(v, list))
        compiled = _compiled(entry.function, names, tuple(ranges), constants)

        def body(*block: Any) -> Any:
            return compiled(*block, *ranges.values())

    domains = [Domain(max(a.unit.low, -LARGEST), min(a.unit.high, LARGEST), a.unit.whole) for a in spread]
    with np.errstate(all="ignore"):  # what goes wrong in an element is NaN in the result
        for start in range(0, out.shape[1], BLOCK):
            block = [v[start : start + BLOCK] if v.ndim else v for v in columns]
            _fill(out[:, start : start + BLOCK], body, block, domains)
    results = out.reshape(width, *shape)
    return tuple(results) if entry.row else results[0]


class Domain(NamedTuple):
    """The numbers an argument may be."""

    low: float
    high: float
    whole: bool

    def holds(self, values: Any) -> bool:
        """Whether all are inside; most often one pass tells."""
        if self.whole:
            return False
        if self.low <= 0 and _none_negative_nor_above(self.high, values):
            return True
        return bool(_least(values) >= self.low and _most(values) <= self.high)

    def outside(self, values: Any) -> Any:
        wrong = ~((values >= self.low) & (values <= self.high))
        return wrong | (values != np.floor(values)) if self.whole else wrong


def _fill(out: Array, body: Callable[..., Any], block: list[Any], domains: list[Domain]) -> None:
    out[:] = body(*block)
    for values, domain in zip(block, domains, strict=True):
        if not domain.holds(values):
            out[:, domain.outside(values)] = np.nan
    if not (_none_negative_nor_above(LARGEST, out) or math.isfinite(_sum(out, axis=None))):
        out[~np.isfinite(out)] = np.nan


def _none_negative_nor_above(high: float, values: Any) -> bool:
    """In one pass: the bits of numbers from 0 up are in their order, and those of negative ones and NaN come last."""
    return bool(_most(values.view(np.uint64), axis=None) <= np.float64(high).view(np.uint64))


def _is_array(value: Any) -> bool:
    return getattr(value, "ndim", 0) > 0


def _is_number(argument: Any, value: Any) -> bool:
    """A plain number beside the arrays: outside the domain it makes every element NaN."""
    numeric = not isinstance(value, (bool, np.bool_, str)) and hasattr(value, "__float__") and not _is_array(value)
    return numeric and not (argument.unit.many or argument.unit.table)


def _numbers(entry: Any, argument: Any, value: Any) -> Array:
    array = np.ma.filled(np.ma.asarray(value, dtype=float), np.nan) if np.ma.isMaskedArray(value) else np.asarray(value)
    if array.dtype.kind not in "iuf":
        raise KindError(
            f"{entry.excel_name}: {argument.name} is an array of {array.dtype}; give one of numbers, NaN where none is"
            " known."
        )
    return array.astype(np.float64, copy=False)


def _one_by_one(entry: Any, names: list[str], fixed: Mapping[str, Any]) -> Callable[..., Any]:
    """For functions with loops: element by element."""

    def one(*values: float) -> Any:
        try:
            return entry.answer(*entry.bind((), {**fixed, **dict(zip(names, values, strict=True))}).values())
        except FormulaError:
            return (np.nan,) * len(entry.row) if entry.row else np.nan

    def body(*block: Any) -> Any:
        rows = [one(*map(float, values)) for values in zip(*np.broadcast_arrays(*block), strict=True)]
        return np.array(rows, dtype=float).T

    return body


@lru_cache(maxsize=512)
def _compiled(
    function: Callable[..., Any],
    names: tuple[str, ...],
    ranges: tuple[str, ...],
    constants: tuple[tuple[str, float | None], ...],
) -> Callable[..., Any]:
    """The body with these constants folded in, as a Python function over blocks."""
    known: dict[str, Node] = {name: Constant(value) for name, value in constants}
    tree = substitute(read(function), known, frozenset((*names, *ranges)))
    if isinstance(tree, Fail) and tree.cell == "#VALUE!":  # not for these numbers, but for any
        function(**dict.fromkeys(names, 1.0), **dict(constants))  # raises what it says of such a call
    source = f"lambda {', '.join((*names, *ranges))}: {_text(tree)}"
    namespace = {"np": np, "nan": np.nan, "choose": _choose, "quantile": _quantile}
    return eval(source, namespace)  # type: ignore[no-any-return]  # noqa: S307  # our own text, from our own source


def _choose(condition: Any, then: Callable[[], Any], otherwise: Callable[[], Any]) -> Any:
    if np.ndim(condition) == 0:
        return then() if condition else otherwise()
    if not _any(condition):
        return otherwise()
    if condition.all():
        return then()
    return np.where(condition, then(), otherwise())


_quantile_of = np.vectorize(lambda p: __import__("statistics").NormalDist().inv_cdf(p), otypes=[float])


def _quantile(probability: Any) -> Any:
    inside = (probability > 0) & (probability < 1)
    return np.where(inside, _quantile_of(np.where(inside, probability, 0.5)), np.nan)


_NUMPY = {
    "log": "np.log", "log1p": "np.log1p", "exp": "np.exp", "expm1": "np.expm1", "sqrt": "np.sqrt", "abs": "np.abs",
    "ceil": "np.ceil", "floor": "np.floor", "min": "np.minimum", "max": "np.maximum", "prod": "np.prod",
    "NORMSINV": "quantile",
}  # fmt: skip


def _text(node: Node) -> str:
    match node:
        case Constant(value):
            return repr(value)
        case Name(name):
            return name
        case Fail():
            return "nan"
        case Binary("**", left, right):
            return f"np.power({_text(left)}, {_text(right)}, dtype=float)"
        case Binary(operator, left, right) if operator in COMPARISONS or operator in "+-*/":
            return f"({_text(left)} {operator} {_text(right)})"
        case Logical("not", (item,)):
            return f"np.logical_not({_text(item)})"
        case Logical(operator, items):
            sign = " & " if operator == "and" else " | "
            return f"({sign.join(_text(item) for item in items)})"
        case If(condition, then, otherwise):
            return f"choose({_text(condition)}, lambda: {_text(then)}, lambda: {_text(otherwise)})"
        case Let(name, value, body):
            return f"(lambda {name}: {_text(body)})({_text(value)})"
        case Call("row", items):
            return f"np.stack(np.broadcast_arrays({', '.join(_text(item) for item in items)}))"
        case Call(function, arguments):
            return f"{_NUMPY[function]}({', '.join(_text(a) for a in arguments)})"
    raise AssertionError(node)
