"""The business that a workbook tells of, ready for a verdict: what is missing, and what the next leads cost."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from holdwater.bucket import Bucket
from holdwater.bucket.description import Description
from holdwater.bucket.words import count, money
from holdwater.errors import FormulaError, KindError, NoDataError, NumError
from holdwater.rows import is_blank
from holdwater.workbook.about import REFERRED
from holdwater.workbook.bucket import bucket_of, number, share_worked_by_record
from holdwater.workbook.cells import CellError, Value
from holdwater.workbook.evaluate import Values
from holdwater.workbook.figures import CHURN_BESIDE, FIGURES
from holdwater.workbook.inputs import BOOKS, INPUTS, POLICY, Input
from holdwater.workbook.sheet_formulas.definitions import churn_beside, entry
from holdwater.workbook.split import FEWEST_WON

_DECIDES = ("horizon_months",)  # of the rules; those of thumb decide nothing here
_NEEDED = [i for i in INPUTS if i.name != "lead_budget" and (i.group not in (POLICY, BOOKS) or i.name in _DECIDES)]


def business(values: Values, about: Mapping[object, object], projects: Sequence[Sequence[Value]] = ()) -> Description:
    """FormulaError that says what to fill in, or to mend, where the business has no verdict yet."""
    problems = [*_unfilled(values), *_without_data(values)]
    if problems:
        raise type(problems[0])("; ".join(map(str, problems)) + ".")
    bucket, notes = _as_good_as_today(values, bucket_of(values))
    return Description(
        bucket=bucket,
        origin=f"{about.get('Source')}, as of {about.get('As of')}",
        period="month",
        currency=str(about.get("Currency of the spend") or ""),  # spend is known: _without_data has seen to it
        projects=tuple(tuple(row) for row in projects if not all(is_blank(cell) for cell in row)),
        notes=notes,
    )


def _unfilled(values: Values) -> Iterator[FormulaError]:
    """One problem for all inputs that are missing, and one for each that is wrong."""
    missing = [_wanted(values, i) for i in _NEEDED if values[i.name] == CellError("#N/A")]
    if missing:
        yield NoDataError(f"fill in on the sheet Inputs: {', '.join(missing)}")
    for input_ in _NEEDED:
        error = values[input_.name]
        if input_.measured and values[input_.measured] == error:
            continue  # nothing is typed there, and what keeps it from being measured is told of itself
        if isinstance(error, CellError) and error != "#N/A":
            kind = NumError if error == "#NUM!" else KindError
            yield kind(f"{input_.label} on the sheet Inputs is not right: allowed is {input_.unit.allowed}")


def _wanted(values: Values, input_: Input) -> str:
    if input_.measured and values["churn_there"]:
        lost, there = (number(values, name) for name in ("churn_lost", "churn_there"))
        return f"{input_.label} (too few have left to measure it: {lost:,.0f} of {there:,.0f})"
    return input_.label


def _without_data(values: Values) -> Iterator[FormulaError]:
    """Why the first figure that needs data has none, in its own words."""
    for figure in FIGURES:
        if figure.name in ("lead_flow", "any_conversion", "counted_conversion", "paid_conversion", "paid_lead_cost"):
            arguments = [values[column] for column in figure.arguments.values()]
            if any(isinstance(argument, CellError) for argument in arguments):
                return  # the cell says why
            try:
                figure.function(*arguments)
            except FormulaError as error:
                yield NoDataError(str(error).removesuffix("."))
                return


def _as_good_as_today(values: Values, bucket: Bucket) -> tuple[Bucket, tuple[str, ...]]:
    """The next leads priced by what they bring: the model knows one conversion only, that of today's leads.

    Further leads come from the sources that cost money, where another share of them buys. One as good as today's
    average takes counted_conversion / paid_conversion of those, each with its price and its work.
    """
    anyone, paid, price = (number(values, name) for name in ("counted_conversion", "paid_conversion", "paid_lead_cost"))
    apart = number(values, "counted_ever") < sum(value or 0 for value in values["hw_sources[Leads]"])
    less = ", the referred left out" if apart else ""
    notes = [f"{count(bucket.leads)} leads a month: the average of the last three complete months{less}."]
    if anyone and not paid:
        raise NoDataError(
            "No judged lead of the sources that cost money has become a customer, so what a further lead may bring is"
            " not known: stop paying for them, or wait for the first."
        )
    notes += [*_worked(values, bucket, anyone), *_churn(values)]
    won, judged = (number(values, name) for name in ("paid_won", "paid_judged"))
    if won < FEWEST_WON:
        notes.append(f"These are too few to be sure of what paid leads bring: {won:,.0f} of {judged:,.0f} bought.")
    takes = anyone / paid if paid else 1.0
    if takes != 1:
        worth = takes * price + (takes - 1) * (1 - bucket.burn) * bucket.lead_cost
        notes.append(
            f"A lead from the sources that cost money costs {money(price)}, and {paid:.2%} buy: one as good as the"
            f" average takes {takes:.2f} of them, {money(max(worth, 0))} with the work of the others. Each takes up"
            " sales capacity; the model counts one."
            + (" It comes out below 0 and is taken as 0, so further leads are worth more than said." * (worth < 0))
        )
        bucket = replace(bucket, next_lead_cost=max(worth, 0.0))
    if not bucket.referral_rate:
        referred = entry(values["hw_about[Value]"], REFERRED, values["hw_about[Entry]"])
        notes.append(
            f"{referred:,.0f} leads ever were referred and count as all others do: on Inputs say how many a customer"
            " brings in a month to tell them apart."
            if referred
            else "The referred are not told apart: those who come in are among the leads."
        )
    return bucket, tuple(notes)


def _worked(values: Values, bucket: Bucket, anyone: float) -> Iterator[str]:
    """Whose conversion it is, and from how many."""
    won, judged, worked = (number(values, name) for name in ("counted_won", "counted_judged", "counted_worked"))
    by_hours, by_record = number(values, "share_worked"), share_worked_by_record(values)
    if by_record is not None:
        yield (
            f"{bucket.conversion:.2%} of the leads worked became customers, by the record: {won:,.0f} of {worked:,.0f};"
            f" {judged - worked:,.0f} others old enough to judge were neither approached nor have a deal."
        )
        if by_record > by_hours:
            yield (
                f"By the record {by_record:.1%} of the judged leads were worked, by the hours on Inputs no more than"
                f" {by_hours:.1%} can have been: look at the people, hours and minutes there."
            )
    elif by_hours < 1:
        yield (
            f"{anyone:.2%} of the judged leads became customers, {won:,.0f} of {judged:,.0f}; no record says which were"
            f" worked, by the hours on Inputs {by_hours:.1%} of them can have been, so {bucket.conversion:.2%} of the"
            " worked did."
        )
    else:
        yield (
            f"{anyone:.2%} of the judged leads became customers, {won:,.0f} of {judged:,.0f}; no record says which were"
            " worked, and the hours on Inputs are enough for all."
        )


def _churn(values: Values) -> Iterator[str]:
    """What was measured beside what is typed."""
    if said := values.call(churn_beside, CHURN_BESIDE):
        yield f"{said} there at the start of complete months below overload."
