"""The canonical tables as Ibis sees them: only the columns that the metrics need, typed as the store says."""

from __future__ import annotations

import ibis  # type: ignore[import-untyped] # it ships no types

from holdwater.store.schema import CANONICAL

NEEDED = {
    "lead": ("connection", "id", "created_at", "source"),
    "deal": ("connection", "lead_id", "status", "created_at", "closed_at"),
    "customer": ("connection", "lead_id", "started_at"),
    "spend": ("day", "source", "amount_minor", "amount_currency"),
}

_IBIS_TYPES = {"text": "string", "integer": "int64", "boolean": "boolean", "moment": "timestamp", "day": "date"}


def _unbound(name: str) -> ibis.Table:
    kinds = {"connection": "text"}
    for table in CANONICAL.values():
        if table.name == name:
            kinds |= {column.name: column.kind.name for column in table.columns}
    return ibis.table({column: _IBIS_TYPES[kinds[column]] for column in NEEDED[name]}, name=name)


UNBOUND = {name: _unbound(name) for name in NEEDED}
LEADS, DEALS, CUSTOMERS, SPEND = (UNBOUND[name] for name in ("lead", "deal", "customer", "spend"))
