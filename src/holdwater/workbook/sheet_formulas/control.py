"""Whether the workbook still holds what refresh wrote, and was computed from what is typed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from holdwater.twins import is_number, rows, spreadsheet_function
from holdwater.workbook.cells import CellError
from holdwater.workbook.sheet_formulas.lookups import found
from holdwater.workbook.sheet_formulas.totals import numbers

if TYPE_CHECKING:
    from holdwater.twins import Column, Shown


@spreadsheet_function("SUMPRODUCT(--({}<>{}))")
def differences(one: Column, other: Column) -> Shown:
    """How many cells differ, in case or not at all being the same; an error among them comes out instead."""
    for value in (*one, *other):
        if isinstance(value, CellError):
            return value
    return sum(_alike(a) != _alike(b) for a, b in zip(one, other, strict=True))


def _alike(value: Shown) -> Shown:
    return "" if value is None else value.casefold() if isinstance(value, str) else value


def freshness(
    used: Column,
    now: Column,
    used_fixes: Column,
    fixes: Column,
    used_rates: Column,
    rates: Column,
    used_curves: Column,
    curves: Column,
) -> str:
    """Whether the results were computed from everything typed as it stands."""
    if rows(used) != rows(now) or rows(used_fixes) == 1:
        return "Results are not computed yet: run holdwater refresh."
    changed = differences(used, now)
    changed_fixes = differences(used_fixes, fixes)
    changed_rates = differences(used_rates, rates)
    changed_curves = differences(used_curves, curves)
    if (
        is_number(changed)
        and is_number(changed_fixes)
        and is_number(changed_rates)
        and is_number(changed_curves)
        and changed + changed_fixes + changed_rates + changed_curves == 0
    ):
        return "Results are current."
    return "STALE: inputs have changed since the results were computed; run holdwater refresh."


@spreadsheet_function("COUNTIF")
def how_many(column: Column, text: str) -> int:
    return sum(value == text for value in column)


def agrees(was: Shown, now: Shown) -> str:
    """Equal but for rounding. What was never written cannot be compared."""
    if was is None:
        return "not yet"
    if is_number(was) and is_number(now) and abs(was - now) <= 0.000000001 * max(abs(was), 1):
        return "OK"
    return "FAIL"


def same_names(used: Column, now: Column, values: Column, keys: Column) -> str:
    """A source that has another name by now is none that the CRM knows; sorted otherwise is told as well."""
    if found(values, "store leads", keys) == "":
        return "not yet"
    if rows(used) != rows(now):
        return "FAIL"
    if is_number(differences(used, now)) and differences(used, now) == 0:
        return "OK"
    return "FAIL"


def same_verdict(values: Column, keys: Column, controls: Column, names: Column) -> str:
    """The sentence as refresh wrote it, which no sum can hold."""
    if found(controls, "VERDICT", names) == "":
        return "not yet"
    if found(controls, "VERDICT", names) == found(values, "VERDICT", keys):
        return "OK"
    return "FAIL"


def same_counts(told: Column, kept: Column) -> str:
    """Of all sources that count their records themselves."""
    if numbers(told) == 0:
        return "not told"
    if is_number(differences(told, kept)) and differences(told, kept) == 0:
        return "OK"
    return "FAIL"


def checks_beside(said: Column, stale: str) -> str:
    """The same where the line above says already that the results are stale."""
    if how_many(said, "FAIL") == 0 and stale != "Results are current.":
        return ""
    return checks_line(said, stale)


def checks_line(said: Column, stale: str) -> str:
    """One word first: FAIL, STALE or OK."""
    if how_many(said, "FAIL") > 0:
        return (
            f"FAIL: {how_many(said, 'FAIL')} checks of the sheet Checks fail; run holdwater refresh, then look there."
        )
    if stale == "Results are current.":
        return f"OK: {how_many(said, 'OK')} checks pass."
    return stale
