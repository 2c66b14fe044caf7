"""Conversion: from leads to customers."""

from __future__ import annotations

import math

from holdwater.errors import NumError
from holdwater.formula import formula
from holdwater.formulas.series import annuity
from holdwater.units import (
    Cost,
    Count,
    Days,
    Duration,
    Growth,
    Money,
    PositiveCount,
    PositiveRate,
    PositiveTime,
    Price,
    Rate,
    Rates,
    Share,
    Time,
)

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


@formula(CONVERSION, Count)
def customers_needed(
    target_revenue: Cost,
    revenue_per_customer: Price,
    customers: Count = 0,
    churn: Rate = 0,
    periods: Duration = 1,
) -> float:
    """New customers to win in every period so that revenue per period has reached a target after the last one.

    Arguments:
        target_revenue: revenue per period wanted then, not a sum over the periods
        revenue_per_customer: revenue of one customer per period
        customers: customers at the start
        churn: share of customers lost per period
        periods: periods until then

    Equation:
        max(0, c (N - customers (1-c)^n) / (1 - (1-c)^n)), with N = target_revenue / revenue_per_customer,
        c = churn, n = periods; (N - customers) / n for c = 0

    Source:
        The recursion customers (1 - churn) + new, solved for new.

    Examples:
        From 100 customers to 12,000 a month at 100 each, in ten months, and nobody leaves:

        >>> holdwater.customers_needed(12000, 100, 100, 0, 10)
        2.0

        When 5 % leave each month, most of the new ones only replace them:

        >>> round(holdwater.customers_needed(12000, 100, 100, 0.05, 10), 2)
        7.49
    """
    wanted = target_revenue / revenue_per_customer
    if wanted < customers:
        return max(0, wanted - customers * math.pow(1 - churn, periods)) / annuity(churn, periods)
    # The same, written so that replacing those who leave keeps its digits when very few do.
    return (wanted - customers) / annuity(churn, periods) + customers * churn


@formula(CONVERSION, Money)
def sales_velocity(opportunities: Count, deal_value: Cost, win_rate: Rate, cycle_days: Days) -> float:
    """Money per day that open opportunities turn into.

    Arguments:
        opportunities: opportunities that are worked at the same time
        deal_value: revenue of one deal won
        win_rate: share of opportunities won
        cycle_days: days from opportunity to decision

    Equation:
        opportunities x deal_value x win_rate / cycle_days

    Source:
        Standard definition.

    Examples:
        40 opportunities of 25,000, a quarter is won, after 90 days:

        >>> round(holdwater.sales_velocity(40, 25000, 0.25, 90), 2)
        2777.78

        10 % more of everything, in 10 % less time, is 48 % more:

        >>> round(holdwater.sales_velocity(44, 27500, 0.275, 81), 2)
        4108.02
    """
    return opportunities * deal_value * win_rate / cycle_days


@formula(CONVERSION, Rate)
def conversion_delayed(conversion: Rate, delay: Time, half_life: PositiveTime, floor: Rate = 0) -> float:
    """Customers per lead that has waited for an answer: what the wait takes halves with each half-life.

    Arguments:
        conversion: customers per lead that is answered at once
        delay: time until the answer
        half_life: time, in the unit of delay, after which half of what can be lost is lost
        floor: customers per lead however long it waits, at most conversion

    Equation:
        floor + (conversion - floor) 0.5^(delay / half_life)

    Source:
        Exponential decay. Fit half_life to your own log: the published figures fit no single curve.

    Examples:
        One lead in five, answered after two half-lives:

        >>> holdwater.conversion_delayed(0.2, 2, 1)
        0.05

        Those who would come anyway stay:

        >>> holdwater.conversion_delayed(0.2, 2, 1, 0.04)
        0.08
    """
    if floor > conversion:
        raise NumError(
            "CONVERSION_DELAYED: floor lies above conversion, but no lead gains by waiting; give a lower floor."
        )
    return floor + (conversion - floor) * math.pow(0.5, delay / half_life)


@formula(CONVERSION, Money)
def cpl_qualified(spend: Cost, leads: PositiveCount, fit_share: PositiveRate) -> float:
    """What one lead costs that fits: one that could become a customer at all.

    Arguments:
        spend: money spent to win leads in the period
        leads: leads that came of it, above 0
        fit_share: share of leads that fit, above 0

    Equation:
        spend / (leads x fit_share)

    Source:
        Standard definition.

    Examples:
        4,200 spent on 60 leads, half of which fit:

        >>> holdwater.cpl_qualified(4200, 60, 0.5)
        140.0

        Cheaper leads of which only one in five fits are dearer:

        >>> holdwater.cpl_qualified(4200, 120, 0.2)
        175.0
    """
    return spend / (leads * fit_share)


@formula(CONVERSION, Money)
def list_value(
    contacts: Count,
    permission: Rate,
    conversion: Rate,
    ltv: Money,
    unsubscribe: Rate,
    discount: Growth = 0,
    periods: Duration = 12,
) -> float:
    """What a list of contacts is worth that may be written to. Only contacts who gave permission count.

    Arguments:
        contacts: contacts on the list
        permission: share of them who agreed to be written to
        conversion: share that becomes a customer per period
        ltv: lifetime value of a customer
        unsubscribe: share that leaves the list per period
        discount: rate by which money a period later is worth less
        periods: periods during which the list is written to

    Equation:
        contacts x permission x conversion x ltv (1 - k^n) / (1 - k),
        with k = (1 - conversion - unsubscribe) / (1 + discount), n = periods

    Source:
        Sum over the periods; who buys leaves the list as surely as who unsubscribes.

    Examples:
        5,000 contacts, 60 % agreed, 0.2 % a month become customers worth 750, 1 % unsubscribe:

        >>> round(holdwater.list_value(5000, 0.6, 0.002, 750, 0.01))
        50575

        Nobody agreed, so there is nobody to write to:

        >>> holdwater.list_value(5000, 0, 0.002, 750, 0.01)
        0.0
    """
    if conversion + unsubscribe > 1:
        raise NumError(
            "LIST_VALUE: conversion and unsubscribe are more than the whole list together; give lower rates."
        )
    shrinking = (conversion + unsubscribe + discount) / (1 + discount)  # 1 - k, without the loss of digits
    return contacts * permission * conversion * ltv * annuity(shrinking, periods)
