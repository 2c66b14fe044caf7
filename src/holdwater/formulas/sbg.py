"""The shifted-beta-geometric curve: every customer has a churn of its own, so those who stay are the loyal ones.

Written in the odds of staying one more period, which rise along a straight line with a customer's age:
odds = first + rise x age, with first = beta / alpha and rise = 1 / alpha. Where rise is 0, all customers are alike.
"""

from __future__ import annotations

import math

from holdwater.errors import KindError, NoDataError, NumError

TYPE_CHECKING = False  # see units.py
if TYPE_CHECKING:
    from collections.abc import Sequence

ROUNDING = 1e-12  # a smaller gain in log-likelihood per customer is none


def cohort(survivors: Sequence[float | None]) -> list[float]:
    """The counts of one cohort without the empty cells after the last; they have no gap and never rise from above 0."""
    counts: list[float] = []
    last = max(time for time, count in enumerate(survivors) if count is not None)
    for time, count in enumerate(survivors[: last + 1]):
        if count is None:
            raise KindError(
                f"survivors has an empty cell at time {time}; give a count for every period up to the last."
            )
        if time and count > counts[-1]:
            raise NumError(
                f"survivors rises from {counts[-1]:.15g} to {count:.15g} at time {time}, but a cohort only shrinks;"
                " count only those who were there at time 0."
            )
        counts.append(count)
    if counts[0] == 0:
        raise NoDataError("survivors starts with 0, an empty cohort; begin with the customers won, at time 0.")
    return counts


def odds_of_staying(counts: Sequence[float]) -> tuple[float, float]:
    """First odds of staying and their rise per period of age, by maximum likelihood; rise is 0 if churn never falls.

    NoDataError for counts that leave the odds open: too few, no losses, or losses in the first period only.
    """
    if len(counts) < 3:
        raise NoDataError(
            f"survivors ends at time {len(counts) - 1}; a curve with two parameters takes three counts at least,"
            " at times 0, 1 and 2."
        )
    if counts[-1] == counts[0]:
        raise NoDataError("survivors shows no loss at all; wait until some customers have left.")
    if counts[1] == 0:
        raise NoDataError("survivors is 0 from time 1 on; where nobody is left there is no curve to fit.")
    if counts[-1] == counts[1]:
        raise NoDataError("survivors shows no loss after the first period; wait until some customers left later.")
    shares = [count / counts[0] for count in counts]

    def likelihood(odds: tuple[float, float]) -> float:
        return log_likelihood(shares, *odds)

    alike = sum(shares[1:]) / (1 - shares[-1])  # the best first odds where the rise is 0
    starts = [(alike * share, alike * 10**power) for share in (0.1, 0.3, 1) for power in range(-3, 3)]
    starts.sort(key=likelihood, reverse=True)  # several, because the likelihood may have two hills
    best = max((_climb(shares, *start) for start in starts[:3]), key=likelihood)
    return best if likelihood(best) - likelihood((alike, 0)) > ROUNDING else (alike, 0.0)


def log_likelihood(survivors: Sequence[float], first: float, rise: float) -> float:
    """Of every period: those who stayed and those who left, given these odds of staying."""
    total = 0.0
    for age in range(len(survivors) - 1):
        odds = first + rise * age
        total += survivors[age + 1] * math.log(odds) - survivors[age] * math.log1p(odds)
    return total


def _climb(shares: Sequence[float], first: float, rise: float) -> tuple[float, float]:
    """Newton's method on the logarithms of both parameters, damped so that each step goes uphill."""
    height = log_likelihood(shares, first, rise)
    damping = 0.0
    for _ in range(100):
        slope_first, slope_rise, bend_first, bend_both, bend_rise = _derivatives(shares, first, rise)
        while True:
            a, b, c = damping - bend_first, -bend_both, damping - bend_rise
            determinant = a * c - b * b
            if a > 0 and determinant > 0:
                step_first = (c * slope_first - b * slope_rise) / determinant
                step_rise = (a * slope_rise - b * slope_first) / determinant
                if abs(step_first) < 3 and abs(step_rise) < 3:  # a parabola is not to be trusted any farther
                    candidate = first * math.exp(step_first), rise * math.exp(step_rise)
                    reached = log_likelihood(shares, *candidate)
                    if reached >= height - 1e-15 * abs(height):  # at the top, rounding may look like a step down
                        break
            damping = max(10 * damping, 1e-4)
            if damping > 1e9:
                return first, rise
        gain = slope_first * step_first + slope_rise * step_rise
        (first, rise), height = candidate, reached
        damping = damping / 10 if damping > 1e-6 else 0.0
        if gain < 1e-20:  # this step was the last that can be seen
            break
    return first, rise


def _derivatives(shares: Sequence[float], first: float, rise: float) -> tuple[float, float, float, float, float]:
    """Exact slopes and bends of the log-likelihood, in the logarithms of both parameters."""
    slope_first = slope_rise = bend_first = bend_both = bend_rise = 0.0
    for age in range(len(shares) - 1):
        risen = rise * age
        odds = first + risen
        slope = shares[age + 1] / odds - shares[age] / (1 + odds)
        bend = shares[age] / (1 + odds) ** 2 - shares[age + 1] / odds**2
        slope_first += slope * first
        slope_rise += slope * risen
        bend_first += bend * first * first + slope * first
        bend_both += bend * first * risen
        bend_rise += bend * risen * risen + slope * risen
    return slope_first, slope_rise, bend_first, bend_both, bend_rise


def staying(odds: float, rise: float, periods: int) -> list[float]:
    """The shares still there after 0, 1, ... periods, of customers whose odds of staying are these today."""
    shares = [1.0]
    for age in range(periods):
        now = odds + rise * age
        shares.append(shares[-1] * now / (1 + now))
    return shares


def life(odds: float, rise: float, leak: float) -> float:
    """What they pay who pay 1 today and in every period they stay, each payment worth less by the share `leak`.

    The odds of staying are those of today. Infinite where the sum has no end.
    """
    if rise == 0 and 1 + odds * leak > 0:
        return (1 + odds) / (1 + odds * leak)
    if leak == 0 and rise < 1:
        return (1 + odds - rise) / (1 - rise)
    if leak <= 0:
        return math.inf
    return _mean_life(1 / rise, odds / rise, leak)


def _mean_life(alpha: float, beta: float, leak: float) -> float:
    """The mean of 1 / (leak + (1 - leak) churn) over customers whose churn is beta-distributed, beta not below 1."""
    if alpha < 0.1 and -alpha * math.log(leak) < 3:
        # The mean hangs on churn smaller than any float; for alpha + 1 it does not, and here no digits are lost.
        share = alpha / (alpha + beta)
        return (1 - (1 - leak) * share * _mean_life(alpha + 1, beta, leak)) / leak
    # Trapezoids over the logit of churn: the integrand is analytic, so their error falls exponentially with the step.
    step = 0.25 * min(1, math.sqrt(1 / alpha + 1 / beta))
    middle = math.log(alpha / beta)
    top = alpha * _log_logistic(middle) + beta * _log_logistic(-middle)
    weights = lives = 0.0
    for direction, place in ((-1, 1), (1, 0)):
        while True:
            logit = middle + direction * place * step
            log_churn = _log_logistic(logit)
            weight = math.exp(alpha * log_churn + beta * _log_logistic(-logit) - top)
            life = weight / (leak + (1 - leak) * math.exp(log_churn))
            weights += weight
            lives += life
            if life < 1e-17 * lives and weight < 1e-17 * weights:
                break
            place += 1
    return lives / weights


def _log_logistic(x: float) -> float:
    """log(1 / (1 + e^-x))"""
    return -math.log1p(math.exp(-x)) if x > 0 else x - math.log1p(math.exp(x))
