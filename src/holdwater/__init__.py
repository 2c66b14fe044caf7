"""What may a lead cost, where does the bucket leak, would more leads help at all.

Every function of the catalogue is here under its lower-case name: `holdwater.ltv(30, 0.04)`.
"""

from holdwater.errors import FormulaError, HoldwaterError, KindError, NoDataError, NumError
from holdwater.formulas.acquisition import allowable_cac, allowable_cpl, cac, cpl, lead_value
from holdwater.formulas.capacity import capacity_revenue, lead_capacity
from holdwater.formulas.conversion import conversion, leads_needed
from holdwater.formulas.retention import churn, customers_ceiling, ltv, ltv_cac, payback

__version__ = "0.1.0"

__all__ = [
    "FormulaError",
    "HoldwaterError",
    "KindError",
    "NoDataError",
    "NumError",
    "allowable_cac",
    "allowable_cpl",
    "cac",
    "capacity_revenue",
    "churn",
    "conversion",
    "cpl",
    "customers_ceiling",
    "lead_capacity",
    "lead_value",
    "leads_needed",
    "ltv",
    "ltv_cac",
    "payback",
]
