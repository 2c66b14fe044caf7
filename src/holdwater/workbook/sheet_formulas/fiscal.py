"""Fiscal years, by the number of the calendar year in which they end."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING

from holdwater.twins import is_number, spreadsheet_function

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
def highest(column: Column) -> float:
    return max((v for v in column if isinstance(v, (int, float))), default=0)


@spreadsheet_function("MIN")
def lowest(column: Column) -> float:
    return min((v for v in column if isinstance(v, (int, float))), default=0)


@spreadsheet_function("SUMIF")
def total_where_equal(column: Column, number: float, summed: Column) -> float:
    return sum(s for c, s in zip(column, summed, strict=True) if c == number and isinstance(s, (int, float)))


def year_at(years: Column, place: int, shown: int) -> float:
    """The fiscal year at this place, from 0, among the last so many that are shown."""
    return max(lowest(years), highest(years) - shown + 1) + place


def fiscal_year(years: Column, place: int, shown: int) -> Shown:
    """Nothing after the latest."""
    if highest(years) == 0 or year_at(years, place, shown) > highest(years):
        return ""
    return year_at(years, place, shown)


def fiscal_total(years: Column, all_years: Column, summed: Column, place: int, shown: int) -> Shown:
    """Of that fiscal year; `all_years` are those of leads, which tell which are shown."""
    if highest(all_years) == 0 or year_at(all_years, place, shown) > highest(all_years):
        return ""
    return total_where_equal(years, year_at(all_years, place, shown), summed)
