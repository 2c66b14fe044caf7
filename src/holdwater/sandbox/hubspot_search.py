"""HubSpot's search: filter groups, one sort, and the wall at 10,000 results.

As in HubSpot, `hs_object_id` compares as a number in a filter and sorts as text, and a value that is not set
answers to NOT_HAS_PROPERTY only.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any

from holdwater.sandbox.hubspot_request import invalid, objects, strings
from holdwater.sandbox.hubspot_rows import ObjectType, Row, iso

LIMIT = 200
CAP = 10_000
GROUPS, FILTERS_PER_GROUP, FILTERS = 5, 10, 25
REQUIRED = ("filterGroups", "sorts", "properties", "limit", "after")

_Value = str | Decimal
_Test = Callable[[Mapping[str, str | None]], bool]
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Search:
    """A search that HubSpot would accept."""

    groups: tuple[tuple[_Test, ...], ...]
    sort: tuple[str, bool] | None  # property, descending
    properties: tuple[str, ...]
    limit: int
    offset: int

    @classmethod
    def parse(cls, kind: ObjectType, body: Mapping[str, Any], *, strict: bool, cap: int) -> Search:
        """`strict`: every field must be there, as the dated versions of the API want it."""
        missing = [name for name in REQUIRED if strict and name not in body]
        if missing:
            raise invalid(f"Invalid input JSON: required fields were not set: {missing}")
        if body.get("query"):
            raise invalid("The sandbox has no full-text search; use filterGroups instead of query")
        limit, after = body.get("limit", 10), body.get("after", "0")
        if not isinstance(limit, int) or isinstance(limit, bool) or not 0 < limit <= LIMIT:
            raise invalid(f"limit must be a number from 1 to {LIMIT}, not {limit!r}")
        if isinstance(after, int) and not strict:
            after = str(after)
        if not isinstance(after, str) or not (after or "0").isdecimal():
            raise invalid(f"after must be a string of digits, not {after!r}")
        offset = int(after or "0")
        if offset + limit > cap:
            raise invalid(f"No search goes beyond {cap} results; {offset} and {limit} more were asked for")
        return cls(
            groups=_groups(kind, body.get("filterGroups", [])),
            sort=_sort(kind, body.get("sorts", [])),
            properties=tuple(strings(body.get("properties", []), "properties")),
            limit=limit,
            offset=offset,
        )

    def find(self, kind: ObjectType, rows: Iterable[Row]) -> list[Row]:
        """All rows that match, sorted; rows come in the order of their ids and keep it among equals."""
        found = [
            row
            for row in rows
            if not self.groups or any(all(test(row.properties) for test in group) for group in self.groups)
        ]
        if self.sort:
            name, descending = self.sort
            number = kind.kinds[name] == "number" and name != "hs_object_id"
            unset = [row for row in found if row.properties[name] is None]
            found = [row for row in found if row.properties[name] is not None]
            found.sort(key=lambda row: _key(row.properties[name] or "", number=number), reverse=descending)
            found += unset
        return found


def _groups(kind: ObjectType, groups: object) -> tuple[tuple[_Test, ...], ...]:
    listed = [objects(group.get("filters", []), "filters") for group in objects(groups, "filterGroups")]
    most = max(map(len, listed), default=0)
    if len(listed) > GROUPS or most > FILTERS_PER_GROUP or sum(map(len, listed)) > FILTERS:
        raise invalid(f"A search takes {GROUPS} filterGroups, {FILTERS_PER_GROUP} filters in one and {FILTERS} in all")
    return tuple(tuple(_test(kind, one) for one in group) for group in listed)


def _test(kind: ObjectType, wanted: Mapping[str, Any]) -> _Test:
    name, operator = wanted.get("propertyName"), wanted.get("operator")
    if not isinstance(name, str) or name not in kind.kinds:
        raise invalid(f"Property {name!r} does not exist on {kind.name}")
    if operator == "HAS_PROPERTY":
        return lambda properties: properties[name] is not None
    if operator == "NOT_HAS_PROPERTY":
        return lambda properties: properties[name] is None

    def value(field: str) -> _Value:
        return _value(kind, name, wanted.get(field))

    def values() -> frozenset[_Value]:
        return frozenset(_value(kind, name, one) for one in strings(wanted.get("values"), "values"))

    holds = _comparison(operator, value, values)
    number = kind.kinds[name] == "number"

    def test(properties: Mapping[str, str | None]) -> bool:
        text = properties[name]
        return text is not None and holds(_key(text, number=number))

    return test


def _comparison(
    operator: object, value: Callable[[str], _Value], values: Callable[[], frozenset[_Value]]
) -> Callable[[Any], bool]:
    match operator:
        case "BETWEEN":
            low, high = value("value"), value("highValue")
            return lambda one: bool(low <= one <= high)
        case "IN":
            members = values()
            return lambda one: one in members
        case "NOT_IN":
            members = values()
            return lambda one: one not in members
        case "EQ" | "NEQ" | "LT" | "LTE" | "GT" | "GTE":
            other: Any = value("value")
            comparisons: dict[str, Callable[[Any], bool]] = {
                "EQ": lambda one: bool(one == other),
                "NEQ": lambda one: bool(one != other),
                "LT": lambda one: bool(one < other),
                "LTE": lambda one: bool(one <= other),
                "GT": lambda one: bool(one > other),
                "GTE": lambda one: bool(one >= other),
            }
            return comparisons[operator]
        case _:
            raise invalid(f"Operator {operator!r} is not one the sandbox knows")


def _key(text: str, *, number: bool) -> _Value:
    return Decimal(text) if number else text


def _value(kind: ObjectType, name: str, text: object) -> _Value:
    """A filter's value in the form it is compared in: datetimes as the text the rows have."""
    if not isinstance(text, str):
        raise invalid(f"The filter on {name} needs a string as its value, not {text!r}")
    try:
        match kind.kinds[name]:
            case "datetime" if text.removeprefix("-").isdecimal():
                return iso(_EPOCH + timedelta(milliseconds=int(text)))
            case "datetime":
                moment = datetime.fromisoformat(text)
                return iso(moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC))
            case "number":
                return Decimal(text)
            case _:
                return text
    except (ValueError, OverflowError, InvalidOperation):
        raise invalid(f"The filter on {name} cannot compare with {text!r}") from None


def _sort(kind: ObjectType, sorts: object) -> tuple[str, bool] | None:
    """A property's name (with a minus in front: descending), or an object with propertyName and direction."""
    if not isinstance(sorts, list) or len(sorts) > 1:
        raise invalid("sorts must be a list of one sort at most")
    if not sorts:
        return None
    match sorts[0]:
        case str(text):
            name, descending = text.removeprefix("-"), text.startswith("-")
        case {"propertyName": str(name), **rest}:
            descending = rest.get("direction", "ASCENDING") == "DESCENDING"
        case other:
            raise invalid(f"A sort is a string or an object with propertyName and direction, not {other!r}")
    if name not in kind.kinds:
        raise invalid(f"Property {name!r} does not exist on {kind.name}")
    return name, descending
