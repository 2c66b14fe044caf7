"""`Bucket`: one business in numbers, checked when it is made."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import MISSING, dataclass, fields
from math import inf
from typing import TYPE_CHECKING, Any

from holdwater.bucket.labels import label_of
from holdwater.errors import KindError, NumError
from holdwater.rows import filled_rows, is_blank, is_truth

if TYPE_CHECKING:
    from holdwater.bucket.verdict import Diagnosis

LONGEST_HORIZON = 10_000
_BELONGS = "give rows of a label and a value, such as churn and 0.04"


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
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
        for name, (low, high) in _BOUNDS.items():
            value = getattr(self, name)
            if value is None and name == "next_lead_cost":
                continue
            if type(value) is not float:
                value = _number(name, value)
                object.__setattr__(self, name, value)
            if not low <= value <= high or (value == inf and name not in _MAY_BE_UNLIMITED):
                raise NumError(f"Bucket: {name} is {value:.15g}; allowed is {_allowed(name)}.")
        if self.horizon != int(self.horizon):
            raise NumError(f"Bucket: horizon is {self.horizon:.15g}; allowed is {_allowed('horizon')}.")
        object.__setattr__(self, "horizon", int(self.horizon))

    @classmethod
    def of(cls, model: object) -> Bucket:
        """A Bucket from rows of label and value (as a range of a sheet), from a mapping, or as it is.

        Case, spaces, hyphens and underscores of a label do not matter, rows without content are skipped, and a label
        without a value takes its default. KindError for an unknown, repeated or missing label.
        """
        if isinstance(model, cls):
            return model
        if (plain := _plain_pairs(model)) is not None:
            return cls(**plain)
        if isinstance(model, Mapping):
            cells = [(f"{label!r}", label, value) for label, value in model.items()]
        else:
            cells = [_label_and_value(position, row) for position, row in filled_rows(model, "Bucket: model", _BELONGS)]
        given: dict[str, Any] = {}
        for place, label, value in cells:
            name = label_of(label, _BOUNDS, f"Bucket: the label in {place}")
            if name in given:
                raise KindError(f"Bucket: {name} stands there twice, the second time in {place}; keep one.")
            given[name] = None if is_blank(value) else value
        values = {name: value for name, value in given.items() if value is not None}
        missing = [name for name in _REQUIRED if name not in values]
        if missing:
            verb = "is" if len(missing) == 1 else "are"
            raise KindError(f"Bucket: {' and '.join(missing)} {verb} missing; {_BELONGS}.")
        return cls(**values)

    def __repr__(self) -> str:
        """What differs from the defaults, as one would type it."""
        shown = [
            f"{field.name}={_plain(getattr(self, field.name))}"
            for field in fields(self)
            if getattr(self, field.name) != field.default
        ]
        return f"Bucket({', '.join(shown)})"

    # The functions of the group as methods. They are built on this class, so they are imported when called.

    def projection(self) -> list[dict[str, float]]:
        """BUCKET_PROJECTION: what happens in each period."""
        from holdwater.bucket.projection import bucket_projection

        return bucket_projection(self)

    def profit(self) -> float:
        """BUCKET_PROFIT: discounted contribution over the horizon, and what the customers left then still bring."""
        from holdwater.bucket.projection import bucket_profit

        return bucket_profit(self)

    def lever_value(self, lever: str, change: float = 0.1) -> float:
        """LEVER_VALUE: what improving one label by `change` adds to the profit."""
        from holdwater.bucket.levers import lever_value

        return lever_value(self, lever, change)

    def levers(self, change: float = 0.1) -> list[dict[str, Any]]:
        """LEVERS: every label that can be improved, best first."""
        from holdwater.bucket.levers import levers

        return levers(self, change)

    def leads_equivalent(self, lever: str, change: float = 0.1) -> float:
        """LEADS_EQUIVALENT: the extra leads per period that would earn the same; NumError if no number does."""
        from holdwater.bucket.levers import leads_equivalent

        return leads_equivalent(self, lever, change)

    def constraint_value(self, constraint: str, step: float = 1) -> float:
        """CONSTRAINT_VALUE: what one more of a capacity, or of leads, adds to the profit."""
        from holdwater.bucket.limits import constraint_value

        return constraint_value(self, constraint, step)

    def constraint_range(self, constraint: str) -> tuple[float, float]:
        """From where to where this capacity (or the leads) can go before the limits that bind are others."""
        from holdwater.bucket.limits import constraint_range

        return constraint_range(self, constraint)

    def bottleneck(self) -> str:
        """BOTTLENECK: the name of what limits the business, "leads", or "none"."""
        from holdwater.bucket.limits import bottleneck

        return bottleneck(self)

    def leads_safe(self) -> float:
        """LEADS_SAFE: the lead flow at which the profit peaks; NumError if it has no limit."""
        from holdwater.bucket.limits import leads_safe

        return leads_safe(self)

    def fix_sequence(self, projects: Any, budget: float | None = None, horizon: int | None = None) -> Any:
        """FIX_SEQUENCE: which projects to do, and in which order."""
        from holdwater.bucket.sequence import fix_sequence

        return fix_sequence(projects, self, budget, horizon)

    def diagnosis(self) -> Diagnosis:
        """What VERDICT says, with its numbers one by one."""
        from holdwater.bucket.verdict import diagnose

        return diagnose(self)

    def verdict(self) -> str:
        """VERDICT: one sentence: more leads, fix what first, or fewer leads."""
        from holdwater.bucket.verdict import verdict

        return verdict(self)


_SHARE = (0.0, 1.0)
_PER_PERIOD = (-0.9999999999999999, 1.0)  # above -1
_ANY_COUNT = (0.0, inf)
_CAPACITY = (5e-324, inf)  # above 0: customers are measured against it
_BOUNDS: dict[str, tuple[float, float]] = {field.name: _ANY_COUNT for field in fields(Bucket)} | {
    "conversion": _SHARE,
    "gross_margin": _SHARE,
    "churn": _SHARE,
    "fit_share": _SHARE,
    "burn": _SHARE,
    "referral_rate": _SHARE,
    "run_off": _SHARE,
    "growth": _PER_PERIOD,
    "discount": _PER_PERIOD,
    "customer_capacity": _CAPACITY,
    "overload_threshold": (5e-324, 1.0),
    "horizon": (1.0, float(LONGEST_HORIZON)),
}
_REQUIRED = tuple(field.name for field in fields(Bucket) if field.default is MISSING)
_MAY_BE_UNLIMITED = ("lead_capacity", "onboarding_capacity", "customer_capacity")


def _plain_pairs(model: Any) -> dict[str, Any] | None:
    """The usual model, quickly: every label spelled as here, once, with a number beside it; None for any other."""
    if not isinstance(model, (dict, list, tuple)):  # what can be read only once is not read in vain
        return None
    try:
        pairs = dict(model)
        plain = (
            len(pairs) == len(model)
            and pairs.keys() <= _BOUNDS.keys()
            and all(name in pairs for name in _REQUIRED)
            and all(type(value) is float or type(value) is int for value in pairs.values())
        )
    except (TypeError, ValueError):
        return None
    return pairs if plain else None


def _number(name: str, value: object) -> float:
    if not is_truth(value) and not isinstance(value, (str, bytes)) and hasattr(value, "__float__"):
        try:
            return float(value)
        except OverflowError:
            raise NumError(f"Bucket: {name} is too large; allowed is {_allowed(name)}.") from None
        except (TypeError, ValueError):  # an array
            pass
    shown = f"{value[:40]!r}" if isinstance(value, str) else f"{bool(value)!r}" if is_truth(value) else "no number"
    hint = "; leave it empty for unlimited" if name in _MAY_BE_UNLIMITED else ""
    raise KindError(f"Bucket: {name} is {shown}; a number belongs here{hint}.")


def _allowed(name: str) -> str:
    low, high = _BOUNDS[name]
    if name == "horizon":
        return f"a whole number of periods from 1 to {LONGEST_HORIZON:,}"
    lowest = "above 0" if low == 5e-324 else "above -1" if low == _PER_PERIOD[0] else f"{low:g}"
    if high < inf:
        return f"{lowest} {'and at most' if lowest.startswith('above') else 'to'} {high:g}"
    return lowest if lowest.startswith("above") else f"{lowest} or more"


def _label_and_value(position: int, cells: list[Any]) -> tuple[str, Any, Any]:
    if len(cells) < 2 or not all(is_blank(cell) for cell in cells[2:]):
        raise KindError(f"Bucket: row {position} of model has {len(cells)} cells, not 2; {_BELONGS}.")
    return f"row {position}", cells[0], cells[1]


def _plain(value: object) -> str:
    return str(int(value)) if isinstance(value, float) and value.is_integer() and abs(value) < 1e15 else repr(value)
