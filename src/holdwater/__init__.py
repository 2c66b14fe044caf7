"""What may a lead cost, where does the bucket leak, would more leads help at all.

Every function of the catalogue is here under its lower-case name: `holdwater.ltv(30, 0.04)`.
"""

from holdwater.errors import CallError, FormulaError, HoldwaterError, KindError, NoDataError, NumError
from holdwater.formulas.acquisition import allowable_cac, allowable_cpl, cac, cpl, lead_value
from holdwater.formulas.capacity import capacity_revenue, customer_capacity, lead_capacity, reps_ramped
from holdwater.formulas.ceiling import ceiling_periods, customers_ceiling
from holdwater.formulas.cohorts import ltv_cohort, sbg_fit, sbg_survival
from holdwater.formulas.conversion import (
    conversion,
    conversion_delayed,
    cpl_qualified,
    customers_needed,
    leads_needed,
    list_value,
    sales_velocity,
)
from holdwater.formulas.explain import explain
from holdwater.formulas.overload import churn_overloaded, customers_settled, overload_slope
from holdwater.formulas.queueing import burn_marginal, leads_burned, reps_needed
from holdwater.formulas.referral import cac_blended, ltv_referral, referral_factor
from holdwater.formulas.retention import churn, churn_convert, discount_convert, lifetime, ltv, ltv_cac, payback
from holdwater.formulas.revenue import grr, nrr, quick_ratio
from holdwater.formulas.spending import cpl_marginal, leads_from_spend, spend_optimal, spend_split
from holdwater.formulas.uncertainty import allowable_cpl_range, ltv_range, rate_high, rate_low, trials_needed

TYPE_CHECKING = False  # see units.py
if TYPE_CHECKING:
    from holdwater.bucket.levers import leads_equivalent, lever_value, levers
    from holdwater.bucket.limits import bottleneck, constraint_value, leads_safe
    from holdwater.bucket.losses import loss_check
    from holdwater.bucket.model import Bucket
    from holdwater.bucket.projection import bucket_profit, bucket_projection
    from holdwater.bucket.sequence import fix_sequence
    from holdwater.bucket.verdict import verdict
    from holdwater.models.customer_values import customer_values
    from holdwater.models.matured import conversion_matured

__version__ = "0.1.0"

__all__ = [
    "Bucket",
    "CallError",
    "FormulaError",
    "HoldwaterError",
    "KindError",
    "NoDataError",
    "NumError",
    "allowable_cac",
    "allowable_cpl",
    "allowable_cpl_range",
    "bottleneck",
    "bucket_profit",
    "bucket_projection",
    "burn_marginal",
    "cac",
    "cac_blended",
    "capacity_revenue",
    "ceiling_periods",
    "churn",
    "churn_convert",
    "churn_overloaded",
    "constraint_value",
    "conversion",
    "conversion_delayed",
    "conversion_matured",
    "cpl",
    "cpl_marginal",
    "cpl_qualified",
    "customer_capacity",
    "customer_values",
    "customers_ceiling",
    "customers_needed",
    "customers_settled",
    "discount_convert",
    "explain",
    "fix_sequence",
    "grr",
    "lead_capacity",
    "lead_value",
    "leads_burned",
    "leads_equivalent",
    "leads_from_spend",
    "leads_needed",
    "leads_safe",
    "lever_value",
    "levers",
    "lifetime",
    "list_value",
    "loss_check",
    "ltv",
    "ltv_cac",
    "ltv_cohort",
    "ltv_range",
    "ltv_referral",
    "nrr",
    "overload_slope",
    "payback",
    "quick_ratio",
    "rate_high",
    "rate_low",
    "referral_factor",
    "reps_needed",
    "reps_ramped",
    "sales_velocity",
    "sbg_fit",
    "sbg_survival",
    "spend_optimal",
    "spend_split",
    "trials_needed",
    "verdict",
]

_IN_THE_BUCKET = frozenset(
    {
        "Bucket",
        "bottleneck",
        "bucket_profit",
        "bucket_projection",
        "constraint_value",
        "fix_sequence",
        "leads_equivalent",
        "leads_safe",
        "lever_value",
        "levers",
        "loss_check",
        "verdict",
    }
)
_FITTED = frozenset({"conversion_matured", "customer_values"})


def __getattr__(name: str) -> object:
    """The bucket is imported when it is first asked for: the formulas alone load in a fraction of the time."""
    if name in _FITTED:
        import holdwater.models.cells  # its functions register themselves
    elif name in _IN_THE_BUCKET:
        import holdwater.bucket  # noqa: F401  # as above
    else:
        raise AttributeError(f"module 'holdwater' has no attribute {name!r}")
    from holdwater.bucket.model import Bucket
    from holdwater.formula import registry

    globals()[name] = found = Bucket if name == "Bucket" else registry[name.upper()].call
    return found
