"""`Bucket`: one business in numbers, checked when it is made."""

from __future__ import annotations

from dataclasses import dataclass, fields
from math import inf, isfinite

from holdwater.errors import KindError, NumError


@dataclass(frozen=True, slots=True, kw_only=True)
class Bucket:
    """Rates are per period, money is per that same period unless it is a price of one lead or customer.

    The labels are those of the catalogue; an unlimited capacity is infinite. Raises KindError for what is no
    number and NumError for a number outside its domain.
    """

    leads: float  # paid for, without referred customers
    cost_per_lead: float
    conversion: float  # customers per fitting lead that is worked
    revenue_per_customer: float
    gross_margin: float
    churn: float  # while customers stay below the overload threshold
    next_lead_cost: float | None = None  # of leads beyond today's; as cost_per_lead unless given
    fit_share: float = 1
    burn: float = 0
    lead_capacity: float = inf
    lead_cost: float = 0
    onboarding_capacity: float = inf
    growth: float = 0
    referral_rate: float = 0
    discount: float = 0
    customers: float = 0
    customer_capacity: float = inf
    overload_slope: float = 0
    overload_threshold: float = 0.9
    fixed_cost: float = 0
    horizon: int = 24
    run_off: float = 1

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            if value is None and field.name == "next_lead_cost":
                continue
            if isinstance(value, bool) or not isinstance(value, (int, float)):
                raise KindError(f"Bucket: {field.name} is {value!r}; a number belongs here.")
            low, high = _BOUNDS.get(field.name, (0, inf))
            unlimited = field.name.endswith("_capacity") and value == inf
            if not (low <= value <= high and (isfinite(value) or unlimited)):
                allowed = f"{low:g} or more" if high == inf else f"{low:g} to {high:g}"
                raise NumError(f"Bucket: {field.name} is {value:g}; allowed is {allowed}.")
        if self.horizon != int(self.horizon):
            raise NumError(f"Bucket: horizon is {self.horizon:g}; allowed is a whole number of periods.")


_NO_LESS_THAN_ALL = -0.9999999999999999  # above -1
_BOUNDS: dict[str, tuple[float, float]] = dict.fromkeys(
    ("conversion", "gross_margin", "churn", "fit_share", "burn", "referral_rate", "run_off"), (0, 1)
) | {
    "growth": (_NO_LESS_THAN_ALL, 1),
    "discount": (_NO_LESS_THAN_ALL, 1),
    "horizon": (1, 1200),
    "overload_threshold": (0, 10),
}
