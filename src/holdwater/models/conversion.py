"""Conversion: by source, while deals are still open, and by age. Each part stands in a file of its own."""

from holdwater.models.beta_binomial import SourcesFit
from holdwater.models.beta_binomial import fit as fit_sources
from holdwater.models.cure import CureFit, Law, Limits
from holdwater.models.cure import fit as fit_deals
from holdwater.models.deals import Deals, Status
from holdwater.models.fitted import Estimator
from holdwater.models.kaplan_meier import Curve, aalen_johansen, kaplan_meier

__all__ = [
    "CureFit",
    "Curve",
    "Deals",
    "Estimator",
    "Law",
    "Limits",
    "SourcesFit",
    "Status",
    "aalen_johansen",
    "fit_deals",
    "fit_sources",
    "kaplan_meier",
]
