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

__version__ = "0.1.0"

__all__ = [
    "CallError",
    "FormulaError",
    "HoldwaterError",
    "KindError",
    "NoDataError",
    "NumError",
    "allowable_cac",
    "allowable_cpl",
    "allowable_cpl_range",
    "burn_marginal",
    "cac",
    "cac_blended",
    "capacity_revenue",
    "ceiling_periods",
    "churn",
    "churn_convert",
    "churn_overloaded",
    "conversion",
    "conversion_delayed",
    "cpl",
    "cpl_marginal",
    "cpl_qualified",
    "customer_capacity",
    "customers_ceiling",
    "customers_needed",
    "customers_settled",
    "discount_convert",
    "explain",
    "grr",
    "lead_capacity",
    "lead_value",
    "leads_burned",
    "leads_from_spend",
    "leads_needed",
    "lifetime",
    "list_value",
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
]
