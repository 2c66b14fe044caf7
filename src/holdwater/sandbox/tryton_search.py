"""How Tryton searches its records: domains, orders and fields, and how it writes values into JSON.

The sandbox knows the operators that compare one value or look into a list; Tryton has some more.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from holdwater.sandbox.dialect import Json
from holdwater.sandbox.tryton_rows import Model, Records

_Test = Callable[[Any], bool]
_DATE = ("year", "month", "day")
_MOMENT = (*_DATE, "hour", "minute", "second", "microsecond")
_COMPARED: Mapping[str, Callable[[Any, Any], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


def understood(value: Json) -> Any:
    """An object of a question, as `json.loads` meets it: a moment, a day or an amount where it says so."""
    match value.get("__class__"):
        case "datetime":
            return datetime(**{name: value[name] for name in _MOMENT}, tzinfo=UTC)
        case "date":
            return date(*(value[name] for name in _DATE))
        case "Decimal":
            return Decimal(value["decimal"])
    return value


def written(value: object) -> Any:
    """A value of a record as Tryton sends it."""
    match value:
        case datetime():
            return {"__class__": "datetime"} | {name: getattr(value, name) for name in _MOMENT}
        case date():
            return {"__class__": "date"} | {name: getattr(value, name) for name in _DATE}
        case Decimal():
            return {"__class__": "Decimal", "decimal": str(value)}
    return value


class Search:
    """Searches and reads records of one model as of a moment (None: now); KeyError for a field that it has not."""

    def __init__(self, records: Records, model: str, context: Mapping[str, Any]) -> None:
        self._all = records.models
        self._model = records.models[model]
        self._at: datetime | None = context.get("_datetime")
        self._active_test = bool(context.get("active_test", True))

    def search(self, domain: Sequence[Any], offset: int, limit: int | None, order: Iterable[Any] | None) -> list[Any]:
        """Records; without an order, by id.

        States and what names another record are sorted as text and number here, by Tryton as a person sees them.
        """
        test = self._test(domain)
        found = [one for one in self._model.records(_ids(domain), self._at) if test(one) and self._active(one, domain)]
        # The least important first: a sort keeps the order of what is equal.
        for name, how in reversed([(name, how or "ASC") for name, how in order or [("id", "ASC")]]):
            _sort(found, self._model.fields[name], *str(how).upper().partition(" ")[::2])
        return found[offset:] if limit is None else found[offset : offset + limit]

    def of(self, ids: Collection[int]) -> list[Any]:
        return list(self._model.records(ids, self._at))

    def read(self, records: Iterable[Any], names: Sequence[str]) -> list[Json]:
        """What the fields of these names say; `party.email` is the e-mail address in the record of the party."""
        return [_read(self._all, self._model, one, names) for one in records]

    def _active(self, record: Any, domain: Sequence[Any]) -> bool:
        """What is not active is found only by who asks for it."""
        asked = any(isinstance(leaf, list) and leaf[:1] == ["active"] for leaf in domain)
        field = self._model.fields.get("active")
        return field is None or asked or not self._active_test or bool(field(record))

    def _test(self, domain: Sequence[Any]) -> _Test:
        if len(domain) == 3 and isinstance(domain[0], str) and isinstance(domain[1], str):
            return self._leaf(*domain)
        either = domain[:1] == ["OR"]
        tests = [self._test(one) for one in (domain[1:] if domain[:1] in (["OR"], ["AND"]) else domain)]
        if either and tests:
            return lambda record: any(test(record) for test in tests)
        return lambda record: all(test(record) for test in tests)

    def _leaf(self, name: str, compare: str, value: Any) -> _Test:
        """What is empty is unlike any value, and in no order with a number or a day."""
        field = self._model.fields[name]
        match compare:
            case "=":
                return lambda record: bool(field(record) == value)
            case "!=":
                return lambda record: bool(field(record) != value)
            case "in" | "not in":
                wanted, within = set(value), compare == "in"
                return lambda record: (field(record) in wanted) == within
        ordered = _COMPARED[compare]
        blank = "" if isinstance(value, str) else None  # of texts, the empty one comes first

        def holds(record: Any) -> bool:
            known = blank if (found := field(record)) is None else found
            return known is not None and value is not None and ordered(known, value)

        return holds


def _ids(domain: Sequence[Any]) -> Collection[int] | None:
    """The ids that a domain asks for by name, so that nothing else is looked at."""
    for leaf in domain:
        if isinstance(leaf, list) and leaf[:2] == ["id", "in"]:
            return {id_ for id_ in leaf[2] if isinstance(id_, int)}
    return None


def _sort(records: list[Any], field: Callable[[Any], Any], way: str, nulls: str) -> None:
    """As SQLite and PostgreSQL would if asked for it; without being asked, they do not agree on what is empty."""
    empty = [one for one in records if field(one) is None]
    full = sorted((one for one in records if field(one) is not None), key=field, reverse=way == "DESC")
    records[:] = [*full, *empty] if nulls == "NULLS LAST" else [*empty, *full]


def _read(models: Mapping[str, Model], model: Model, record: Any, names: Sequence[str]) -> Json:
    row: Json = {"id": model.fields["id"](record)}
    inside: dict[str, list[str]] = {}
    for name in names:
        first, dot, rest = name.partition(".")
        if dot:
            inside.setdefault(first, []).append(rest)
        else:
            row[name] = written(model.fields[name](record))
    for name, asked in inside.items():
        other, id_ = models[model.relations[name]], model.fields[name](record)
        found = other.records([id_], None) if isinstance(id_, int) else []
        row[f"{name}."] = next((_read(models, other, one, asked) for one in found), None)
    return row
