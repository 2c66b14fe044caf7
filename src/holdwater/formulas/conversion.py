"""Conversion: from leads to customers."""

from __future__ import annotations

import math

from holdwater.errors import NumError
from holdwater.formula import formula
from holdwater.units import Count, Rate, Rates, Share

CONVERSION = "Conversion"


@formula(CONVERSION, Rate)
def conversion(rates: Rates) -> float:
    """Customers per lead: the product of the rates from each stage to the next.

    Arguments:
        rates: a range of stage rates, each from 0 to 1

    Equation:
        rate_1 x rate_2 x ... x rate_n

    Source:
        Standard definition.

    Examples:
        One visitor in five fills in the form, half of the trials stay:

        >>> holdwater.conversion([0.2, 0.5])
        0.1

        One stage where nobody passes stops everything:

        >>> holdwater.conversion([0.2, 0, 0.9])
        0.0
    """
    return math.prod(rates)


@formula(CONVERSION, Count)
def leads_needed(customers: Count, rates: Rates, burn: Share = 0, pipeline_customers: Count = 0) -> float:
    """Leads to win so many customers, rounded up to a whole lead.

    Arguments:
        customers: customers wanted
        rates: a range of stage rates, each above 0 and at most 1
        burn: share of leads lost because nobody has time for them
        pipeline_customers: customers expected from deals that are open already

    Equation:
        ceil(max(0, customers - pipeline_customers) / (product of rates) / (1 - burn))

    Source:
        Standard definition; burn is our extension.

    Examples:
        Six customers, one opportunity in ten leads, 15 % of those won:

        >>> holdwater.leads_needed(6, [0.1, 0.15])
        400.0

        Two are on their way already:

        >>> holdwater.leads_needed(6, [0.1, 0.15], 0, 2)
        267.0
    """
    passed = math.prod(rates)
    if passed == 0:
        raise NumError("LEADS_NEEDED: one of the rates is 0, so no number of leads is enough; give rates above 0.")
    # 6 / (0.1 x 0.15) is a hair over 400 in floating point: the last digits must not cost a lead.
    return math.ceil(max(0, customers - pipeline_customers) / passed / (1 - burn) * (1 - 1e-12))
