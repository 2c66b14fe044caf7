"""Workbooks of whole simulated businesses that have little in common."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

from holdwater.crm.client import Client
from holdwater.crm.credentials import Token
from holdwater.crm.files import Exports
from holdwater.crm.hubspot import HubSpot
from holdwater.demo import FIXES, SIMULATED, inputs, sync_exports
from holdwater.metrics.reporting import report
from holdwater.sandbox import DEFAULT, Business, serve, simulate
from holdwater.sandbox.truth import Source, Truth
from holdwater.store.database import Store
from holdwater.store.sync import sync
from holdwater.workbook.books import conventions_of
from holdwater.workbook.cached import Place
from holdwater.workbook.cells import Value
from holdwater.workbook.layout import RATES_TOP
from holdwater.workbook.package import Package
from holdwater.workbook.refresh import refresh
from holdwater.workbook.screens import CURVES_TOP
from holdwater.workbook.template import write_template

EXPORTER = Truth(
    sources=(
        Source(name="PAID_SEARCH", leads_per_month=30, conversion=0.2, days_to_win=9, cost_per_lead=Decimal("31.70")),
        Source(name="OFFLINE", leads_per_month=12, conversion=0.3, days_to_win=45, cost_per_lead=Decimal("250.00")),
        Source(name="DIRECT_TRAFFIC", leads_per_month=15, conversion=0.25, days_to_win=12),
    ),
    churn=0.02,
    referral_rate=0.0,
    revenue_per_customer=Decimal("910.00"),
    gross_margin=0.4,
    currency="EUR",
)


def demo_book(book: Path) -> None:
    _made(book, simulate(seed=1))


def exporters_book(book: Path) -> None:
    """Books in euros from April to March, weeks from Sunday, by the clock of New York, spend in three currencies."""
    keeps: dict[str, float | str] = {"fiscal_start": 4.0, "week_start": 7.0, "time_zone": "America/New_York"}
    typed = {"lead_budget": 3_000.0, "service_capacity": 400.0, "monthly_sales_cost": 900.0, "monthly_referral": 0.01}
    keeps |= {"books_currency": "EUR", **typed}
    _made(book, simulate(EXPORTER, seed=7, months=40), keeps, currencies=("EUR", "USD", "GBP"))


def newcomers_book(book: Path) -> None:
    """Three months of a business that nobody recommends yet: most rates rest on too few."""
    few = tuple(replace(source, leads_per_month=source.leads_per_month / 3) for source in DEFAULT.sources)
    _made(book, simulate(replace(DEFAULT, sources=few), seed=3, months=3))


def _made(
    book: Path,
    business: Business,
    typed: dict[str, float | str] | None = None,
    currencies: tuple[str, ...] = (),
) -> None:
    write_template(book, inputs(business) | (typed or {}), SIMULATED, FIXES)
    if currencies:
        package = Package.open(book)
        package.set_value("Inputs", _block(RATES_TOP + 1, 2, zip(currencies[1:], (0.92, 1.17), strict=True)))
        curves = (("paid_search", 90.0, 2_500.0), ("offline", 40.0, 6_000.0))
        package.set_value("Fixes", _block(CURVES_TOP + 1, 1, curves))
        package.save()
    exports = book.with_suffix("")
    with Store.open(book.with_suffix(".db")) as store:
        with serve(business) as sandbox, HubSpot(Client(sandbox.url, Token(sandbox.token, "the sandbox"))) as crm:
            sync(crm, store)
        sync_exports(business, exports, store)
        if currencies:
            spend = exports / "spend.csv"
            header, *rows = spend.read_text(encoding="utf-8").splitlines()
            rows = [f"{row.rpartition(',')[0]},{currencies[n % 3]}" for n, row in enumerate(rows)]
            spend.write_text("\n".join([header, *rows]), encoding="utf-8")
            sync(Exports(exports, exports / "mapping.toml"), store)
        figures = report(store, as_of=business.now, conventions=conventions_of(Package.open(book)))
    refresh(book, figures, origin=SIMULATED, now=business.now)


def _block(top: int, left: int, rows: Iterable[Sequence[Value]]) -> dict[Place, Value]:
    return {(r, c): value for r, row in enumerate(rows, start=top) for c, value in enumerate(row, start=left)}
