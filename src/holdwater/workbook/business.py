"""The business that a workbook tells of, ready for a verdict: what is missing, and what the next leads cost."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from holdwater.bucket import Bucket
from holdwater.bucket.description import Description
from holdwater.bucket.words import count, money
from holdwater.errors import FormulaError, KindError, NoDataError, NumError
from holdwater.rows import is_blank
from holdwater.workbook.bucket import bucket_of, number, share_worked
from holdwater.workbook.cells import CellError, Value
from holdwater.workbook.evaluate import Values
from holdwater.workbook.figures import FIGURES
from holdwater.workbook.inputs import BOOKS, INPUTS, POLICY

_DECIDES = ("horizon_months",)  # of the rules; those of thumb decide nothing here
_NEEDED = [i for i in INPUTS if i.group not in (POLICY, BOOKS) or i.name in _DECIDES]


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
    missing = [i.label for i in _NEEDED if values[i.name] == CellError("#N/A")]
    if missing:
        yield NoDataError(f"fill in on the sheet Inputs: {', '.join(missing)}")
    for input_ in _NEEDED:
        error = values[input_.name]
        if isinstance(error, CellError) and error != "#N/A":
            kind = NumError if error == "#NUM!" else KindError
            yield kind(f"{input_.label} on the sheet Inputs is not right: allowed is {input_.unit.allowed}")


def _without_data(values: Values) -> Iterator[FormulaError]:
    """Why the first figure that needs data has none, in its own words."""
    for figure in FIGURES:
        if figure.name in ("lead_flow", "any_conversion", "paid_conversion", "paid_lead_cost"):
            try:
                figure.function(*(values[column] for column in figure.arguments.values()))
            except FormulaError as error:
                yield NoDataError(str(error).removesuffix("."))
                return


def _as_good_as_today(values: Values, bucket: Bucket) -> tuple[Bucket, tuple[str, ...]]:
    """The next leads priced by what they bring: the model knows one conversion only, that of today's leads.

    Further leads come from the sources that cost money, where another share of them buys. One as good as today's
    average takes any_conversion / paid_conversion of those, each with its price and its work.
    """
    anyone, paid, price = (number(values, name) for name in ("any_conversion", "paid_conversion", "paid_lead_cost"))
    notes = [f"{count(bucket.leads)} leads a month: the average of the last three complete months."]
    if anyone and not paid:
        raise NoDataError(
            "No judged lead of the sources that cost money has become a customer, so what a further lead may bring is"
            " not known: stop paying for them, or wait for the first."
        )
    share = share_worked(values)
    if share < 1:
        notes.append(
            f"{anyone:.2%} of the judged leads became customers; by the hours on Inputs {share:.1%} of them can have"
            f" been worked, so {bucket.conversion:.2%} of the worked did."
        )
    else:
        notes.append(f"{anyone:.2%} of the judged leads became customers; unfit ones are among them.")
    takes = anyone / paid if paid else 1.0
    if takes != 1:
        worth = takes * price + (takes - 1) * bucket.lead_cost
        notes.append(
            f"A lead from the sources that cost money costs {money(price)}, and {paid:.2%} buy: one as good as the"
            f" average takes {takes:.2f} of them, {money(max(worth, 0))} with the work of the others. Each takes up"
            " sales capacity; the model counts one."
            + (" It comes out below 0 and is taken as 0, so further leads are worth more than said." * (worth < 0))
        )
        bucket = replace(bucket, next_lead_cost=max(worth, 0.0))
    if not bucket.referral_rate:
        notes.append("The referred are not told apart: those who come in are among the leads.")
    return bucket, tuple(notes)
