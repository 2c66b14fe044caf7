"""The bucket's own terms: the leads that count, the share of the worked that is won, the churn below overload."""

from __future__ import annotations

from typing import TYPE_CHECKING

from holdwater.errors import NoDataError
from holdwater.twins import fixed, is_number, spreadsheet_function, total
from holdwater.workbook.sheet_formulas.lookups import found

if TYPE_CHECKING:
    from holdwater.twins import Column, Shown

# The referred are no leads where the input for them is above 0: the bucket lets customers bring them.


@spreadsheet_function("IFERROR(INDEX({},MATCH({},{},0)),0)")
def entry(values: Column, key: str, keys: Column) -> float:
    """A number of the sheet About, 0 where it is not there."""
    value = found(values, key, keys)
    return value if is_number(value) else 0


def counted_flow(referral: float, leads: float, recent: Column, values: Column, keys: Column, referred: str) -> float:
    """Leads a month; `referred` is the entry of those among the leads of the recent months."""
    if referral > 0:
        return leads - entry(values, referred, keys) / total(recent)
    return leads


def counted(referral: float, column: Column, values: Column, keys: Column, referred: str) -> float:
    if referral > 0:
        return total(column) - entry(values, referred, keys)
    return total(column)


def counted_worked(referral: float, values: Column, keys: Column, worked: str, referred: str) -> float:
    """0 where no CRM keeps whom the firm has approached."""
    if referral > 0:
        return entry(values, worked, keys) - entry(values, referred, keys)
    return entry(values, worked, keys)


def conversion_of_counted(won: float, judged: float) -> float:
    if judged == 0:
        raise NoDataError("No lead is old enough to judge; sync a CRM or an export, then refresh.")
    return won / judged


def conversion_of_worked(won: float, worked: float) -> float:
    if worked == 0:
        raise NoDataError("No CRM here keeps calls and mails, so nobody knows which leads were worked.")
    return won / worked


@spreadsheet_function("SUMPRODUCT({},({}<={})+({}>{})*{}/({}+({}=0)))")
def had_time_for(judged: Column, leads: Column, limit: float, *_: Column | float) -> float:
    """The judged leads of each month as far as the limit goes; the formula names the leads and the limit again."""
    return sum(
        number * (1 if not is_number(came) or came <= limit else limit / came)
        for number, came in zip(judged, leads, strict=True)
        if is_number(number)
    )


def share_worked(judged: Column, leads: Column, limit: float) -> float:
    """1 where no month brought more than the limit. The referred take these hours as others do."""
    if limit >= 0 and total(judged) == 0:  # always looks at the limit, so that its error shows with no leads, too
        return 1
    return had_time_for(judged, leads, limit, leads, limit, limit, leads, leads) / total(judged)


def counted_limit(limit: float, leads: float, counted: float) -> float:
    """What is left of the hours for the leads that count, once the referred have had their part."""
    return limit - (leads - counted) * limit / max(leads, limit, 1e-9)  # there may be neither


def share_burned(share: float, worked: float, judged: float) -> float:
    """What the hours cannot explain: the leads that nobody worked beside those that there was no time for."""
    if worked * judged * share == 0:  # a product has the error of any of them
        return 0
    return max(0, 1 - worked / judged / share)


def conversion_if_worked(conversion: float, share: float, won: float, worked: float, judged: float) -> float:
    """Of the worked by the record, or as many as the hours allow to have been: the bucket takes off the others."""
    if worked > 0 and judged > 0 and share >= 0 and conversion >= 0:  # the last two are looked at for their errors
        return won / worked
    if conversion > share:
        return 1
    if conversion == 0:
        return 0
    return conversion / share


def customers_coming(won: float, referral: float, customers: float) -> float:
    return won + referral * customers


@spreadsheet_function("SUMPRODUCT(--({}=1),--({}<{}),{})")
def total_below(marked: Column, sizes: Column, limit: float, summed: Column) -> float:
    """The sum of `summed` in the marked rows whose size is below the limit."""
    rows = zip(marked, sizes, summed, strict=True)
    return sum(
        s for m, size, s in rows if m == 1 and is_number(s) and (size is None or (is_number(size) and size < limit))
    )


def below_overload(complete: Column, there: Column, served: float | None, summed: Column) -> float:
    """Over the complete months that began below overload: with fewer than nine tenths of those who can be served."""
    return total_below(complete, there, 1e300 if served is None else 0.9 * served, summed)


def measured_churn(complete: Column, there: Column, served: float | None, lost: Column) -> float:
    """Of fewer than five who left no rate is made, as everywhere."""
    if below_overload(complete, there, served, lost) < 5:
        raise NoDataError(
            "Fewer than five customers have left in complete months below overload, too few to measure churn by."
        )
    return below_overload(complete, there, served, lost) / below_overload(complete, there, served, there)


def churn_beside(churn: Shown, measured: Shown, lost: Shown, there: Shown) -> str:
    """The churn that all figures use, and the measured one."""
    if is_number(churn) and is_number(measured) and is_number(lost) and is_number(there):
        if churn == measured:
            return f"{fixed(100 * churn, 2)} % leave in a month, measured: {fixed(lost, 0)} of {fixed(there, 0)}"
        return (
            f"{fixed(100 * churn, 2)} % leave in a month, as typed;"
            f" measured {fixed(100 * measured, 2)} %: {fixed(lost, 0)} of {fixed(there, 0)}"
        )
    if is_number(lost) and is_number(there) and there > 0:
        if is_number(churn):
            return (
                f"{fixed(100 * churn, 2)} % leave in a month, as typed;"
                f" too few to measure it: {fixed(lost, 0)} of {fixed(there, 0)}"
            )
        return f"How many leave in a month is not known; too few to measure it: {fixed(lost, 0)} of {fixed(there, 0)}"
    return ""
