"""Odoo's domains, which are conditions in prefix notation, and its orders."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime, timedelta
from operator import ge, lt
from typing import Any

from holdwater.sandbox.odoo_models import MODELS, NUMBERS, Model

Row = Mapping[str, Any]
Test = Callable[[Row], bool]
FORM = "%Y-%m-%d %H:%M:%S"

_TERM = re.compile(r"\s*([a-z0-9_]+)(?:\s+(asc|desc))?(?:\s+nulls\s+(first|last))?\s*", re.IGNORECASE)
_NEGATIVE = {"not in": "in", "not any": "any", "not like": "like", "not ilike": "ilike", "!=": "=", "<>": "="}
_LIKE = ("like", "ilike", "=like", "=ilike")


class Unfit(Exception):  # noqa: N818 -- an answer to a client, not an error of Holdwater
    """What Odoo says of a question it cannot work with: the name of a Python exception, and a message."""

    def __init__(self, message: str, name: str = "builtins.ValueError") -> None:
        super().__init__(message)
        self.name = name


class Questions:
    """Understands questions about records; `table` has those of a model by their numbers."""

    def __init__(self, table: Callable[[str], Mapping[int, Row]]) -> None:
        self._table = table

    def meeting(self, model: str, domain: object, rows: Iterable[Row]) -> Iterable[Row]:
        """The rows that meet a domain; conditions side by side all have to hold."""
        for test in self._tests(model, domain):
            rows = filter(test, rows)
        return rows

    def _tests(self, model: str, domain: object) -> list[Test]:
        if not isinstance(domain, list):
            raise Unfit("A domain is a list.", "builtins.TypeError")
        stack: list[Test] = []
        try:
            for item in reversed(domain):
                if isinstance(item, list) and len(item) == 3 and isinstance(item[0], str):
                    stack.append(self._condition(MODELS[model], *item))
                elif item == "!":
                    stack.append(_not(stack.pop()))
                elif item in ("&", "|"):
                    stack.append(_joined(item, stack.pop(), stack.pop()))
                else:
                    raise Unfit(f"The domain has an invalid item: {item!r}")
        except IndexError:
            raise Unfit(f"The domain is malformed: {domain!r}") from None
        return stack[::-1]

    def sorted(self, model: str, order: str, rows: Iterable[Row]) -> list[Row]:
        """Rows of which the order says nothing come as they like: the last first, so that nobody relies on it."""
        found = sorted(rows, key=lambda row: row["id"], reverse=True)
        for term in reversed(order.split(",")):
            parts = _TERM.fullmatch(term)
            if not parts:
                raise Unfit(f"The order is invalid: {order}", "odoo.exceptions.UserError")
            field, descending = parts[1], (parts[2] or "").lower() == "desc"
            place = self._place(MODELS[model], field)
            first = parts[3].lower() == "first" if parts[3] else descending  # where what is empty stands
            keyed = [(place(row), row) for row in found]
            full = sorted((one for one in keyed if one[0] is not None), key=lambda one: one[0], reverse=descending)
            empty = [one for one in keyed if one[0] is None]
            found = [row for _, row in (empty + full if first else full + empty)]
        return found

    def _place(self, model: Model, field: str) -> Callable[[Row], Any]:
        if field not in model.fields:
            raise Unfit(f"Invalid field {field!r} on model {model.name!r}")
        if field == "display_name":
            raise Unfit(f"{model.name}.display_name is not stored, so nothing can be ordered by it")
        if field in model.relations:  # by the order of the other model
            other = MODELS[model.relations[field]]
            others = self.sorted(other.name, other.order, self._table(other.name).values())
            ranks = {row["id"]: rank for rank, row in enumerate(others)}
            return lambda row: ranks.get(row[field])
        return lambda row: row[field]

    def _condition(self, model: Model, path: str, operator: object, value: object) -> Test:
        operator = {"==": "="}.get(str(operator).lower(), str(operator).lower())
        field, _, rest = path.partition(".")
        if field not in model.fields:
            raise Unfit(f"Invalid field {model.name}.{field} in condition ({path!r}, {operator!r}, {value!r})")
        if rest and field not in model.relations:
            raise Unfit(f"Invalid field property {rest!r} on {model.name}.{field}")
        if rest:
            return self._related(model, field, self._condition(MODELS[model.relations[field]], rest, operator, value))
        if operator in ("any", "not any") and field in model.relations:
            tests = self._tests(model.relations[field], value)
            test = self._related(model, field, lambda row: all(one(row) for one in tests))
            return test if operator == "any" else _not(test)
        if operator in _NEGATIVE:
            return _not(self._positive(model, field, _NEGATIVE[operator], value))
        return self._positive(model, field, operator, value)

    def _related(self, model: Model, field: str, test: Test) -> Test:
        other = model.relations[field]

        def related(row: Row) -> bool:
            found = self._table(other).get(row[field])
            return found is not None and test(found)

        return related

    def _positive(self, model: Model, field: str, operator: str, value: Any) -> Test:
        kind = model.fields[field]
        if operator == "=?":
            return self._positive(model, field, "=", value) if value not in (None, False) else lambda row: True
        if kind == "many2one" and (isinstance(value, str) or operator in _LIKE):  # a text is the name of the other
            return self._related(model, field, _text_test("display_name", operator, str(value)))
        if operator in _LIKE:
            return _text_test(field, operator, str(value or ""))
        if operator in ("=", "in"):
            values = value if isinstance(value, list) else [value]
            return _datetime_in(field, values) if kind == "datetime" else _in(field, kind, values)
        if operator in ("<", ">", "<=", ">="):
            ordered = _datetime_order if kind == "datetime" else _order
            return ordered(field, operator, _number(value) if kind in (*NUMBERS, "many2one") else value)
        raise Unfit(f"Invalid operator in condition ({field!r}, {operator!r}, {value!r})")


def _in(field: str, kind: str, values: list[Any]) -> Test:
    """False stands for what is empty, and for numbers that are 0."""
    if kind == "boolean":
        wanted = {bool(value) for value in values}
        return lambda row: bool(row[field]) in wanted
    empty = any(value is None or value is False for value in values)
    numbers = frozenset(_number(one) if kind in (*NUMBERS, "many2one") else one for one in values if one is not None)
    blank = (None, 0) if kind in NUMBERS and field != "id" else (None, "")
    return lambda row: (row[field] in blank and empty) or (row[field] is not None and row[field] in numbers)


def _order(field: str, operator: str, value: Any) -> Test:
    match operator:
        case "<":
            return lambda row: row[field] is not None and row[field] < value
        case ">":
            return lambda row: row[field] is not None and row[field] > value
        case "<=":
            return lambda row: row[field] is not None and row[field] <= value
    return lambda row: row[field] is not None and row[field] >= value


def _datetime_in(field: str, values: list[Any]) -> Test:
    """A moment means the whole of its second: Odoo keeps more than it shows."""
    moments = {_moment(value) for value in values if value not in (None, False)}
    empty = len(moments) < len(values)
    return lambda row: empty if row[field] is None else row[field].replace(microsecond=0) in moments


def _datetime_order(field: str, operator: str, value: Any) -> Test:
    if value in (None, False):
        return lambda row: False
    moment = _moment(value)
    limit = moment + timedelta(seconds=1) if operator in (">", "<=") else moment
    compare = ge if operator.startswith(">") else lt
    return lambda row: row[field] is not None and compare(row[field], limit)


def _text_test(field: str, operator: str, pattern: str) -> Test:
    if operator == "=":
        return lambda row: row[field] == pattern
    inside = operator in ("like", "ilike")
    plain = "".join({"%": ".*", "_": "."}.get(letter, re.escape(letter)) for letter in pattern)
    flags = re.DOTALL | (re.IGNORECASE if "ilike" in operator else 0)
    expression = re.compile(f".*{plain}.*" if inside else plain, flags)
    return lambda row: expression.fullmatch(row[field] or "") is not None


def _number(value: Any) -> Any:
    """A number may also be written as text."""
    if not isinstance(value, str):
        return value
    try:
        return float(value) if "." in value else int(value)
    except ValueError:
        raise Unfit(f"{value!r} is no number", "psycopg2.errors.InvalidTextRepresentation") from None


def _moment(value: Any) -> datetime:
    """UTC, without saying so; a day is its first moment."""
    if isinstance(value, str):
        for form in (FORM, "%Y-%m-%d", "%Y-%m-%dT%H:%M:%S"):
            try:
                return datetime.strptime(value, form).replace(tzinfo=UTC)
            except ValueError:
                continue
    raise Unfit(f"{value!r} cannot be read as a moment")


def _not(test: Test) -> Test:
    return lambda row: not test(row)


def _joined(sign: str, one: Test, other: Test) -> Test:
    if sign == "&":
        return lambda row: one(row) and other(row)
    return lambda row: one(row) or other(row)
