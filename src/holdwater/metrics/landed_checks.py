"""A look at tables that another tool landed, before anything is counted: what would give a wrong figure is refused."""

from __future__ import annotations

import re
from typing import Any, get_args, get_type_hints

import ibis  # type: ignore[import-untyped] # it ships no types

from holdwater.errors import ExportError
from holdwater.metrics.engine import Engine
from holdwater.store.schema import CANONICAL

# Without these a table that is there tells nothing. All others may be missing.
NECESSARY = {
    "lead": ("id", "created_at"),
    "deal": ("id", "status"),
    "stage": ("id",),
    "stage_event": ("deal_id", "stage_id", "entered_at"),
    "activity": ("kind", "direction", "occurred_at"),
    "consent": ("lead_id", "status"),
    "customer": ("id", "started_at"),
    "invoice": ("customer_id", "status", "issued_at", "total_minor", "total_currency"),
    "spend": ("day", "amount_minor", "amount_currency"),
}
_MAY_BE_NULL = ("direction", "total_minor", "total_currency")
_ONE_ROW_EACH = ("lead", "deal", "stage", "customer")
_WORDED = {"deal": "status", "activity": "kind", "consent": "status", "invoice": "status"}
_CURRENCY = {"spend": "amount_currency", "invoice": "total_currency"}
_SHOWN = 3  # unknown words in a message


def check_type(table: str, column: str, wanted: ibis.expr.datatypes.DataType, theirs: Any) -> None:
    """ExportError for a type whose values could become another id, moment or number on their way to ours."""
    kind = theirs.type()
    whole = kind.is_integer() or (kind.is_decimal() and kind.scale == 0)
    takes = {
        "string": (not kind.is_floating() and (not kind.is_decimal() or whole), "text or whole numbers"),
        "timestamp": (kind.is_timestamp() or kind.is_date(), "moments (timestamps or dates)"),
        "date": (kind.is_timestamp() or kind.is_date(), "dates"),
        "int64": (whole or (column == "position" and kind.is_numeric()), "whole numbers"),
        "boolean": (kind.is_boolean() or kind.is_integer(), "true and false"),
    }
    fits, words = takes[str(wanted)]
    if not fits and not kind.is_null():
        raise ExportError(
            f"The table of {table}: {theirs.get_name()} is of type {kind.copy(nullable=True)}, and {column} holds"
            f" {words}; cast it in a view, and name that view in the mapping."
        )


def check_rows(name: str, table: ibis.Table, engine: Engine) -> None:
    """ExportError for rows without what is needed, rows that stand there twice, and words that we do not know."""
    needed = [column for column in NECESSARY[name] if column not in _MAY_BE_NULL]
    (missing,) = engine.rows(table.aggregate(**{c: table[c].isnull().sum().fill_null(0) for c in needed}))
    for column, rows in missing.items():
        if rows:
            raise ExportError(
                f"{_rows(rows)} of {name} {'has' if rows == 1 else 'have'} no {column}: give a view"
                " that leaves such rows out, or fills it."
            )
    if name in _ONE_ROW_EACH:
        each = table.group_by("connection", "id").aggregate(times=table.count())
        each = each.filter(each.times > 1)
        (twice,) = engine.rows(each.aggregate(ids=each.count()))
        if twice["ids"]:
            raise ExportError(
                f"The table of {name} holds {_ids(twice['ids'])} more than once: keep the newest row of each in a view."
            )
    if name in _WORDED:
        allowed = words_of(name, _WORDED[name])
        _check_words(name, _WORDED[name], table, engine, re.compile("|".join(allowed)), f"one of {', '.join(allowed)}")
    if name == "activity":
        _check_words(name, "direction", table, engine, re.compile("in|out"), "one of in, out")
    if name in _CURRENCY:
        _check_words(name, _CURRENCY[name], table, engine, re.compile("[A-Z]{3}"), "three capital letters such as EUR")


def words_of(table: str, column: str) -> tuple[str, ...]:
    """The words that the column of our own table may hold."""
    (record,) = (record for record, described in CANONICAL.items() if described.name == table)
    return tuple(get_args(get_type_hints(record)[column]))


def _check_words(name: str, column: str, table: ibis.Table, engine: Engine, known: re.Pattern[str], rule: str) -> None:
    said = engine.rows(table.group_by(column).aggregate(rows=table.count()))
    unknown = sorted(row[column] for row in said if row[column] is not None and not known.fullmatch(row[column]))
    if unknown:
        raise ExportError(
            f"The table of {name}: {column} says {', '.join(unknown[:_SHOWN])}; it has to be {rule}. Say so in a view,"
            " and name that view in the mapping."
        )


def _rows(count: int) -> str:
    return "1 row" if count == 1 else f"{count:,} rows"


def _ids(count: int) -> str:
    return "1 id" if count == 1 else f"{count:,} ids"
