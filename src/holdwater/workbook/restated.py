"""Closed months that a refresh would change: which figures, from what to what, and the records behind."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from holdwater.errors import NotOurWorkbookError, RestatedError, UsageError, WorkbookError
from holdwater.metrics.conventions import UNSAID, Conventions
from holdwater.metrics.figures import Report
from holdwater.store.database import Store
from holdwater.workbook.about import last_as_of, last_conventions
from holdwater.workbook.cells import Value
from holdwater.workbook.layout import CLOSED
from holdwater.workbook.opened import OpenWorkbook
from holdwater.workbook.owned import CUSTOMERS, MONTHS, OwnedTable
from holdwater.workbook.package import Package
from holdwater.workbook.references import Area, cell_name, only_area

# The records of a month that have changed since then and touch a figure of that name, in words.
Behind = Callable[[date, str, datetime | None], Sequence[str]]
MOST_RECORDS = 5

_COLUMNS: Mapping[str, Mapping[str, str]] = {  # header -> how a restatement calls it
    MONTHS.name: {name: name for name in ("Leads", "Customers", "Spend")},
    CUSTOMERS.name: {
        "New": "Customers who began",
        "Lost": "Customers lost",
        "At the start": "Customers at its start",
        "Left of these": "Customers at its start who left",
    },
}
_MAY_GROW = "Customers"  # leads of a closed month are won later on

_Figures = dict[tuple[date, str], float]


@dataclass(frozen=True, slots=True)
class Restatement:
    month: date  # of first contact; of a customer, in which it began or left
    figure: str
    old: float
    new: float
    records: tuple[str, ...]

    def __str__(self) -> str:
        behind = f" ({'; '.join(self.records)})" if self.records else ""
        return f"{self.month:%Y-%m} {self.figure} {self.old:,.15g} -> {self.new:,.15g}{behind}"


def restatements(package: OpenWorkbook, report: Report, behind: Behind | None = None) -> list[Restatement]:
    """Of the closed months each figure that the report has otherwise than the workbook, the earliest month first.

    A month that only one of them has counts as one of zeros in the other. Customers by first contact may grow, since
    leads of a closed month are won later on; a customer less is a win that was taken back.
    """
    closed, since = closed_through(package), last_as_of(package)
    if closed is None or since is None:
        return []
    found = []
    for old, new in (
        (_written(package, MONTHS), _first_contacts(report)),
        (_written(package, CUSTOMERS), _comings_and_goings(report)),
    ):
        for month, figure in dict.fromkeys([*old, *new]):
            before, after = old.get((month, figure), 0.0), new.get((month, figure), 0.0)
            if month <= closed and (after < before or (after > before and figure != _MAY_GROW)):
                records = tuple(behind(month, figure, since))[:MOST_RECORDS] if behind else ()
                found.append(Restatement(month, figure, before, after, records))
    return sorted(found, key=lambda one: one.month)


def closed_through(package: OpenWorkbook) -> date | None:
    """The first day of the last closed month, which stands on the sheet Log; None where no month is closed.

    WorkbookError for anything but a month that is over: the books must not open unseen.
    """
    place = only_area(package.defined_names().get(CLOSED, ""))
    if place is None or place[0] not in package.sheets():
        return None
    sheet, area = place
    value = next((c.value for c in package.read_cells(sheet) if area.holds(c.row, c.column)), None)
    if value is None or value == "":
        return None
    month, as_of = _day(value), last_as_of(package)
    if month is None or (as_of is not None and not _is_over(month, as_of, last_conventions(package))):
        raise WorkbookError(
            f"{package.path} has its last closed month in {sheet}!{cell_name(area.first_row, area.first_column)},"
            f" where {value!r} is no month that is over: empty that cell, then run"
            f" holdwater close {package.path.name} 2026-10 with the month that is meant."
        )
    return month


def close_books(package: Package, month: date) -> date | None:
    """Put the month into the cell of the sheet Log; the month through which they were closed until now.

    NotOurWorkbookError where there is no such cell or nothing was ever refreshed, UsageError for a month that goes on.
    """
    place = only_area(package.defined_names().get(CLOSED, ""))
    if place is None or place[0] not in package.sheets():
        raise NotOurWorkbookError(
            f"{package.path} has no cell named {CLOSED}, where the last closed month stands: start from a new template."
        )
    as_of = last_as_of(package)
    if as_of is None:
        raise NotOurWorkbookError(f"{package.path} has no data yet, so no month can be closed: run holdwater refresh.")
    if not _is_over(month, as_of, last_conventions(package)):
        raise UsageError(
            f"{month:%Y-%m} is not over in {package.path}, whose figures are as of {as_of:%Y-%m-%d %H:%M} UTC: close an"
            " earlier month, or refresh first."
        )
    before = closed_through(package)
    _put(package, *place, month)
    return before


def _put(package: Package, sheet: str, area: Area, month: date) -> None:
    package.set_value(sheet, {(area.first_row, area.first_column): month})


def _is_over(month: date, as_of: datetime, conventions: Conventions) -> bool:
    following = date(month.year + month.month // 12, month.month % 12 + 1, 1)
    # The last minute of a month is its end.
    return max(conventions.day_of(as_of), conventions.day(as_of + timedelta(minutes=1))) >= following


def require_consent(restated: Sequence[Restatement], path: Path) -> None:
    """RestatedError that lists them all."""
    if restated:
        listed = "".join(f"\n  {one}" for one in restated)
        raise RestatedError(
            f"{path} has its books closed through these months, and this refresh would change them:"
            f"{listed}\nNothing was written. Look at the records, then run it again with --accept-restated."
        )


def records_behind(path: Path, conventions: Conventions = UNSAID) -> Behind:
    """Of a month's leads, customers or spend: what has changed since the last refresh. Ids and states, no names.

    Nothing of exports: a file has one time for all its rows, so any of them might be the one that changed.
    """

    def behind(month: date, figure: str, since: datetime | None) -> list[str]:
        after = "" if since is None else since.astimezone(UTC).isoformat()[:16]
        with Store.open(path) as store:
            if figure == "Spend":
                return list(_changed_spend(store, f"{month:%Y-%m}", after))
            if figure in _COLUMNS[MONTHS.name].values():
                return _changed_leads(store, f"{month:%Y-%m}", after, conventions)
            return list(_changed_customers(store, f"{month:%Y-%m}", after, conventions))

    return behind


def _changed_leads(store: Store, month: str, after: str, conventions: Conventions) -> list[str]:
    """The deals and customers of the month's leads first, since it is these that are won."""
    leads: set[tuple[object, object]] = set()
    persons: set[object] = set()
    found: list[str] = []
    for rows in store.rows("lead", ["connection", "id", "created_at", "updated_at", "person"]):
        for connection, id_, created, updated, person in rows:
            if _month(created, conventions) == month:
                leads.add((connection, id_))
                persons.add(person)
                if _tells(connection, updated, after):
                    found.append(f"lead {id_} changed {str(updated)[:10]}")
    deals: list[str] = []
    for rows in store.rows("deal", ["connection", "id", "lead_id", "status", "closed_at", "updated_at"]):
        for connection, id_, lead, status, closed, updated in rows:
            if (connection, lead) in leads and _tells(connection, updated, after):
                on = f" on {str(closed)[:10]}" if closed else ""
                deals.append(f"deal {id_} is {status}{on}, changed {str(updated)[:10]}")
    for rows in store.rows("customer", ["connection", "id", "lead_id", "person", "started_at", "updated_at"]):
        for connection, id_, lead, person, started, updated in rows:
            theirs = (connection, lead) in leads or (person and person in persons)
            if theirs and _tells(connection, updated, after):
                deals.append(f"customer {id_} from {str(started)[:10]}, changed {str(updated)[:10]}")
    return [*deals, *found]


def _changed_customers(store: Store, month: str, after: str, conventions: Conventions) -> Iterator[str]:
    """Those who began or ended by the end of the month: all figures of it count some of them."""
    for rows in store.rows("customer", ["connection", "id", "started_at", "ended_at", "updated_at"]):
        for connection, id_, started, ended, updated in rows:
            if _month(started, conventions) <= month and _tells(connection, updated, after):
                until = f" to {str(ended)[:10]}" if ended else ", still there"
                yield f"customer {id_} from {str(started)[:10]}{until}, changed {str(updated)[:10]}"


def _changed_spend(store: Store, month: str, after: str) -> Iterator[str]:
    for rows in store.rows("spend", ["connection", "id", "day", "updated_at"]):
        for connection, id_, day, updated in rows:
            if str(day)[:7] == month and _tells(connection, updated, after):
                yield f"spend {id_} of {day}, changed {str(updated)[:10]}"


def _month(moment: object, conventions: Conventions) -> str:
    at = datetime.fromisoformat(str(moment))
    return f"{conventions.day_of(at if at.tzinfo else at.replace(tzinfo=UTC)):%Y-%m}"


def _tells(connection: object, updated: object, after: str) -> bool:
    return str(updated) >= after and not str(connection).startswith("exports:")


def _first_contacts(report: Report) -> _Figures:
    return {
        (row.month, figure): float(getattr(row, figure.lower()) or 0)
        for row in report.months
        for figure in _COLUMNS[MONTHS.name].values()
    }


def _comings_and_goings(report: Report) -> _Figures:
    names = _COLUMNS[CUSTOMERS.name].values()
    return {
        (row.month, figure): float(value)
        for row in report.customer_months
        for figure, value in zip(names, (row.new, row.lost, row.churned.of, row.churned.count), strict=True)
    }


def _written(package: OpenWorkbook, owned: OwnedTable) -> _Figures:
    """The figures as the workbook has them."""
    table, columns = package.table(owned.name), _COLUMNS[owned.name]
    rows: dict[int, dict[str, Value]] = {}
    for cell in package.read_cells(table.sheet):
        if table.body.holds(cell.row, cell.column):
            rows.setdefault(cell.row, {})[table.columns[cell.column - table.body.first_column]] = cell.value
    found: _Figures = {}
    for row in rows.values():
        month = _day(row.get(owned.columns[0].header))
        if month is not None:
            for header, figure in columns.items():
                value = row.get(header)
                found[month, figure] = float(value) if isinstance(value, (int, float)) else 0.0
    return found


def _day(value: Value) -> date | None:
    """The first day of the month of a date; None if it is none."""
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 1 <= value < 2_958_466:  # the year 10000
        return None
    return (date(1899, 12, 30) + timedelta(days=int(value))).replace(day=1)
