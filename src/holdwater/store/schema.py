"""The tables of the store, derived from the classes of the rows they hold.

A canonical record becomes one row keyed by (connection, id). Text stays text, a moment is UTC ISO text of fixed width
(so that comparing the text compares the moments), an amount is three columns: minor units, currency, source text.
"""

from __future__ import annotations

import json
import operator
import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, fields
from datetime import UTC, date, datetime
from itertools import repeat
from types import NoneType
from typing import Any, Literal, get_args, get_origin, get_type_hints

from holdwater.crm.records import STREAMS, Money, Record
from holdwater.errors import StoreError

Cell = str | int | float | None  # what SQLite holds


def utc_text(moment: datetime) -> str:
    """`2026-01-31T09:30:00.000000Z`; StoreError if the time zone is missing."""
    (text,) = _utc_texts([moment])
    return str(text)


def _utc_texts(moments: Iterable[datetime | None]) -> list[Cell]:
    from holdwater.crm.moments import iso_texts  # needs pydantic, and tables are named where that is not installed

    texts = iso_texts([None if moment is None else _in_utc(moment) for moment in moments])
    return [text if text is None or "." in text else f"{text[:-1]}.000000Z" for text in texts]


def _in_utc(moment: datetime) -> datetime:
    if moment.tzinfo is None:
        raise StoreError("A record has a time without a time zone; the connector must deliver UTC, nothing was kept.")
    return moment if moment.tzinfo is UTC else moment.astimezone(UTC)


def _as_they_are(values: Iterable[Any]) -> Iterable[Cell]:
    return values


def _each(write: Callable[[Any], Cell]) -> Callable[[Iterable[Any]], Iterable[Cell]]:
    return lambda values: [None if value is None else write(value) for value in values]


@dataclass(frozen=True, slots=True)
class Kind:
    """How values of one Python type are held: the SQLite type, a column's way in and a value's way out."""

    name: Literal["text", "integer", "real", "boolean", "moment", "day", "counts"]
    sqlite: Literal["TEXT", "INTEGER", "REAL"]
    write: Callable[[Iterable[Any]], Iterable[Cell]]
    read: Callable[[Any], Any]


_KINDS: Mapping[object, Kind] = {
    str: Kind("text", "TEXT", _as_they_are, str),
    int: Kind("integer", "INTEGER", _as_they_are, int),
    float: Kind("real", "REAL", _as_they_are, float),
    bool: Kind("boolean", "INTEGER", _each(int), bool),
    datetime: Kind("moment", "TEXT", _utc_texts, datetime.fromisoformat),
    date: Kind("day", "TEXT", _each(date.isoformat), date.fromisoformat),
    Mapping: Kind("counts", "TEXT", _each(json.dumps), json.loads),
}


@dataclass(frozen=True, slots=True)
class Column:
    name: str
    kind: Kind
    required: bool
    value: Callable[[Any], Any]  # of a row object

    def cells(self, items: Iterable[object]) -> Iterable[Cell]:
        return self.kind.write(map(self.value, items))

    def of_cell(self, cell: Cell) -> Any:
        return None if cell is None else self.kind.read(cell)


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of one class, each beside the connection it came from."""

    name: str
    row_class: type
    key: tuple[str, str]
    columns: tuple[Column, ...]  # without the connection, which leads every row

    @classmethod
    def of(cls, name: str, row_class: type, key: str = "id") -> Table:
        return cls(name, row_class, ("connection", key), columns_of(row_class))

    def rows(self, connection: str, items: Collection[object]) -> Iterator[tuple[Cell, ...]]:
        """Put together from columns, since a column takes no look at each of its cells."""
        return zip(repeat(connection, len(items)), *(column.cells(items) for column in self.columns), strict=True)

    def values(self, cells: Iterable[Any]) -> dict[str, Any]:
        """The way back, without the connection: by the name of each column."""
        return {column.name: column.of_cell(cell) for column, cell in zip(self.columns, cells, strict=True)}

    @property
    def definition(self) -> str:
        columns = ", ".join(f"{c.name} {c.kind.sqlite}{' NOT NULL' * c.required}" for c in self.columns)
        key = ", ".join(self.key)
        return f"CREATE TABLE {self.name} (connection TEXT NOT NULL, {columns}, PRIMARY KEY ({key})) WITHOUT ROWID"

    @property
    def insert(self) -> str:
        return self._insert(1)

    def upsert(self, rows: int, lasting: Collection[str] = ()) -> str:
        """Of so many rows, keeps the newer version. Of equal versions that differ the later read wins: a source may
        change a row twice within one tick of its clock, and after its mapping is mended an export is read anew.
        What stands in a column of `lasting` stays where the new row has nothing there."""
        names = [column.name for column in self.columns if column.name not in self.key]
        values = (f"coalesce(excluded.{n}, {self.name}.{n})" if n in lasting else f"excluded.{n}" for n in names)
        new, old = ", ".join(values), ", ".join(f"{self.name}.{name}" for name in names)
        return (
            f"{self._insert(rows)} ON CONFLICT ({', '.join(self.key)}) DO UPDATE SET ({', '.join(names)}) = ({new}) "
            f"WHERE excluded.updated_at >= {self.name}.updated_at AND ({new}) IS NOT ({old})"
        )

    def _insert(self, rows: int) -> str:
        row = f"(?{', ?' * len(self.columns)})"
        return f"INSERT INTO {self.name} VALUES {', '.join([row] * rows)}"  # noqa: S608 -- the name is ours


def columns_of(row_class: type) -> tuple[Column, ...]:
    """One column a field, in order; an amount gives `<field>_minor`, `<field>_currency` and `<field>_text`."""
    columns: list[Column] = []
    hints = get_type_hints(row_class)
    for field in fields(row_class):
        kinds = set(get_args(hints[field.name])) or {hints[field.name]}
        value, required = operator.attrgetter(field.name), NoneType not in kinds
        if Money in kinds:
            columns += (
                Column(f"{field.name}_{part.name}", part.kind, required, _of_amount(value, part))
                for part in columns_of(Money)
            )
        else:
            columns.append(Column(field.name, _kind(hints[field.name]), required, value))
    return tuple(columns)


def _kind(hint: Any) -> Kind:
    optional = [part for part in get_args(hint) if part is not NoneType]
    if NoneType in get_args(hint):
        return _kind(optional[0])
    origin = get_origin(hint)
    return _KINDS[str if origin is Literal else origin or hint]


def _of_amount(amount: Callable[[Any], Money | None], part: Column) -> Callable[[Any], Any]:
    def value(row: object) -> Any:
        money = amount(row)
        return None if money is None else part.value(money)

    return value


def _snake_case(name: str) -> str:
    return re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower()


CANONICAL: Mapping[type[Record], Table] = {
    record: Table.of(_snake_case(record.__name__), record) for record in STREAMS.values()
}
