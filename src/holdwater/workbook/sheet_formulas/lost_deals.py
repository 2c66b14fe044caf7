"""Lost deals: whose reason it was, and what the messages say of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from holdwater.twins import fixed, spreadsheet_function, total

if TYPE_CHECKING:
    from holdwater.twins import Column, Shown


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
