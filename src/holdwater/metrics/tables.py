"""The canonical tables as Ibis sees them: only the columns that the metrics need, typed as the store says."""

from __future__ import annotations

import ibis  # type: ignore[import-untyped] # it ships no types

from holdwater.store.schema import CANONICAL

NEEDED = {
    "lead": ("connection", "id", "created_at", "source", "person"),
    "deal": ("connection", "id", "lead_id", "status", "created_at", "closed_at", "lost_reason"),
    "stage": ("connection", "id", "label", "position", "closed"),
    "stage_event": ("connection", "id", "deal_id", "stage_id", "entered_at"),
    "activity": ("connection", "lead_id", "deal_id", "kind", "direction", "occurred_at"),
    "consent": ("connection", "lead_id", "channel", "status", "recorded_at"),
    "customer": ("connection", "id", "lead_id", "started_at", "ended_at", "person"),
    "invoice": (
        "connection",
        "customer_id",
        "status",
        "issued_at",
        "paid_at",
        "total_minor",
        "total_currency",
        "refunded_minor",
    ),
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
LEADS, DEALS, STAGES, STAGE_EVENTS, ACTIVITIES, CONSENTS, CUSTOMERS, INVOICES, SPEND = UNBOUND.values()
