"""Capacity: how many leads and customers the people can serve."""

from __future__ import annotations

from holdwater.errors import KindError
from holdwater.formula import formula
from holdwater.twins import pairs_up, weighted
from holdwater.units import (
    Count,
    Hours,
    Minutes,
    Money,
    PairedCounts,
    PairedRates,
    PositiveCount,
    PositiveHours,
    PositiveRate,
    Rate,
)

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


@formula(CAPACITY, Count)
def reps_ramped(reps_by_tenure: PairedCounts, ramp: PairedRates) -> float:
    """What the people who sell amount to in fully productive ones, when some are new.

    Arguments:
        reps_by_tenure: how many there are of each tenure, such as one cell for each month on the job
        ramp: share of full productivity reached at that tenure; a range of the same shape

    Equation:
        reps_1 x ramp_1 + reps_2 x ramp_2 + ... + reps_n x ramp_n

    Source:
        Standard sales capacity planning.

    Examples:
        Seven who know the work, and three new ones at 40 %:

        >>> round(holdwater.reps_ramped([7, 3], [1, 0.4]), 2)
        8.2

        Of three who began together, each sells a quarter of what it will:

        >>> holdwater.reps_ramped([3], [0.25])
        0.75
    """
    if not pairs_up(reps_by_tenure, ramp):
        raise KindError("REPS_RAMPED: give ranges of the same shape, with a ramp beside every number of reps.")
    return weighted(reps_by_tenure, ramp)


@formula(CAPACITY, Count)
def customer_capacity(
    staff: Count, hours: Hours, hours_per_customer: PositiveHours, utilization: PositiveRate = 0.8
) -> float:
    """Customers that the people who serve them have time for.

    Arguments:
        staff: people who serve customers
        hours: hours each has left for this work in the period
        hours_per_customer: hours that one customer takes in the period
        utilization: share of those hours that is really spent on customers

    Equation:
        staff x hours x utilization / hours_per_customer

    Source:
        Standard capacity arithmetic; 80 % utilization leaves room for the unforeseen.

    Examples:
        Three people, 160 hours a month, two hours a customer:

        >>> holdwater.customer_capacity(3, 160, 2)
        192.0

        When a customer takes an hour more:

        >>> holdwater.customer_capacity(3, 160, 3)
        128.0
    """
    return staff * hours * utilization / hours_per_customer


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
