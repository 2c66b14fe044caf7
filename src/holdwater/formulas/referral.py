"""Referral: what customers bring who bring others."""

from __future__ import annotations

from holdwater.errors import NumError
from holdwater.formula import formula
from holdwater.units import Cost, Factor, Growth, Money, Rate

REFERRAL = "Referral"


@formula(REFERRAL, Factor)
def referral_factor(referral_rate: Rate, churn: Rate, discount: Growth = 0) -> float:
    """Customers that one customer brings during its life, each counted at what it is worth today.

    Arguments:
        referral_rate: new customers that one customer brings per period
        churn: share of customers lost per period
        discount: rate by which money a period later is worth less

    Equation:
        referral_rate / (churn + discount)

    Source:
        Sum over the periods t of referral_rate (1 - churn)^(t-1) / (1 + discount)^t.

    Examples:
        One customer in a hundred brings another each month, 4 % leave, money loses 1 %:

        >>> round(holdwater.referral_factor(0.01, 0.04, 0.01), 3)
        0.2

        At half the churn each brings a third of another, although nobody refers more often:

        >>> round(holdwater.referral_factor(0.01, 0.02, 0.01), 3)
        0.333
    """
    if churn + discount <= 0:
        raise NumError("REFERRAL_FACTOR: nobody leaves and money keeps its worth, so the referrals have no end.")
    return referral_rate / (churn + discount)


@formula(REFERRAL, Money)
def ltv_referral(ltv: Money, factor: Factor, reward: Cost = 0) -> float:
    """Lifetime value with the customers that a customer brings, and those they bring in turn. Compare it with the CAC
    of a paid customer: comparing LTV_REFERRAL with CAC_BLENDED credits referral twice.

    Arguments:
        ltv: lifetime value of a customer without referral
        factor: customers that one customer brings, see REFERRAL_FACTOR; at 1 the value would have no end
        reward: paid for each referred customer

    Equation:
        (ltv - factor x reward) / (1 - factor)

    Source:
        Solves V = ltv + factor (V - reward): each referred customer is worth V as well.

    Examples:
        Worth 600, and each brings a fifth of another:

        >>> holdwater.ltv_referral(600, 0.2)
        750.0

        With 100 paid to whoever brings one:

        >>> holdwater.ltv_referral(600, 0.2, 100)
        725.0
    """
    return reward + (ltv - reward) / (1 - factor)  # (ltv - factor x reward) / (1 - factor), with all its digits


@formula(REFERRAL, Money)
def cac_blended(cac: Cost, referred_share: Rate) -> float:
    """What a new customer costs on average when some come by referral and cost nothing. Compare it with plain LTV:
    comparing LTV_REFERRAL with CAC_BLENDED credits referral twice.

    Arguments:
        cac: what one paid customer costs
        referred_share: share of new customers that come by referral

    Equation:
        cac (1 - referred_share)

    Source:
        Weighted mean of cac and 0.

    Examples:
        A paid customer costs 250, one in five comes by referral:

        >>> holdwater.cac_blended(250, 0.2)
        200.0

        Nobody refers:

        >>> holdwater.cac_blended(250, 0)
        250.0
    """
    return cac * (1 - referred_share)
