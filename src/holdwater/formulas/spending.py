"""Spending: how many leads money buys, what the next one costs, and where to stop."""

from __future__ import annotations

import math

from holdwater.errors import KindError, NumError
from holdwater.formula import Argument, formula, registry
from holdwater.formulas.acquisition import ACQUISITION
from holdwater.rows import filled_rows, is_blank
from holdwater.units import Cost, Count, Money, PositiveCount, Price, Ratio, Rows

TYPE_CHECKING = False  # see units.py
if TYPE_CHECKING:
    from typing import Any


@formula(ACQUISITION, Count)
def leads_from_spend(spend: Cost, max_leads: PositiveCount, half_spend: Price, shape: Ratio = 1) -> float:
    """Leads that a spend brings, on a curve that levels off as everybody who would ask has asked.

    Arguments:
        spend: money spent in the period
        max_leads: leads that no spend exceeds
        half_spend: spend that brings half of them
        shape: 1 if the first lead is the cheapest; above 1 if a small spend goes unnoticed

    Equation:
        max_leads s^h / (K^h + s^h), with s = spend, K = half_spend, h = shape

    Source:
        Hill curve, the usual one for diminishing returns in media planning.

    Examples:
        400 leads at the most, half of them for 1,000:

        >>> holdwater.leads_from_spend(1000, 400, 1000)
        200.0

        Three times the money brings half as many again:

        >>> holdwater.leads_from_spend(3000, 400, 1000)
        300.0
    """
    near = _nearness(spend, half_spend, shape)
    if spend < half_spend:
        return max_leads * near / (1 + near)
    return max_leads / (1 + near)


@formula(ACQUISITION, Money)
def cpl_marginal(spend: Cost, max_leads: PositiveCount, half_spend: Price, shape: Ratio = 1) -> float:
    """What the next lead costs at this spend: more than the average lead, and the price that decides.

    Arguments:
        spend: money spent in the period; 0 only where shape is 1
        max_leads: leads that no spend exceeds
        half_spend: spend that brings half of them
        shape: 1 if the first lead is the cheapest; above 1 if a small spend goes unnoticed

    Equation:
        (K^h + s^h)^2 / (max_leads h K^h s^(h-1)), with s = spend, K = half_spend, h = shape

    Source:
        1 / the derivative of LEADS_FROM_SPEND.

    Examples:
        3,000 bring 300 leads, 10 each, but the next one costs 40:

        >>> holdwater.cpl_marginal(3000, 400, 1000)
        40.0

        The very first one costs 2.50:

        >>> holdwater.cpl_marginal(0, 400, 1000)
        2.5
    """
    if spend == 0 and shape == 1:
        return half_spend / max_leads
    if spend == 0:
        raise NumError("CPL_MARGINAL: the first lead has a price only where shape is 1; give a spend above 0.")
    if shape * abs(math.log(spend / half_spend)) > 690:  # e^690 is about the largest number there is
        raise NumError(
            "CPL_MARGINAL: so far from half_spend the curve is flat: no next lead; give a spend closer to it."
        )
    near = _nearness(spend, half_spend, shape)
    return spend * (1 + near) ** 2 / (near * shape * max_leads)


def _nearness(spend: float, half_spend: float, shape: float) -> float:
    """(s/K)^h, or its inverse where that is smaller: a large power would overflow, a small one fades to 0."""
    return math.pow(min(spend, half_spend) / max(spend, half_spend), shape)


@formula(ACQUISITION, Money, python_only="the best spend has no closed form; it is found step by step")
def spend_optimal(
    lead_value: Money,
    max_leads: PositiveCount,
    half_spend: Price,
    shape: Ratio = 1,
    lead_capacity: PositiveCount | None = None,
) -> float:
    """The spend that earns most: up to where the next lead costs what a lead is worth; 0 where no spend pays.

    Arguments:
        lead_value: what one lead is worth, see LEAD_VALUE
        max_leads: leads that no spend exceeds
        half_spend: spend that brings half of them
        shape: 1 if the first lead is the cheapest; above 1 if a small spend goes unnoticed
        lead_capacity: leads that can be worked, the rest is worth nothing; without it, any number

    Equation:
        the s >= 0 with the largest lead_value min(LEADS_FROM_SPEND(s), lead_capacity) - s;
        for shape 1 without capacity sqrt(lead_value max_leads half_spend) - half_spend

    Source:
        Marginal cost equals marginal value; above shape 1 the inner optimum is compared with spending nothing.

    Examples:
        A lead is worth 40, and half of 400 leads come for 1,000:

        >>> holdwater.spend_optimal(40, 400, 1000)
        3000.0

        Only 200 of them can be called, so two thirds of that money would be wasted:

        >>> holdwater.spend_optimal(40, 400, 1000, 1, 200)
        1000.0
    """
    spend = _best_spend(lead_value, max_leads, half_spend, shape)
    if lead_capacity is None or leads_from_spend(spend, max_leads, half_spend, shape) <= lead_capacity:
        return spend
    # On the way to its peak the profit only rises, or (shape above 1) falls first: the end or nothing is best.
    enough = min(spend, half_spend * math.pow(lead_capacity / (max_leads - lead_capacity), 1 / shape))
    return enough if lead_value * lead_capacity > enough else 0.0


def _best_spend(lead_value: float, max_leads: float, half_spend: float, shape: float) -> float:
    """Where the next lead costs lead_value on the flattening part of the curve, or 0 if no spend pays.

    With u = ln(s/K) and v = ln(lead_value max_leads / K), the next unit of money brings back e^f(u),
    f(u) = v + ln h + (h-1) u - 2 ln(1 + e^(hu)). f is concave, so it crosses 0 at most twice, and the right crossing
    is the only inner maximum. There the profit is s ((1 + (s/K)^h) / h - 1): it is above 0 exactly if (s/K)^h > h - 1,
    that is, if f is still above 0 at (s/K)^h = h - 1.
    """
    if lead_value <= 0:
        return 0.0
    if shape == 1:
        return _spend_until(lead_value, max_leads, half_spend)
    v = math.log(lead_value) + math.log(max_leads) - math.log(half_spend)
    if shape > 1 and v <= math.log(shape) - (1 - 1 / shape) * math.log(shape - 1):
        return 0.0
    # f(u) < v + ln h - (h+1) u, so this lies right of the crossing, from where Newton's steps on a concave function
    # go left only and never past it; a step that does not go left is rounding, and the end.
    u = (v + math.log(shape)) / (shape + 1)
    while True:
        near = math.exp(-abs(shape * u))
        f = v + math.log(shape) + (shape - 1) * u - 2 * (max(shape * u, 0) + math.log1p(near))
        slope = shape - 1 - 2 * shape * (near if u < 0 else 1) / (1 + near)
        closer = u - f / slope
        if not closer < u:
            return half_spend * math.exp(u)
        u = closer


def _spend_until(worth: float, max_leads: float, half_spend: float) -> float:
    """The spend at which the next lead costs what a lead is worth, for shape 1."""
    returned = worth * max_leads / half_spend  # by the first unit of money
    return half_spend * (returned - 1) / (math.sqrt(returned) + 1) if returned > 1 else 0.0


@formula(
    ACQUISITION,
    Money,
    columns=("source", "spend", "leads", "next_lead_cost", "gain"),
    python_only="the price of a scarce lead is found step by step",
)
def spend_split(
    sources: Rows, budget: Price | None = None, lead_capacity: PositiveCount | None = None
) -> list[dict[str, Any]]:
    """How to split money over sources of leads so that it earns most, within one budget and one capacity for leads.

    Arguments:
        sources: rows of name, lead_value, max_leads and half_spend; each source has a curve of shape 1
        budget: money for all sources together; without it, any sum that pays
        lead_capacity: leads from all sources that can be worked; without it, any number

    Equation:
        spend_i >= 0 with the largest sum of lead_value_i leads_i - spend_i,
        leads_i = max_leads_i spend_i / (half_spend_i + spend_i), sum of spend <= budget, sum of leads <= lead_capacity;
        next_lead_cost = CPL_MARGINAL, gain = lead_value leads - spend

    Source:
        Equal marginal value (Kuhn & Tucker 1951): one price for scarce money, one for a scarce lead.

    Examples:
        2,000 for advertising (A) and a fair (B); left alone they would take 3,000 and 750:

        >>> [round(r["spend"]) for r in holdwater.spend_split([["A", 40, 400, 1000], ["B", 30, 100, 750]], 2000)]
        [1727, 273]

        If no more than 200 leads can be called, all of them should come from where they are worth most:

        >>> [round(r["leads"]) for r in holdwater.spend_split([["A", 40, 400, 1000], ["B", 30, 100, 750]], 2000, 200)]
        [200, 0]
    """
    rows = _sources(sources)
    spends = _best_split(rows, budget, lead_capacity)
    table = []
    for row, spend in zip(rows, spends, strict=True):
        leads = leads_from_spend(spend, row.max_leads, row.half_spend)
        cost = cpl_marginal(spend, row.max_leads, row.half_spend)
        gain = row.lead_value * leads - spend
        table.append({"source": row.name, "spend": spend, "leads": leads, "next_lead_cost": cost, "gain": gain})
    return table


def _best_split(sources: list[_Source], budget: float | None, lead_capacity: float | None) -> list[float]:
    """The spend of each source.

    Seen as a function of the leads, each source's profit is concave and its spend convex, so both limits bound a
    convex set, and a split within it is the best one exactly if it has two prices (Kuhn-Tucker): 1 or more for a unit
    of money, 0 or more for a lead, above those only where the limit is used up, at which each source spends until its
    next lead costs (lead_value - price of a lead) / price of money. For a given price of a lead `_price_of_money`
    gives the other one. The dearer a lead, the fewer are bought (the dual function is convex), so bisection finds the
    lowest price at which they fit.
    """

    def spends(worths: list[float]) -> list[float]:
        money = _price_of_money(worths, sources, budget)
        return [_spend_until(w / money, s.max_leads, s.half_spend) for w, s in zip(worths, sources, strict=True)]

    def fits(split: list[float]) -> bool:
        leads = (leads_from_spend(spend, s.max_leads, s.half_spend) for spend, s in zip(split, sources, strict=True))
        return lead_capacity is None or math.fsum(leads) <= lead_capacity

    values = [s.lead_value for s in sources]
    split = spends(values)
    if fits(split):
        return split
    # Bisection runs over what is left of the highest value after the price of a lead. Where leads are cheap to win
    # this is a small number, and small numbers have more digits after the point than a price close to that value.
    best = max(values)
    few, many = 0.0, best
    split = [0.0] * len(sources)
    while few < (left := (few + many) / 2) < many:
        tried = spends([left - (best - value) for value in values])
        if fits(tried):
            few, split = left, tried
        else:
            many = left
    return split


def _price_of_money(worths: list[float], sources: list[_Source], budget: float | None) -> float:
    """What one unit of money must bring back so that the spending fits into the budget; 1 if it does anyway.

    At the price p = r^2 the sources that get money spend sum(sqrt(worth max_leads half_spend)) / r - sum(half_spend)
    together. Solved for r over any other group of sources this asks too little, so the highest r is the right one;
    and the right group is one of the first so many by what their first unit of money brings back.
    """
    if budget is None:
        return 1.0
    returns = [(w * s.max_leads / s.half_spend, s.half_spend) for w, s in zip(worths, sources, strict=True)]
    root, roots, halves = 1.0, 0.0, 0.0
    for returned, half_spend in sorted((pair for pair in returns if pair[0] > 1), reverse=True):
        roots += half_spend * math.sqrt(returned)
        halves += half_spend
        root = max(root, roots / (budget + halves))
    return root * root


class _Source:
    """One row of the sources."""

    __slots__ = ("half_spend", "lead_value", "max_leads", "name")

    def __init__(self, name: object, lead_value: float, max_leads: float, half_spend: float) -> None:
        self.name = name
        self.lead_value = lead_value
        self.max_leads = max_leads
        self.half_spend = half_spend


def _sources(rows: Any) -> list[_Source]:
    """The rows with their numbers checked as SPEND_OPTIMAL checks them; rows without any content are left out."""
    sources = []
    belongs = "give rows of name and three numbers: lead_value, max_leads, half_spend"
    for position, cells in filled_rows(rows, "SPEND_SPLIT: sources", belongs):
        if len(cells) != 4:
            raise KindError(f"SPEND_SPLIT: row {position} of sources has {len(cells)} cells, not 4; {belongs}.")
        if is_blank(cells[0]):
            raise KindError(f"SPEND_SPLIT: name in row {position} of sources is missing; give each source a name.")
        numbers = [
            registry["SPEND_SPLIT"].check(Argument(f"{a.name} in row {position} of sources", a.unit, True, None), cell)
            for a, cell in zip(registry["SPEND_OPTIMAL"].arguments, cells[1:], strict=False)
        ]
        source = _Source(cells[0], *numbers)
        if not source.half_spend * max(1, source.lead_value * source.max_leads / source.half_spend) < 1e300:
            raise NumError(f"SPEND_SPLIT: row {position} of sources has numbers too large to compute with; use others.")
        sources.append(source)
    return sources
