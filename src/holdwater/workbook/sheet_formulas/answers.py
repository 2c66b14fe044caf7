"""The sheet Today: the verdict and what stands below it, in words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from holdwater.twins import fixed, is_number, item, rows, total
from holdwater.workbook.sheet_formulas.lookups import found

if TYPE_CHECKING:
    from holdwater.twins import Column, Shown


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
    count: Shown,
    of: Shown,
) -> str:
    """VERDICT as refresh computed it, or what is missing for one; `count` of `of` paid leads have bought."""
    if total(seen) == 0:
        return "No leads yet. Run holdwater sync, then holdwater refresh."
    if not is_number(leads):
        return "Leads have come, but no complete month of them yet: the verdict follows when this month is over."
    if not is_number(conversion):
        return "Nobody has been won yet, or no lead is old enough to judge: what a lead is worth is not known."
    if not is_number(value) or not is_number(allowable):
        return "Inputs are missing or wrong: the sheet Inputs shows which, in the column In use."
    if not is_number(paid) and is_number(count) and is_number(of) and count < 5:
        return (
            f"Too few customers yet to price a lead: {fixed(count, 0)} of {fixed(of, 0)}."
            " Add what you spend to compare once there are five."
        )
    if not is_number(paid):
        return f"A lead may cost up to {fixed(allowable, 2)}. Add what you spend to compare."
    if found(values, "VERDICT", keys) == "":
        return "No verdict yet: run holdwater refresh."
    if stale == "Results are current." and is_number(count) and is_number(of) and count < 5:
        return (
            f"{found(values, 'VERDICT', keys)} It rests on few customers yet:"
            f" {fixed(count, 0)} of {fixed(of, 0)} paid leads."
        )
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


def subtitle(about: Column) -> str:
    if rows(about) < 3:
        return "No data yet: run holdwater sync, then holdwater refresh."
    return f"{item(about, 1)}, as of {item(about, 2)}. Refreshed {item(about, 3)}."


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
