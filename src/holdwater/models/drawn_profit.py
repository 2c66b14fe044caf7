"""The recurrence of the bucket for many draws at once: one step of NumPy where `projection` takes one per business.

Each operation is that of `projection.profit_at`, in the same order, so that both round alike: where overload makes the
customers swing, a difference in the last digit would grow from period to period.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import inf
from typing import NamedTuple, TypeAlias

import numpy as np

from holdwater.models.uncertain_inputs import Array

Numbers: TypeAlias = float | Array  # what is the same in each draw, or what differs

_BLOCK = 8_192  # draws that are run together: what one period needs then stays in the cache


class Outcome(NamedTuple):
    """One number for each draw; not finite where the draw has no profit."""

    profit: Array
    one_more_lead: Array  # what one more lead in every period adds to the profit
    break_even_cpl: Array  # the price of that lead at which it adds nothing


def outcome(labels: Mapping[str, Numbers], horizon: int, draws: int) -> Outcome:
    """For each draw, in blocks: memory does not grow with the horizon, and with the draws by three numbers each."""
    answer = Outcome(np.empty(draws), np.empty(draws), np.empty(draws))
    with np.errstate(all="ignore"):  # what has no finite value is counted, not warned of
        for start in range(0, draws, _BLOCK):
            here = slice(start, start + _BLOCK)
            block = {label: value[here] if isinstance(value, np.ndarray) else value for label, value in labels.items()}
            for whole, part in zip(answer, _run(block, horizon, min(_BLOCK, draws - start)), strict=True):
                whole[here] = part
    return answer


def _run(bucket: Mapping[str, Numbers], horizon: int, size: int) -> Outcome:
    # Both flows run as one array, today's leads in its first half, one more in its second: rows would be slower.
    twice = {label: np.tile(value, 2) if isinstance(value, np.ndarray) else value for label, value in bucket.items()}
    leads = twice["leads"] + np.repeat([0.0, 1.0], size)
    worked = np.minimum(leads * (1 - twice["burn"]), twice["lead_capacity"])
    earned, earned_with_more = _earned(twice, worked, horizon).reshape(2, size)
    worked, worked_with_more = worked.reshape(2, size)
    further = leads[size:] - leads[:size]
    periods = _periods(bucket["discount"], horizon)
    margin = bucket["revenue_per_customer"] * bucket["gross_margin"]
    spent = bucket["leads"] * bucket["cost_per_lead"] + worked * bucket["lead_cost"] + bucket["fixed_cost"]
    # From differences, so that a lead that changes nothing is worth 0, not the last digit of the profit.
    worth = margin * (earned_with_more - earned) - (worked_with_more - worked) * bucket["lead_cost"] * periods
    return Outcome(
        margin * earned - spent * periods, worth - further * bucket["next_lead_cost"] * periods, worth / periods
    )


def _periods(discount: Numbers, horizon: int) -> Numbers:
    """The sum of (1 + discount)^-t: what 1 of cost in each period comes to."""
    shrinks = 1 / (1 + discount)
    periods: Numbers = 0.0
    today: Numbers = 1.0
    for _ in range(horizon):
        periods = periods + today
        today = today * shrinks
    return periods


def _earned(bucket: Mapping[str, Numbers], worked: Array, horizon: int) -> Array:
    """What 1 of margin per customer and period comes to."""
    unreferred, referral = worked * bucket["fit_share"] * bucket["conversion"], bucket["referral_rate"]
    calm_churn, onboarding, capacity = bucket["churn"], bucket["onboarding_capacity"], bucket["customer_capacity"]
    slope, threshold, discount = bucket["overload_slope"], bucket["overload_threshold"], bucket["discount"]
    grows = (1 + bucket["growth"]) / (1 + discount)
    price: Numbers = 1.0
    busy = np.where(slope, capacity * threshold, inf)
    # What happens in no draw costs no time.
    refers, turns_away, limited = np.any(referral), np.any(onboarding != inf), np.any(capacity != inf)
    inflates, may_overload, calm = np.any(grows != 1), np.any(busy < inf), True  # calm: not yet overloaded
    customers = np.zeros_like(worked) + bucket["customers"]
    earned, won, moved = np.zeros((3, len(worked)))  # written over in each period: making new arrays takes longer
    for _ in range(horizon):
        served = np.minimum(customers, capacity, out=moved) if limited else customers
        earned += np.multiply(served, price, out=moved) if inflates else served
        price = price * grows
        wanted = unreferred
        if refers:
            wanted = np.multiply(customers, referral, out=won)
            wanted += unreferred
        if turns_away:
            wanted = np.minimum(wanted, onboarding, out=won)
        churn = calm_churn
        if calm and may_overload:
            calm = not (customers > busy).any()
        if not calm:
            churn = np.divide(customers, capacity, out=moved)
            churn -= threshold
            np.maximum(churn, 0.0, out=churn)
            churn *= slope
            churn += calm_churn
            np.minimum(churn, 1.0, out=churn)
        lost = np.multiply(customers, churn, out=moved)
        customers -= lost  # first those, as in the recurrence: where customers swing wildly even a rounding grows
        customers += wanted
    leaves = (calm_churn + discount) / (1 + discount)
    # Customers who never leave, and whose money is worth as much in any future, have no finite value.
    closing = np.where(
        np.greater(leaves, 0), bucket["run_off"] * np.minimum(customers, capacity) * price / leaves, np.nan
    )
    earned += np.where(bucket["run_off"], closing, 0.0)
    return earned
