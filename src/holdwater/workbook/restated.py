"""Closed months that a refresh would change: which figures, from what to what, and the records behind."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from holdwater.errors import NotOurWorkbookError, RestatedError
from holdwater.metrics.figures import MonthFigures, Report
from holdwater.store.database import Store
from holdwater.workbook.cells import Value
from holdwater.workbook.layout import CLOSED
from holdwater.workbook.opened import OpenWorkbook
from holdwater.workbook.owned import MONTHS
from holdwater.workbook.package import Package
from holdwater.workbook.references import only_area

Behind = Callable[[date, datetime | None], Sequence[str]]  # the records of a month changed since then, in words
MOST_RECORDS = 5


@dataclass(frozen=True, slots=True)
class Restatement:
    month: date  # of first contact
    figure: str
    old: float
    new: float
    records: tuple[str, ...]

    def __str__(self) -> str:
        behind = f" ({'; '.join(self.records)})" if self.records else ""
        return f"{self.month:%Y-%m} {self.figure} {self.old:,.15g} -> {self.new:,.15g}{behind}"


def restatements(
    package: OpenWorkbook, report: Report, behind: Behind | None = None, since: datetime | None = None
) -> list[Restatement]:
    """Of the closed months each figure that the report has otherwise than the workbook.

    Leads and spend may not change at all. Customers may grow, since leads of a closed month are won later on; a
    customer less is a win that was taken back.
    """
    closed = closed_through(package)
    if closed is None:
        return []
    new = {row.month: row for row in report.months}
    found = []
    for month, old in _written(package):
        if month > closed:
            continue
        row = new.get(month)
        changed = list(_changed(old, row))
        records = tuple(behind(month, since))[:MOST_RECORDS] if changed and behind else ()
        found += [Restatement(month, *change, records) for change in changed]
    return found


def closed_through(package: OpenWorkbook) -> date | None:
    """The first day of the last closed month, typed on the sheet Log; None where no month is closed."""
    place = only_area(package.defined_names().get(CLOSED, ""))
    if place is None or place[0] not in package.sheets():
        return None
    sheet, area = place
    for cell in package.read_cells(sheet):
        if area.holds(cell.row, cell.column) and isinstance(cell.value, float):
            return _day(cell.value)
    return None


def close_books(package: Package, month: date) -> None:
    """Put the month into the cell of the sheet Log; NotOurWorkbookError where there is none."""
    place = only_area(package.defined_names().get(CLOSED, ""))
    if place is None or place[0] not in package.sheets():
        raise NotOurWorkbookError(
            f"{package.path} has no cell named {CLOSED}, where the last closed month stands: start from a new template."
        )
    sheet, area = place
    package.set_value(sheet, {(area.first_row, area.first_column): month})


def require_consent(restated: Sequence[Restatement], path: Path) -> None:
    """RestatedError that lists them all."""
    if restated:
        listed = "".join(f"\n  {one}" for one in restated)
        raise RestatedError(
            f"{path} has its books closed through these months of first contact, and this refresh would change them:"
            f"{listed}\nNothing was written. Look at the records, then run it again with --accept-restated."
        )


def records_behind(path: Path) -> Behind:
    """Of the leads of a month: what was changed in the store since the last refresh. Ids and states, no names."""

    def behind(month: date, since: datetime | None) -> list[str]:
        with Store.open(path) as store:
            return _changed_records(store, month, since)

    return behind


def _changed_records(store: Store, month: date, since: datetime | None) -> list[str]:
    after = "" if since is None else since.astimezone(UTC).isoformat()[:16]
    leads: dict[tuple[object, object], str] = {}
    found: list[str] = []
    for rows in store.rows("lead", ["connection", "id", "created_at", "updated_at"]):
        for connection, id_, created, updated in rows:
            if str(created)[:7] == f"{month:%Y-%m}":
                leads[connection, id_] = id_
                if str(updated) >= after:
                    found.append(f"lead {id_} changed {str(updated)[:10]}")
    deals: list[str] = []
    for rows in store.rows("deal", ["connection", "id", "lead_id", "status", "closed_at", "updated_at"]):
        for connection, id_, lead, status, closed, updated in rows:
            if (connection, lead) in leads and str(updated) >= after:
                on = f" on {str(closed)[:10]}" if closed else ""
                deals.append(f"deal {id_} is {status}{on}, changed {str(updated)[:10]}")
    return [*deals, *found]


def _changed(old: dict[str, Value], row: MonthFigures | None) -> Iterator[tuple[str, float, float]]:
    for header, may_grow in (("Leads", False), ("Customers", True), ("Spend", False)):
        was = old.get(header)
        now = getattr(row, header.lower()) if row else 0
        before, after = (float(v) if isinstance(v, (int, float)) else 0.0 for v in (was, now))
        if after < before or (after > before and not may_grow):
            yield header, before, after


def _written(package: OpenWorkbook) -> Iterator[tuple[date, dict[str, Value]]]:
    """The months as the workbook has them."""
    table = package.table(MONTHS.name)
    rows: dict[int, dict[str, Value]] = {}
    for cell in package.read_cells(table.sheet):
        if table.body.holds(cell.row, cell.column):
            header = table.columns[cell.column - table.body.first_column]
            rows.setdefault(cell.row, {})[header] = cell.value
    for row in rows.values():
        month = row.get(MONTHS.columns[0].header)
        if isinstance(month, (int, float)):
            yield _day(float(month)), row


def _day(number: float) -> date:
    return (date(1899, 12, 30) + timedelta(days=int(number))).replace(day=1)
