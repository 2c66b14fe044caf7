"""Capacity: how many leads and customers the people can serve."""

from __future__ import annotations

from holdwater.formula import formula
from holdwater.units import Count, Hours, Minutes, Money, PositiveCount, PositiveRate, Rate

CAPACITY = "Capacity"


@formula(CAPACITY, Count)
def lead_capacity(
    reps: Count,
    hours: Hours,
    minutes_per_lead: Minutes,
    touches: PositiveCount = 1,
    utilization: PositiveRate = 0.8,
) -> float:
    """Leads that the people who sell can work in a period.

    Arguments:
        reps: people who work leads
        hours: hours each has left for this work in the period
        minutes_per_lead: minutes for one touch of one lead
        touches: calls, mails and meetings for one lead
        utilization: share of those hours that is really spent on leads

    Equation:
        reps x hours x 60 x utilization / (minutes_per_lead x touches)

    Source:
        Standard capacity arithmetic; 80 % utilization leaves room for the unforeseen.

    Examples:
        Two people, 160 hours a month, 45 minutes a lead:

        >>> round(holdwater.lead_capacity(2, 160, 45), 1)
        341.3

        When every lead takes three touches:

        >>> round(holdwater.lead_capacity(2, 160, 45, 3), 1)
        113.8
    """
    return reps * hours * 60 * utilization / (minutes_per_lead * touches)


@formula(CAPACITY, Money)
def capacity_revenue(
    leads: Count,
    conversion: Rate,
    revenue_per_customer: Money,
    lead_capacity: PositiveCount | None = None,
    customers: Count = 0,
    churn: Rate = 0,
    customer_capacity: PositiveCount | None = None,
) -> float:
    """Revenue of the period after these leads are won, within what the people can work and serve.

    Arguments:
        leads: leads that arrive in the period
        conversion: customers won per lead that is worked
        revenue_per_customer: revenue of one customer per period
        lead_capacity: leads that can be worked; without it, any number
        customers: customers at the start
        churn: share of customers lost per period
        customer_capacity: customers that can be served; without it, any number

    Equation:
        min(customers (1 - churn) + min(leads, lead_capacity) conversion, customer_capacity) revenue_per_customer

    Source:
        Flow through two limits; leads and customers beyond them bring no revenue.

    Examples:
        45 leads, 38 % become customers, 8,500 each:

        >>> holdwater.capacity_revenue(45, 0.38, 8500)
        145350.0

        The same leads when only 30 can be called:

        >>> holdwater.capacity_revenue(45, 0.38, 8500, 30)
        96900.0
    """
    worked = leads
    if lead_capacity is not None:
        worked = min(leads, lead_capacity)
    served = customers * (1 - churn) + worked * conversion
    if customer_capacity is not None:
        served = min(served, customer_capacity)
    return served * revenue_per_customer
