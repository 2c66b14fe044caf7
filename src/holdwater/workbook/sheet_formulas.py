"""The workbook's own logic: written once in Python, translated for the cells, run for the values shown in them.

An empty cell is None here.
"""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING

from holdwater.errors import NoDataError
from holdwater.formulas.acquisition import allowable_cpl, cac, cpl, lead_value
from holdwater.formulas.uncertainty import rate_high, rate_low
from holdwater.twins import (
    fixed,
    is_number,
    item,
    rows,
    spreadsheet_function,
    total,
    total_where,
    weighted,
)
from holdwater.workbook.cells import CellError

if TYPE_CHECKING:
    from holdwater.twins import Column, Shown

# One row of the sheet Sources, or of Months.


def row_conversion(judged_customers: float | None, judged_leads: float | None) -> float | str:
    if judged_customers is None or judged_leads is None or judged_leads == 0:
        return ""
    return judged_customers / judged_leads


def row_cpl(spend: float | None, leads: float | None) -> float | str:
    if spend is None or leads is None or leads == 0:
        return ""
    return cpl(spend, leads)


def row_cac(spend: float | None, customers: float | None) -> float | str:
    if spend is None or customers is None or customers == 0:
        return ""
    return cac(spend, customers)


def row_allowable(conversion: Shown, allowable: Shown, lead_cost: float) -> float | str:
    if is_number(conversion) and is_number(allowable):
        return allowable_cpl(allowable, conversion, lead_cost)
    return ""


def row_worth(conversion: Shown, value: Shown, lead_cost: float) -> float | str:
    if is_number(conversion) and is_number(value):
        return lead_value(value, conversion, lead_cost)
    return ""


def row_advice(
    paid: Shown, allowable: Shown, worth: Shown, at_most: Shown, judged_leads: Shown, judged_customers: Shown
) -> str:
    """Below five customers a rate says little: only a price above what is likely at most is called a loss."""
    if is_number(judged_leads) and is_number(judged_customers) and judged_leads > 0:
        if is_number(paid) and is_number(at_most) and paid > at_most:
            return "loses money, even at the highest likely conversion"
        if judged_customers < 5:
            return f"too few to say: {fixed(judged_customers, 0)} of {fixed(judged_leads, 0)}"
        if is_number(paid) and is_number(allowable) and is_number(worth):
            if paid > worth:
                return f"loses {fixed(paid - worth, 2)} a lead"
            if paid > allowable:
                return f"too dear by {fixed(paid - allowable, 2)} a lead"
            return f"pays, {fixed(allowable - paid, 2)} a lead to spare"
        return "no spend known"
    return ""


def row_worth_at_most(judged_leads: Shown, judged_customers: Shown, value: Shown, lead_cost: float) -> float | str:
    """What a lead is worth at the highest likely conversion, where fewer than five customers say little."""
    if is_number(judged_leads) and is_number(judged_customers) and is_number(value) and judged_leads > 0:
        if judged_customers < 5:
            return lead_value(value, rate_high(judged_customers, judged_leads), lead_cost)
        return ""
    return ""


# The figures of the business.


def leads_per_month(leads: Column, recent: Column) -> float:
    """Average over the months marked as recent: the last three complete ones."""
    if total(recent) == 0:
        raise NoDataError("There is no complete month of leads yet; sync a CRM or an export, then refresh.")
    return weighted(leads, recent) / total(recent)


def conversion_of_paid(judged_leads: Column, judged_customers: Column, spend: Column) -> float:
    """Judged customers per judged lead over the sources that cost money, or over all where no spend is known."""
    leads = total_where(spend, ">0", judged_leads)
    if leads > 0:
        return total_where(spend, ">0", judged_customers) / leads
    return conversion_of_all(judged_leads, judged_customers)


def of_paid(column: Column, spend: Column) -> float:
    """Over the sources that cost money, or over all where no spend is known."""
    if total_where(spend, ">0", spend) > 0:
        return total_where(spend, ">0", column)
    return total(column)


def conversion_of_all(judged_leads: Column, judged_customers: Column) -> float:
    if total(judged_leads) == 0:
        raise NoDataError("No lead is old enough to judge; sync a CRM or an export, then refresh.")
    return total(judged_customers) / total(judged_leads)


def paid_cost_per_lead(spend: Column, leads: Column) -> float:
    """Sources whose spend nets to nothing or less are left out; spend without any source is shared by all leads."""
    spent = total_where(spend, ">0", spend)
    bought = total_where(spend, ">0", leads)
    if spent == 0 or total(leads) == 0:
        raise NoDataError("No spend is known; sync a table of spend, then refresh.")
    return spent / (bought if bought > 0 else total(leads))


def paid_cost_per_customer(spend: Column, customers: Column, months: Column, monthly_sales_cost: float) -> float:
    """Spend over the customers it won, and the sales cost of every month over all customers."""
    won = total_where(spend, ">0", customers)
    if won == 0:
        raise NoDataError("No customer has been won from a source with spend; sync a table of spend, then refresh.")
    return total_where(spend, ">0", spend) / won + monthly_sales_cost * rows(months) / total(customers)


def margin_per_month(revenue: float, share: float) -> float:
    return revenue * share


def won_per_month(leads: float, capacity: float, conversion: float) -> float:
    return min(leads, capacity) * conversion


# The sheet Today.


def shown(value: Shown) -> float | str:
    """The figure, or a dash while there is nothing to compute it from."""
    return value if is_number(value) else "–"  # noqa: RUF001  # a dash as figures have it


def headline(
    values: Column,
    keys: Column,
    seen: Column,
    leads: Shown,
    conversion: Shown,
    value: Shown,
    allowable: Shown,
    paid: Shown,
    stale: str,
) -> str:
    """VERDICT as refresh computed it, or what is missing for one."""
    if total(seen) == 0:
        return "No leads yet. Run holdwater sync, then holdwater refresh."
    if not is_number(leads):
        return "Leads have come, but no complete month of them yet: the verdict follows when this month is over."
    if not is_number(conversion):
        return "Nobody has been won yet, or no lead is old enough to judge: what a lead is worth is not known."
    if not is_number(value) or not is_number(allowable):
        return "Inputs are missing or wrong: the sheet Inputs shows which, in the column In use."
    if not is_number(paid):
        return f"A lead may cost up to {fixed(allowable, 2)}. Add what you spend to compare."
    if found(values, "VERDICT", keys) == "":
        return "No verdict yet: run holdwater refresh."
    if stale == "Results are current.":
        return f"{found(values, 'VERDICT', keys)}"
    return f"STALE, from before the inputs changed: {found(values, 'VERDICT', keys)}"


def load(leads: Shown, capacity: Shown) -> str:
    if is_number(leads) and is_number(capacity):
        if leads > capacity:
            return (
                f"Sales: {fixed(leads, 0)} leads a month for {fixed(capacity, 0)} that can be worked:"
                f" {fixed(leads - capacity, 0)} are burned."
            )
        return (
            f"Sales: {fixed(leads, 0)} leads a month for {fixed(capacity, 0)} that can be worked:"
            f" room for {fixed(capacity - leads, 0)} more."
        )
    if is_number(capacity):
        return f"Sales: {fixed(capacity, 0)} leads a month can be worked; how many come is not known yet."
    return "Sales: fill in people, hours and minutes on the sheet Inputs."


def outlook(values: Column, keys: Column, months: Shown, stale: str) -> str:
    """What one more lead a month adds over the months looked ahead; a result of refresh."""
    if stale != "Results are current.":
        return "What one more lead adds is unknown until holdwater refresh has computed it from these inputs."
    one_more = found(values, "CONSTRAINT_VALUE leads", keys)
    if is_number(one_more) and is_number(months):
        if one_more < 0:
            return (
                f"One more lead in each of the {fixed(months, 0)} months ahead loses {fixed(-one_more, 2)} in all,"
                " whole customer lives counted."
            )
        return (
            f"One more lead in each of the {fixed(months, 0)} months ahead brings {fixed(one_more, 2)} in all,"
            " whole customer lives counted."
        )
    return "What one more lead adds follows once there is a verdict."


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


def subtitle(about: Column) -> str:
    if rows(about) < 3:
        return "No data yet: run holdwater sync, then holdwater refresh."
    return f"{item(about, 1)}, as of {item(about, 2)}. Refreshed {item(about, 3)}."


# Results by their name.


@spreadsheet_function('IFERROR(INDEX({},MATCH({},{},0)),"")')
def found(column: Column, key: str, keys: Column) -> Shown:
    """The value beside a key; nothing where the key, or a value, is missing."""
    for value, standing in zip(column, keys, strict=True):
        if isinstance(standing, str) and standing.casefold() == key.casefold():
            return "" if value is None or isinstance(value, CellError) else value
    return ""


def looked_up(values: Column, keys: Column, key: str) -> Shown:
    return found(values, key, keys)


def or_dash(values: Column, keys: Column, key: str) -> Shown:
    """A dash where there is nothing (yet)."""
    if found(values, key, keys) == "":
        return "–"  # noqa: RUF001  # a dash as figures have it
    return found(values, key, keys)


def or_hint(values: Column, keys: Column, key: str, hint: str) -> Shown:
    """What to do where there is nothing (yet)."""
    if found(values, key, keys) == "":
        return hint
    return found(values, key, keys)


# How far a number can be trusted.


def trusted(count: Shown, of: Shown) -> str:
    """The counts behind a rate with its 90 % interval, or that they are too few: fewer than five, of which a rate
    may be off by half of itself."""
    if is_number(count) and is_number(of) and of > 0:
        if count < 5:
            return f"Too few: {fixed(count, 0)} of {fixed(of, 0)}"
        low = fixed(100 * rate_low(count, of), 1)
        return f"{fixed(count, 0)} of {fixed(of, 0)}: {low} to {fixed(100 * rate_high(count, of), 1)} %"
    return ""


def if_trusted(value: Shown, count: Shown) -> Shown:
    """A rate of fewer than five is not shown; why stands beside it."""
    if is_number(value) and is_number(count) and count >= 5:
        return value
    return "–"  # noqa: RUF001  # a dash as figures have it


def price_between(customer: Shown, count: Shown, of: Shown, lead_cost: Shown) -> str:
    """What a lead may cost, or is worth, at both ends of the conversion's 90 % interval."""
    if is_number(customer) and is_number(count) and is_number(of) and is_number(lead_cost) and of > 0:
        if count < 5:
            return f"Too few: {fixed(count, 0)} of {fixed(of, 0)}"
        low = fixed(customer * rate_low(count, of) - lead_cost, 2)
        return f"{low} to {fixed(customer * rate_high(count, of) - lead_cost, 2)}"
    return ""


def wins_between(leads: Shown, capacity: Shown, count: Shown, of: Shown) -> str:
    """Customers won a month at both ends of the conversion's 90 % interval."""
    if is_number(leads) and is_number(capacity) and is_number(count) and is_number(of) and of > 0:
        if count < 5:
            return f"Too few: {fixed(count, 0)} of {fixed(of, 0)}"
        low = fixed(min(leads, capacity) * rate_low(count, of), 1)
        return f"{low} to {fixed(min(leads, capacity) * rate_high(count, of), 1)}"
    return ""


def row_trust(count: Shown, of: Shown) -> str:
    return trusted(count, of)


def first_or_dash(column: Column) -> Shown:
    """The first row of a whole table column, header included."""
    if item(column, 2) == "":
        return "–"  # noqa: RUF001  # a dash as figures have it
    return item(column, 2)


def used_share(now: Shown, limit: Shown) -> Shown:
    if is_number(now) and is_number(limit) and limit > 0:
        return now / limit
    return "–"  # noqa: RUF001  # a dash as figures have it


def room(now: Shown, limit: Shown) -> str:
    """In words, so that no colour is needed to see which limit is reached."""
    if is_number(now) and is_number(limit):
        if now > limit:
            return f"OVER by {fixed(now - limit, 0)}"
        if now >= 0.9 * limit:
            return f"nearly full, room for {fixed(limit - now, 0)}"
        return f"room for {fixed(limit - now, 0)}"
    return "not known yet" if is_number(limit) else "no limit typed"


def lifetime_months(churn: Shown, discount: Shown) -> Shown:
    if is_number(churn) and is_number(discount) and churn + discount > 0:
        return 1 / (churn + discount)
    return "–"  # noqa: RUF001  # a dash as figures have it


def against(may: Shown, paid: Shown, count: Shown) -> str:
    if is_number(count) and count < 5:
        return "too few customers to say"
    if is_number(may) and is_number(paid):
        if paid > may:
            return f"too dear by {fixed(paid - may, 2)}"
        return f"pays, {fixed(may - paid, 2)} to spare"
    return ""


def against_result(values: Column, keys: Column, key: str, paid: Shown, count: Shown) -> str:
    may = found(values, key, keys)
    if is_number(may) and is_number(count) and count < 5:
        return "too few customers to say"
    if is_number(may) and is_number(paid):
        if paid > may:
            return f"too dear by {fixed(paid - may, 2)}"
        return f"pays, {fixed(may - paid, 2)} to spare"
    return ""


@spreadsheet_function("SUMIF")
def total_of(column: Column, text: str, summed: Column) -> float:
    """The sum of `summed` where `column` holds the text."""
    return sum(s for c, s in zip(column, summed, strict=True) if c == text and isinstance(s, (int, float)))


def lost_by(whose: Column, deals: Column, word: str) -> Shown:
    if total(deals) == 0:
        return "–"  # noqa: RUF001  # a dash as figures have it
    return total_of(whose, word, deals)


def lost_sum(whose: Column, deals: Column, word: str) -> float:
    """For the sheet Checks, where nothing lost is 0."""
    if total(deals) == 0:
        return 0
    return total_of(whose, word, deals)


def lost_share(whose: Column, deals: Column, word: str) -> Shown:
    if total(deals) == 0:
        return "connect lost reasons" if word == "us" else ""
    return total_of(whose, word, deals) / total(deals)


def tested(claims: Column, deals: Column, supported: Column, contradicted: Column, silent: Column, claim: str) -> str:
    """What the messages say of the deals lost for a reason that they can test."""
    if total(deals) == 0 or total_of(claims, claim, deals) == 0:
        return ""
    if total_of(claims, claim, silent) == total_of(claims, claim, deals):
        return f"Lost to {claim}: {fixed(total_of(claims, claim, deals), 0)} deals, and no messages that could tell."
    return (
        f"Lost to {claim}: {fixed(total_of(claims, claim, deals), 0)} deals. The messages bear out"
        f" {fixed(total_of(claims, claim, supported), 0)}, contradict"
        f" {fixed(total_of(claims, claim, contradicted), 0)};"
        f" {fixed(total_of(claims, claim, silent), 0)} have none."
    )


def row_number(value: Shown) -> Shown:
    return value if is_number(value) else ""


def connected(column: Column, hint: str) -> str:
    """What to connect while a table is empty; nothing once it is filled."""
    return hint if item(column, 2) == "" else ""


# Fiscal years, by the number of the calendar year in which they end.


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


def fiscal_year(years: Column, back: int) -> Shown:
    """The latest fiscal year, or one so many years before it; nothing before the first."""
    if highest(years) - back < lowest(years) or highest(years) == 0:
        return ""
    return highest(years) - back


def fiscal_total(years: Column, all_years: Column, summed: Column, back: int) -> Shown:
    """Of that fiscal year; `all_years` are those of leads, which tell which is the latest."""
    if highest(all_years) - back < lowest(all_years) or highest(all_years) == 0:
        return ""
    return total_where_equal(years, highest(all_years) - back, summed)


# The sheet Checks.


@spreadsheet_function("COUNTIF")
def how_many(column: Column, text: str) -> int:
    return sum(value == text for value in column)


@spreadsheet_function("COUNT")
def numbers(column: Column) -> int:
    return sum(is_number(value) for value in column)


def sum_of(column: Column) -> float:
    return total(column)


def numbers_in(column: Column) -> int:
    return numbers(column)


def crossed(column: Column, other: Column) -> float:
    return weighted(column, other)


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


def checks_beside(said: Column, stale: str) -> str:
    """The same where the line above says already that the results are stale."""
    if how_many(said, "FAIL") == 0 and stale != "Results are current.":
        return ""
    return checks_line(said, stale)


def checks_line(said: Column, stale: str) -> str:
    """One word first: FAIL, STALE or OK."""
    if how_many(said, "FAIL") > 0:
        return f"FAIL: {how_many(said, 'FAIL')} checks of the sheet Checks fail; run holdwater refresh."
    if stale == "Results are current.":
        return f"OK: {how_many(said, 'OK')} checks pass."
    return stale
