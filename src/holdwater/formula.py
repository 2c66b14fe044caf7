"""`@formula` and the registry: the one place a function's name, category, units, help and source live.

A formula is written once, as a plain function over floats. The decorator adds the house rules: an omitted
argument, None or an empty string takes the default; text where a number belongs raises KindError (`#VALUE!`);
a number outside its domain, or an answer that does not exist, raises NumError (`#NUM!`).
"""

from __future__ import annotations

import math

from holdwater.errors import CallError, FormulaError, KindError, NumError
from holdwater.rows import is_truth
from holdwater.units import Unit

TYPE_CHECKING = False  # see units.py
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from typing import Any, ParamSpec, TypeVar

    P = ParamSpec("P")
    R = TypeVar("R")

_PLAIN = frozenset({float, int})

registry: dict[str, Formula] = {}  # by Excel name, in catalogue order


class Argument:
    """One argument of a formula. Without a default it is required; a default of None means "not given"."""

    __slots__ = ("default", "name", "required", "unit")

    def __init__(self, name: str, unit: Unit, required: bool, default: float | None) -> None:
        self.name = name
        self.unit = unit
        self.required = required
        self.default = default


class Formula:
    """A registered function with everything that is known about it.

    `row` names the numbers of a result that is one row (low, mid, high; NaN stands for a number that does not exist),
    `columns` those of a result that is a table (a list of dictionaries; a cell shows them with a header).
    `column` says that the result is a list of numbers, one below the other, without a header.
    `python_only` says why the function has no translation: a loop, mostly. `remark` is asked with the same arguments
    for a sentence to know beside the answer, or ""; EXPLAIN tells it. `call` is the function as everybody calls it;
    `quick` has its answer where that is one number for plain numbers, each inside its domain, and else None.
    """

    def __init__(
        self,
        function: Callable[..., Any],
        category: str,
        result: Unit,
        row: tuple[str, ...],
        columns: tuple[str, ...],
        column: bool,
        python_only: str,
        remark: Callable[..., str] | None,
    ) -> None:
        self.function = function
        self.row = row
        self.columns = columns
        self.column = column
        self.python_only = python_only
        self.remark = remark
        self.call = function
        self.quick: Callable[[Sequence[Any]], float | None] = lambda given: None
        self.category = category
        self.result = result
        self.name = function.__name__
        self.excel_name = self.name.upper()
        self._arguments: list[Argument] | None = None

    @property
    def arguments(self) -> list[Argument]:
        if self._arguments is None:  # read at first use: importing the catalogue stays cheap
            code = self.function.__code__
            names = code.co_varnames[: code.co_argcount + self.gathers]
            defaults = self.function.__defaults__ or ()
            required = code.co_argcount - len(defaults)
            self._arguments = [
                Argument(
                    name,
                    self._unit(name),
                    position < required,
                    defaults[position - required] if required <= position < code.co_argcount else None,
                )
                for position, name in enumerate(names)
            ]
        return self._arguments

    @property
    def gathers(self) -> bool:
        """Whether its last argument stands for any number of arguments, as those of the function that EXPLAIN runs."""
        return bool(self.function.__code__.co_flags & 4)  # inspect.CO_VARARGS; importing inspect would cost more

    def _unit(self, name: str) -> Unit:
        annotation = self.function.__annotations__[name].removesuffix(" | None")
        unit = self.function.__globals__[annotation]
        if not isinstance(unit, Unit):
            raise TypeError(f"{self.name}: {name} is annotated with {annotation}, which is not a unit")
        return unit

    @property
    def description(self) -> str:
        return _section(self.function.__doc__ or "", "")

    @property
    def equation(self) -> str:
        return _section(self.function.__doc__ or "", "Equation")

    @property
    def source(self) -> str:
        return _section(self.function.__doc__ or "", "Source")

    @property
    def help(self) -> dict[str, str]:
        """One line for each argument, from the docstring."""
        lines = _section(self.function.__doc__ or "", "Arguments").split("\n")
        return {name.strip(): text.strip() for name, _, text in (line.partition(":") for line in lines)}

    @property
    def signature(self) -> str:
        """As a person types it in a cell: `LTV(margin, churn, [discount=0])`."""
        shown = [
            a.name if a.required else f"[{a.name}]" if a.default is None else f"[{a.name}={a.default:g}]"
            for a in self.arguments
        ]
        if self.gathers:
            shown[-1] = f"…{self.arguments[-1].name}…"
        return f"{self.excel_name}({', '.join(shown)})"

    def placed(self, given: Sequence[Any], named: Mapping[str, Any]) -> dict[str, Any]:
        """What was given, by argument name; CallError for one too many or an unknown name."""
        if len(given) > len(self.arguments):
            raise CallError(f"{self.excel_name} takes {len(self.arguments)} arguments, {len(given)} were given.")
        values = dict(zip((a.name for a in self.arguments), given, strict=False))
        for name, value in named.items():
            if name in values or all(name != a.name for a in self.arguments):
                known = ", ".join(a.name for a in self.arguments)
                raise CallError(f"{self.excel_name} has no place for {name!r}; its arguments are {known}.")
            values[name] = value
        return values

    def spreads(self, arguments: Mapping[str, Any]) -> bool:
        """Whether an array stands where one number belongs, so that the formula answers for each of its elements."""
        if self.columns or self.column:  # one list to a call
            return False
        single = [a.name for a in self.arguments if not (a.unit.many or a.unit.table)]
        return any(getattr(arguments.get(name), "ndim", 0) for name in single)

    def bind(self, given: Sequence[Any], named: Mapping[str, Any]) -> dict[str, Any]:
        """Arguments by name, checked and converted; raises KindError or NumError with argument, value and domain."""
        return self.checked(self.placed(given, named))

    def checked(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """The same for arguments that have found their places."""
        # Kinds before domains, over all arguments: the translations find errors in this order too.
        bound = {a.name: self._number_or_default(a, values.get(a.name)) for a in self.arguments}
        for argument in self.arguments:
            self._check_domain(argument, bound[argument.name])
        return bound

    def check(self, argument: Argument, value: Any) -> Any:
        """One argument, converted and inside its domain."""
        number = self._number_or_default(argument, value)
        self._check_domain(argument, number)
        return number

    def _number_or_default(self, argument: Argument, value: Any) -> Any:
        if value is None or (isinstance(value, str) and not value):
            if argument.required:
                raise KindError(
                    f"{self.excel_name}: {argument.name} is missing; it needs a value ({argument.unit.meaning})."
                )
            return argument.default
        if argument.unit.table:
            return value
        if argument.unit.many:
            cells = [None if item is None or item == "" else self._number(argument, item) for item in _flat(value)]
            numbers = [cell for cell in cells if cell is not None]
            if not numbers:
                raise KindError(f"{self.excel_name}: {argument.name} is an empty range; give at least one number.")
            return cells if argument.unit.paired else numbers
        return self._number(argument, value)

    def _number(self, argument: Argument, value: Any) -> float:
        if not is_truth(value) and not isinstance(value, (str, bytes)) and hasattr(value, "__float__"):
            try:
                return float(value)
            except (TypeError, ValueError, OverflowError):  # an array, a complex number, an int beyond any float
                pass
        raise KindError(
            f"{self.excel_name}: {argument.name} is {_shown(value)}; a number belongs here ({argument.unit.meaning})."
        )

    def _check_domain(self, argument: Argument, value: Any) -> None:
        if value is None or argument.unit.table:
            return
        for number in value if argument.unit.many else (value,):
            if number is None:  # an empty cell of a range
                continue
            # No argument may be infinite; NaN fails every comparison.
            if not (argument.unit.allows(number) if math.isfinite(number) else False):
                raise NumError(
                    f"{self.excel_name}: {argument.name} is {number:.15g}; allowed is {argument.unit.allowed}"
                    f" ({argument.unit.meaning})."
                )

    def answer(self, *values: Any) -> Any:
        """The function's value for checked arguments; what cannot be a number is a NumError."""
        try:
            value = self.function(*values)
        except FormulaError:
            raise
        except (ArithmeticError, ValueError):  # a division by zero, an overflow, the logarithm of nothing
            value = math.nan
        if (self.columns or self.column) and isinstance(value, list):
            return value
        if isinstance(value, str):  # VERDICT answers in words
            return value
        if self.row and isinstance(value, tuple):
            return tuple(float(number) if math.isfinite(number) else math.nan for number in value)
        if not isinstance(value, (int, float)) or not math.isfinite(value):
            shown = ", ".join(_shown(v) for v in values)
            raise NumError(f"{self.excel_name}({shown}) has no finite answer; use smaller or less extreme numbers.")
        return float(value)


def formula(
    category: str,
    result: Unit | type[float | str],
    *,
    row: tuple[str, ...] = (),
    columns: tuple[str, ...] = (),
    column: bool = False,
    python_only: str = "",
    remark: Callable[..., str] | None = None,
) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Register a plain function as a formula of the catalogue, guarded by the units of its signature."""

    def register(function: Callable[P, R]) -> Callable[P, R]:
        entry = Formula(function, category, result, row, columns, column, python_only, remark)  # type: ignore[arg-type]  # see units.py
        registry[entry.excel_name] = entry
        if entry.gathers:  # it hands its arguments on to where they are checked
            function.formula = entry  # type: ignore[attr-defined]  # as below
            return function
        # Nothing lies between these; a single number's own bounds take their place at its first call.
        lows, highs = ((bound,) * function.__code__.co_argcount for bound in (math.inf, -math.inf))
        bounded = bool(row or columns or column)

        def quick(given: Sequence[Any]) -> float | None:
            place = 0  # counted by hand: zip and enumerate cost as much as all the rest
            try:
                for value in given:
                    if type(value) not in _PLAIN or not lows[place] <= value <= highs[place]:
                        return None
                    place += 1
                answer: Any = function(*given)  # type: ignore[call-arg]  # P is what a caller sees
                if type(answer) is int:
                    answer = float(answer)
            except FormulaError:
                raise
            except (ArithmeticError, LookupError, TypeError, ValueError):  # among them too few arguments, or too many
                return None
            return answer if type(answer) is float and answer - answer == 0 else None  # infinity and NaN are not 0 here

        def guarded(*given: Any, **named: Any) -> Any:
            nonlocal lows, highs, bounded
            if not named:  # the common call, plain numbers in place, is checked without building anything
                answer = quick(given)
                if answer is not None:
                    return answer
            if not bounded:
                lows, highs = zip(*_guards(entry), strict=True)
                bounded = True
            arguments = entry.placed(given, named)
            if entry.spreads(arguments):
                from holdwater.translate.arrays import over_arrays  # here, because it needs NumPy

                return over_arrays(entry, arguments)
            return entry.answer(*entry.checked(arguments).values())

        for name in ("__name__", "__qualname__", "__module__", "__doc__", "__annotations__"):
            setattr(guarded, name, getattr(function, name))
        guarded.__wrapped__ = function  # type: ignore[attr-defined]  # so that help() shows the real signature
        entry.call, entry.quick = guarded, quick
        guarded.formula = function.formula = entry  # type: ignore[attr-defined]  # from either to what is known
        return guarded

    return register


def _guards(entry: Formula) -> Iterator[tuple[float, float]]:
    for argument in entry.arguments:
        # Ranges and whole numbers need the full check: an empty interval sends them there.
        plain = not (argument.unit.many or argument.unit.table or argument.unit.whole)
        yield (max(argument.unit.low, -1e308), min(argument.unit.high, 1e308)) if plain else (math.inf, -math.inf)


def _flat(value: Any) -> Iterator[Any]:
    """The cells of a range, row by row; a single number is a range of one."""
    if isinstance(value, (str, bytes)) or not hasattr(value, "__iter__"):
        yield value
        return
    for item in value:
        yield from _flat(item)


def _shown(value: Any) -> str:
    return f"{value:g}" if isinstance(value, float) else repr(value) if len(repr(value)) < 60 else type(value).__name__


def _section(docstring: str, heading: str) -> str:
    """The lines below `Heading:` of a docstring, or its first paragraph for the empty heading."""
    paragraphs = [[line.strip() for line in p.split("\n")] for p in docstring.strip().split("\n\n")]
    if not heading:
        return " ".join(paragraphs[0])
    for lines in paragraphs:
        if lines[0] == f"{heading}:":
            return "\n".join(line for line in lines[1:] if line)
    return ""
