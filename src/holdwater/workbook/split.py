"""The budget for leads split best over the sources: SPEND_SPLIT of what their leads are worth and how they grow."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from holdwater.bucket.words import count, money
from holdwater.errors import FormulaError, KindError, NoDataError, NumError
from holdwater.formulas.spending import spend_split
from holdwater.rows import is_blank
from holdwater.workbook.bucket import number
from holdwater.workbook.cells import CellError, Value
from holdwater.workbook.curves import Curves
from holdwater.workbook.evaluate import Values
from holdwater.workbook.inputs import INPUTS

FEWEST_WON = 5  # below, a conversion says little, as everywhere in the workbook
_BUDGET = next(i for i in INPUTS if i.name == "lead_budget")


def split_rows(values: Values, curves: Curves) -> Iterator[list[Value]]:
    """Rows of the table of results, numbered as the curves are typed; none where nothing is typed."""
    typed = {place: row for place, row in enumerate(curves, start=1) if not all(is_blank(cell) for cell in row)}
    if not typed:
        return
    try:
        sources = {place: _source(values, *row) for place, row in typed.items()}
        _require_each_once(sources)
        budget, room = _budget(values), _room(values, {source[0] for source in sources.values()})
        best = spend_split(list(sources.values()), budget, room)
    except FormulaError as error:
        yield ["SPEND_SPLIT", str(error), "sentence", "Why the budget has no split."]
        return
    spent, leads, gain = (sum(row[name] for row in best) for name in ("spend", "leads", "gain"))
    sentence = f"Split best: {money(spent)} a month brings {count(leads)} leads and earns {money(gain)} above its cost."
    if budget is not None and spent < budget * (1 - 1e-9):
        sentence += f" The other {money(budget - spent)} would not pay."
    yield ["SPEND_SPLIT", sentence, "sentence", "What the budget for leads would do if it were split best."]
    months = sum(bool(spend) for spend in values["hw_months[Spend]"]) or 1  # in the others none was recorded
    for place, row in zip(sources, best, strict=True):
        key = f"SPEND_SPLIT {place}"
        spend = values["hw_sources[Spend]"][_places(values)[str(row["source"]).casefold()]]
        yield [key, row["source"], "name", "A source whose curve is typed on the sheet Fixes."]
        yield [
            f"{key} now",
            (spend or 0) / months,
            "a month",
            "What was spent on it, on average over the months with any spend.",
        ]
        yield [f"{key} spend", row["spend"], "a month", "What to spend on it."]
        yield [f"{key} leads", row["leads"], "a month", "The leads that this brings."]
        yield [f"{key} next_lead_cost", row["next_lead_cost"], "money each", "What one more would cost."]
        yield [f"{key} gain", row["gain"], "a month", "What the leads are worth, less what they cost."]


def _source(values: Values, name: Value, most: Value, half: Value) -> list[Any]:
    """A row of SPEND_SPLIT."""
    places = _places(values)
    place = places.get(str(name).strip().casefold())
    if place is None:
        there = ", ".join(str(source) for source in values["hw_sources[Source]"][:6])
        raise KindError(f"SPEND_SPLIT: there is no source {name} on the sheet Sources; it has {there}.")
    won, judged, worth = (values[f"hw_sources[{c}]"][place] for c in ("Judged customers", "Judged leads", "Worth"))
    if (won or 0) < FEWEST_WON:
        raise NoDataError(
            f"SPEND_SPLIT: what a lead of {name} is worth rests on {won or 0:g} customers of {judged or 0:g} leads, too"
            " few to spend by: leave it out for now."
        )
    return [values["hw_sources[Source]"][place], worth, most, half]


def _require_each_once(sources: Mapping[int, list[Any]]) -> None:
    """KindError where two curves are of one source, however it was typed: its leads would count twice."""
    first: dict[object, int] = {}
    for place, (name, *_) in sources.items():
        if first.setdefault(name, place) != place:
            raise KindError(f"SPEND_SPLIT: {name} is typed twice, as source {first[name]} and {place}: leave one out.")


def _places(values: Values) -> dict[str, int]:
    return {str(name).casefold(): place for place, name in enumerate(values["hw_sources[Source]"])}


def _budget(values: Values) -> float | None:
    if isinstance(values[_BUDGET.name], CellError):
        raise KindError(
            f"SPEND_SPLIT: {_BUDGET.label} on the sheet Inputs is not right: allowed is {_BUDGET.unit.allowed}."
        )
    return None if values[_BUDGET.name] == "" else number(values, _BUDGET.name)


def _room(values: Values, split: set[object]) -> float:
    """Leads a month that can be worked beside those that the other sources bring in an average month."""
    leads = dict(zip(values["hw_sources[Source]"], values["hw_sources[Leads]"], strict=True))
    whole = sum(many or 0 for many in leads.values())
    others = sum(many or 0 for name, many in leads.items() if name not in split)
    taken = number(values, "lead_flow") * others / whole if whole else 0.0
    limit = number(values, "lead_limit")
    if limit <= taken:
        raise NumError(
            f"SPEND_SPLIT: {count(limit)} leads a month can be worked, and other sources bring {count(taken)} of them:"
            " there is no room for a lead that costs money."
        )
    return limit - taken
