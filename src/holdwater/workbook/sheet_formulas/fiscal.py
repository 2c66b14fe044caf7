"""Fiscal years, by the number of the calendar year in which they end."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING

from holdwater.twins import is_number, spreadsheet_function
from holdwater.workbook.sheet_formulas.totals import numbers

if TYPE_CHECKING:
    from holdwater.twins import Column, Shown


@spreadsheet_function("YEAR")
def calendar_year(day: Shown) -> int:
    return _date(day).year


@spreadsheet_function("MONTH")
def calendar_month(day: Shown) -> int:
    return _date(day).month


def _date(day: object) -> date:
    return day if isinstance(day, date) else date(1899, 12, 30) + timedelta(days=int(day))  # type: ignore[call-overload]  # a sheet's day number


def row_fiscal_year(month: float | None, start: Shown) -> float | str:
    if month is None:
        return ""
    if is_number(start) and start > 1 and calendar_month(month) >= start:
        return calendar_year(month) + 1
    return calendar_year(month)


@spreadsheet_function("MAX")
def highest(*columns: Column) -> float:
    return max((v for column in columns for v in column if isinstance(v, (int, float))), default=0)


@spreadsheet_function("MIN")
def lowest(*columns: Column) -> float:
    return min((v for column in columns for v in column if isinstance(v, (int, float))), default=0)


@spreadsheet_function("SUMIF")
def total_where_equal(column: Column, number: float, summed: Column) -> float:
    return sum(s for c, s in zip(column, summed, strict=True) if c == number and isinstance(s, (int, float)))


def year_at(leads: Column, customers: Column, place: int, shown: int) -> float:
    """The fiscal year at this place, from 0, among the last so many of leads or customers that are shown."""
    return max(lowest(leads, customers), highest(leads, customers) - shown + 1) + place


def fiscal_year(leads: Column, customers: Column, place: int, shown: int) -> Shown:
    """Nothing after the latest."""
    year = year_at(leads, customers, place, shown)
    if highest(leads, customers) == 0 or year > highest(leads, customers):
        return ""
    return year


def fiscal_total(years: Column, summed: Column, leads: Column, customers: Column, place: int, shown: int) -> Shown:
    """Of that fiscal year; a dash where no number is known, or the table has nothing of that time."""
    year = year_at(leads, customers, place, shown)
    if highest(leads, customers) == 0 or year > highest(leads, customers):
        return ""
    if numbers(summed) == 0 or year < lowest(years) or year > highest(years):
        return "–"  # noqa: RUF001  # a dash as figures have it
    return total_where_equal(years, year, summed)
