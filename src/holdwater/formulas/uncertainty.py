"""Uncertainty: between which limits a number lies when few cases have been seen."""

from __future__ import annotations

import math

from holdwater.errors import NoDataError, NumError
from holdwater.formula import formula
from holdwater.twins import normal_quantile
from holdwater.units import Confidence, Count, Growth, InnerRate, Money, PositiveCount, Price, Rate, Ratio

UNCERTAINTY = "Uncertainty and fitted models"


@formula(UNCERTAINTY, Rate)
def rate_low(successes: Count, trials: PositiveCount, confidence: Confidence = 0.9) -> float:
    """The lowest rate that so many successes in so many trials leave likely.

    Arguments:
        successes: how many of the trials succeeded; may be a sum of weights
        trials: how many were tried, above 0; may be a sum of weights
        confidence: how often the true rate lies between RATE_LOW and RATE_HIGH

    Equation:
        (p + z^2/2n - z sqrt(p (1 - p)/n + z^2/4n^2)) / (1 + z^2/n), p = successes / trials, n = trials,
        z the normal deviate of the confidence: 1.645 for 0.9

    Source:
        Wilson 1927, Probable inference; recommended by Brown, Cai & DasGupta 2001.

    Examples:
        14 of 60 leads became customers, 23 %. It may well be luck, and the rate no better than 14 %:

        >>> round(holdwater.rate_low(14, 60, 0.95), 4)
        0.1444

        No success yet, so any rate down to nothing is possible:

        >>> holdwater.rate_low(0, 60)
        0.0
    """
    if successes > trials:
        raise NumError(f"RATE_LOW: successes is {successes:.15g}; allowed is 0 to the number of trials, {trials:.15g}.")
    return lowest_rate(successes, trials, deviate(confidence))


@formula(UNCERTAINTY, Rate)
def rate_high(successes: Count, trials: PositiveCount, confidence: Confidence = 0.9) -> float:
    """The highest rate that so many successes in so many trials leave likely.

    Arguments:
        successes: how many of the trials succeeded; may be a sum of weights
        trials: how many were tried, above 0; may be a sum of weights
        confidence: how often the true rate lies between RATE_LOW and RATE_HIGH

    Equation:
        (p + z^2/2n + z sqrt(p (1 - p)/n + z^2/4n^2)) / (1 + z^2/n), p = successes / trials, n = trials,
        z the normal deviate of the confidence: 1.645 for 0.9

    Source:
        Wilson 1927, Probable inference; recommended by Brown, Cai & DasGupta 2001.

    Examples:
        14 of 60 leads became customers, 23 %. With bad luck behind us the rate is up to 35 %:

        >>> round(holdwater.rate_high(14, 60, 0.95), 4)
        0.3544

        None of 60 leads was won, which a rate of 4 % still allows:

        >>> round(holdwater.rate_high(0, 60), 4)
        0.0431
    """
    if successes > trials:
        raise NumError(
            f"RATE_HIGH: successes is {successes:.15g}; allowed is 0 to the number of trials, {trials:.15g}."
        )
    return highest_rate(successes, trials, deviate(confidence))


@formula(UNCERTAINTY, Count)
def trials_needed(rate: InnerRate, margin_of_error: InnerRate, confidence: Confidence = 0.9) -> float:
    """How many trials show a rate to within this margin of error, rounded up.

    Arguments:
        rate: the rate expected; 0.5 asks for the most trials
        margin_of_error: how far the measured rate may lie from the true one, as a rate: 0.05 is 5 points
        confidence: how often it is to lie within that margin

    Equation:
        ceil(z^2 rate (1 - rate) / margin_of_error^2), z the normal deviate of the confidence: 1.645 for 0.9

    Source:
        Cochran 1977, Sampling techniques: the sample size for a proportion.

    Examples:
        About one lead in five is won. To know it to within 5 points:

        >>> holdwater.trials_needed(0.2, 0.05)
        174.0

        Twice as exact takes four times as many:

        >>> holdwater.trials_needed(0.2, 0.025)
        693.0
    """
    steps = deviate(confidence) / margin_of_error
    # Where the exact number is whole, the last digits must not cost a trial.
    return math.ceil(steps * rate * steps * (1 - rate) * (1 - 1e-12))


def _without_number(
    margin: float, customers_lost: float, customer_periods: float, discount: float, confidence: float
) -> str:
    """What EXPLAIN adds where mid or high is #NUM!."""
    if customers_lost == 0 and discount <= 0:
        return "Nobody was lost, so mid and high do not exist: the churn may be anything down to nothing."
    if customers_lost == 0:
        return "Nobody was lost, so mid does not exist, and high is the value without any churn."
    _, mid, high = ltv_range(margin, customers_lost, customer_periods, discount, confidence)
    if math.isnan(mid) or math.isnan(high):
        without = "mid and high do" if math.isnan(mid) else "high does"
        return f"With this discount payments need not shrink, so {without} not exist; a higher discount ends that."
    return ""


@formula(UNCERTAINTY, Money, row=("low", "mid", "high"), remark=_without_number)
def ltv_range(
    margin: Money,
    customers_lost: Count,
    customer_periods: PositiveCount,
    discount: Growth = 0,
    confidence: Confidence = 0.9,
) -> tuple[float, float, float]:
    """Lifetime value at the highest, the counted and the lowest churn that the customers lost so far leave likely.

    Arguments:
        margin: gross profit of one customer per period; if negative, low is the smaller loss
        customers_lost: customers lost in all the periods counted
        customer_periods: customers at the start of each of those periods, added up
        discount: rate by which money a period later is worth less
        confidence: how often the true value lies between low and high

    Equation:
        LTV = margin / (churn + discount), where churn is RATE_HIGH(customers_lost, customer_periods) for low,
        customers_lost / customer_periods for mid, and RATE_LOW of both for high;
        with nobody lost there is no mid, and without discount no high

    Source:
        Wilson limits of the churn, carried over: the lifetime value falls steadily as churn rises.

    Examples:
        30 a month, and 8 of 200 customers left last month. Worth 750, yet it may be 431 as well as 1,323:

        >>> [round(value) for value in holdwater.ltv_range(30, 8, 200)]
        [431, 750, 1323]

        Nobody left so far. How high the value is nobody can tell, but it is hardly below this:

        >>> round(holdwater.ltv_range(30, 0, 200)[0])
        2248
    """
    if customers_lost > customer_periods:
        raise NumError(
            f"LTV_RANGE: customers_lost is {customers_lost:.15g}; allowed is 0 to customer_periods,"
            f" {customer_periods:.15g}: the customers at the start of each period, added up."
        )
    z = deviate(confidence)
    highest = highest_rate(customers_lost, customer_periods, z)
    counted = customers_lost / customer_periods
    lowest = lowest_rate(customers_lost, customer_periods, z)
    if highest + discount <= 0:
        raise NumError(
            f"LTV_RANGE: discount is {discount:.15g}, so low that the payments never shrink; give a higher discount."
        )
    return (
        margin / (highest + discount),
        margin / (counted + discount) if counted > 0 and counted + discount > 0 else math.nan,
        margin / (lowest + discount) if lowest + discount > 0 else math.nan,
    )


@formula(UNCERTAINTY, Money, row=("low", "mid", "high"))
def allowable_cpl_range(
    ltv_low: Price,
    ltv_high: Price,
    won: Count,
    leads: PositiveCount,
    ratio: Ratio = 3,
    confidence: Confidence = 0.9,
) -> tuple[float, float, float]:
    """What one lead may cost, when both the lifetime value and the conversion are known between limits only.

    Arguments:
        ltv_low: the lowest likely lifetime value, above 0
        ltv_high: the highest likely lifetime value, above 0
        won: how many of the leads became customers
        leads: leads that were worked and are decided, above 0
        ratio: lifetime value wanted for each unit of acquisition cost
        confidence: how often the true value lies between low and high; that of ltv_low and ltv_high too

    Equation:
        mid = sqrt(ltv_low x ltv_high) / ratio x p, p = won / leads, a = ln(ltv_high / ltv_low) / 2;
        low = mid e^-sqrt(a^2 + ln(p / RATE_LOW)^2), high = mid e^sqrt(a^2 + ln(RATE_HIGH / p)^2)

    Source:
        Errors of independent factors add up as squares of their logarithms; Wilson limits of the conversion.

    Examples:
        A customer is worth 431 to 1,323, and 14 of 60 leads were won. Pay about 59:

        >>> [round(value) for value in holdwater.allowable_cpl_range(431, 1323, 14, 60)]
        [29, 59, 114]

        With ten times the leads, and a value known for certain, the limits close in:

        >>> [round(value) for value in holdwater.allowable_cpl_range(744, 744, 140, 600)]
        [51, 58, 65]
    """
    if won > leads:
        raise NumError(f"ALLOWABLE_CPL_RANGE: won is {won:.15g}; allowed is 0 to the number of leads, {leads:.15g}.")
    if won == 0:
        raise NoDataError("ALLOWABLE_CPL_RANGE: won is 0, which says nothing yet; wait until a lead has been won.")
    z = deviate(confidence)
    rate = won / leads
    mid = math.sqrt(ltv_low) * math.sqrt(ltv_high) / ratio * rate
    doubt = (math.log(ltv_high) - math.log(ltv_low)) / 2
    below = math.log(rate / lowest_rate(won, leads, z))
    above = math.log(highest_rate(won, leads, z) / rate)
    return (
        mid * math.exp(-math.sqrt(doubt * doubt + below * below)),
        mid,
        mid * math.exp(math.sqrt(doubt * doubt + above * above)),
    )


def deviate(confidence: float) -> float:
    """Standard deviations to either side within which this share of a normal distribution lies."""
    return -normal_quantile((1 - confidence) / 2)  # the small tail keeps its digits, close to 1 too


def lowest_rate(successes: float, trials: float, z: float) -> float:
    """Wilson's lower limit, as the product of both roots over the larger one: their difference would lose digits."""
    return successes * (successes / trials) / (successes + z * z / 2 + _half_width(successes, trials, z))


def highest_rate(successes: float, trials: float, z: float) -> float:
    """Wilson's upper limit; rounding takes it neither above 1 nor, where every trial succeeded, below it."""
    if successes == trials:
        return 1.0
    return min(1, (successes + z * z / 2 + _half_width(successes, trials, z)) / (trials + z * z))


def _half_width(successes: float, trials: float, z: float) -> float:
    return z * math.sqrt(successes / trials * (trials - successes) + z * z / 4)
