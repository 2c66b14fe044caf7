"""Repeat purchases without a contract: from rows of purchases to what customers are worth. Each part has its own file.

The pictures take the extra `plots`.
"""

from holdwater.models.bg_nbd import BgNbd
from holdwater.models.bg_nbd import fit as fit_buying
from holdwater.models.fitted import Estimator
from holdwater.models.gamma_gamma import GammaGamma
from holdwater.models.gamma_gamma import fit as fit_spending
from holdwater.models.purchase_plots import alive_matrix, repeat_purchases, weekly_repeats
from holdwater.models.repeat_buyers import RepeatBuyers
from holdwater.models.rfm import Holdout, PurchaseDays, Summary, purchase_days, split, summarise

__all__ = [
    "BgNbd",
    "Estimator",
    "GammaGamma",
    "Holdout",
    "PurchaseDays",
    "RepeatBuyers",
    "Summary",
    "alive_matrix",
    "fit_buying",
    "fit_spending",
    "purchase_days",
    "repeat_purchases",
    "split",
    "summarise",
    "weekly_repeats",
]
