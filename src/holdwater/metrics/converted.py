"""Amounts in the currency of the books, by the rates that the accountant has typed."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import ibis  # type: ignore[import-untyped] # it ships no types

from holdwater.crm.records import minor_units
from holdwater.errors import ExportError
from holdwater.metrics import funnel
from holdwater.metrics.conventions import Conventions
from holdwater.metrics.engine import Engine
from holdwater.metrics.tables import INVOICES, SPEND


def spend_currency(engine: Engine, until: datetime, conventions: Conventions) -> str | None:
    """The one currency of all spend, None without spend; ExportError for one that has no rate."""
    found = [row["amount_currency"] for row in engine.rows(funnel.spend_currencies(until))]
    if conventions.currency is None:
        if len(found) > 1:
            raise ExportError(
                f"The spend comes in several currencies ({', '.join(found)}): type on the sheet Inputs in which one the"
                " books are kept, and the rates of the others."
            )
        return found[0] if found else None
    unknown = [c for c in found if c != conventions.currency and c not in conventions.rates]
    if unknown:
        raise ExportError(
            f"Some spend is in {', '.join(unknown)}, and no rate is known: type on the sheet Inputs how much"
            f" {conventions.currency} one {unknown[0]} is."
        )
    return conventions.currency if found else None


class Converted:
    """An engine in whose answers spend and invoices are in the currency of the books, each row to its cent.

    Invoices in a currency without a rate stay in it; their figures are kept by currency.
    """

    def __init__(self, engine: Engine, currency: str, rates: Mapping[str, float]) -> None:
        self._engine = engine

        def factors(column: ibis.Value) -> ibis.Value:
            worth = [(other, rate * minor_units(currency) / minor_units(other)) for other, rate in rates.items()]
            return column.cases(*worth, else_=1.0)

        def in_books(table: ibis.Table, column: str, amounts: tuple[str, ...]) -> ibis.Table:
            by = factors(table[column])
            known = table[column].isin(list(rates))
            whole = {name: (table[name] * by).round().cast("int64") for name in amounts}
            return table.mutate(
                **{name: ibis.ifelse(known, value, table[name]) for name, value in whole.items()},
                **{column: ibis.ifelse(known, currency, table[column])},
            )

        self._tables = {
            SPEND.op(): in_books(SPEND, "amount_currency", ("amount_minor",)).op(),
            INVOICES.op(): in_books(INVOICES, "total_currency", ("total_minor", "refunded_minor")).op(),
        }

    def rows(self, expression: ibis.Table) -> list[dict[str, Any]]:
        return self._engine.rows(expression.op().replace(self._tables).to_expr())
