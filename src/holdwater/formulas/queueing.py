"""Leads that wait in line: how many give up before anyone calls, and how many reps it takes to stop that.

The line is Erlang-A (M/M/n+M): leads come at random, each takes a rep for a random time with the given mean, and
each that waits gives up after a random time with the given mean. All times are in units of the mean call:
`load` is the leads that arrive during one call, `patience` the mean patience in calls.
"""

from __future__ import annotations

from holdwater.errors import NumError
from holdwater.formula import formula
from holdwater.formulas.capacity import CAPACITY
from holdwater.units import Count, Minutes, PositiveRate, Rate, Reps

MOST_REPS = 1_000_000
MOST_WAITING = 2_000_000  # the states that one answer looks at: a fraction of a second
NEGLIGIBLE = 1e-20
HUGE = 1e290


@formula(CAPACITY, Rate, python_only="it sums over the states of a queue, which takes a loop")
def leads_burned(leads_per_hour: Count, minutes_per_lead: Minutes, reps: Reps, patience_minutes: Minutes) -> float:
    """Share of leads that give up waiting before anyone has time for them.

    Arguments:
        leads_per_hour: leads that arrive in an hour in which reps are on duty
        minutes_per_lead: minutes a rep is busy with one lead, on average
        reps: people on duty at the same time, a whole number
        patience_minutes: minutes after which a waiting lead is lost, on average

    Equation:
        theta E[Q] / lambda, the probability of abandonment in an Erlang-A queue (M/M/n+M): states k = 0, 1, 2, ...
        with arrivals at rate lambda, departures at rate mu min(k, n) + theta Q, where Q = max(0, k - n) leads wait

    Source:
        Palm 1946; Garnett, Mandelbaum & Reiman 2002. Without patience it is Erlang B, with endless patience Erlang C.

    Examples:
        Two people, 15 minutes a lead, 20 minutes of patience, six leads an hour:

        >>> round(holdwater.leads_burned(6, 15, 2, 20), 2)
        0.17

        Twice the leads, and 40 % of them are lost:

        >>> round(holdwater.leads_burned(12, 15, 2, 20), 2)
        0.4
    """
    load = leads_per_hour * minutes_per_lead / 60
    if load == 0:
        return 0.0
    return _burned(load, int(reps), patience_minutes / minutes_per_lead)


@formula(CAPACITY, Rate, python_only="it sums over the states of a queue, which takes a loop")
def burn_marginal(leads_per_hour: Count, minutes_per_lead: Minutes, reps: Reps, patience_minutes: Minutes) -> float:
    """Share of the NEXT lead that is lost: how many more leads give up when one more arrives. Above LEADS_BURNED.

    Arguments:
        leads_per_hour: leads that arrive in an hour in which reps are on duty
        minutes_per_lead: minutes a rep is busy with one lead, on average
        reps: people on duty at the same time, a whole number
        patience_minutes: minutes after which a waiting lead is lost, on average

    Equation:
        d(leads_per_hour x LEADS_BURNED) / d(leads_per_hour)
        = P(all reps busy) + LEADS_BURNED E[idle reps] (1 - patience_minutes / minutes_per_lead)

    Source:
        The derivative of a birth-death mean is a covariance, theta Cov(Q, N) / lambda; flow balance turns it into
        the equation above.

    Examples:
        On average 17 % are lost, of the next lead 42 %:

        >>> round(holdwater.burn_marginal(6, 15, 2, 20), 2)
        0.42

        With a third rep:

        >>> round(holdwater.burn_marginal(6, 15, 3, 20), 2)
        0.17
    """
    load = leads_per_hour * minutes_per_lead / 60
    if load == 0:
        return 0.0
    return _burned_of_next(load, int(reps), patience_minutes / minutes_per_lead)


@formula(CAPACITY, Count, python_only="it searches, which takes a loop")
def reps_needed(
    leads_per_hour: Count, minutes_per_lead: Minutes, patience_minutes: Minutes, max_burn: PositiveRate = 0.05
) -> float:
    """Fewest people on duty with whom no more than this share of leads gives up waiting; at least one.

    Arguments:
        leads_per_hour: leads that arrive in an hour in which reps are on duty
        minutes_per_lead: minutes a rep is busy with one lead, on average
        patience_minutes: minutes after which a waiting lead is lost, on average
        max_burn: share of leads that may be lost

    Equation:
        the smallest whole n with LEADS_BURNED(leads_per_hour, minutes_per_lead, n, patience_minutes) <= max_burn

    Source:
        LEADS_BURNED falls with every rep; the search starts where busy reps alone would lose that many.

    Examples:
        Six leads an hour, 15 minutes each, 20 minutes of patience, at most one in twenty lost:

        >>> holdwater.reps_needed(6, 15, 20)
        4.0

        One in five may be lost:

        >>> holdwater.reps_needed(6, 15, 20, 0.2)
        2.0
    """
    load = leads_per_hour * minutes_per_lead / 60
    patience = patience_minutes / minutes_per_lead
    if load == 0:
        return 1.0
    if load > MOST_REPS / 2:
        raise NumError("REPS_NEEDED: it would take too many reps; give the leads and minutes of one team.")
    # All reps busy all the time still lose 1 - n / load, so so few are never enough.
    too_few = max(0, int(load * (1 - max_burn)) - 1)
    step = 1
    while _burned(load, too_few + step, patience) > max_burn:
        too_few += step
        step *= 2
    enough = too_few + step
    while enough - too_few > 1:
        middle = (too_few + enough) // 2
        if _burned(load, middle, patience) > max_burn:
            too_few = middle
        else:
            enough = middle
    return float(enough)


def _burned(load: float, reps: int, patience: float) -> float:
    _, full, length, _, idle = _steady_state(load, reps, patience)
    if load < reps:
        return length * full / (load * patience)
    # What the busy reps do not take. The same number; but here the sum over the line may be too long to finish.
    return (load - reps + idle) / load


def _burned_of_next(load: float, reps: int, patience: float) -> float:
    states, full, length, squares, idle = _steady_state(load, reps, patience)
    if load < reps:
        # theta Cov(Q, N) / lambda as it stands: the short equation would lose digits when patience is long.
        return (squares * full - (length * full) ** 2 + length * full * idle) / (load * patience)
    return states * full + (load - reps + idle) / load * idle * (1 - patience)


def _steady_state(load: float, reps: int, patience: float) -> tuple[float, float, float, float, float]:
    """The sums of `_waiting`, the probability of the state they are weighed against, and the reps idle on average."""
    blocked, idle_if_none_waits = _without_waiting(load, reps)
    states, length, squares = _waiting(load, reps, patience)
    none_waits = 1 / (1 + blocked * (states - 1))
    return states, blocked * none_waits, length, squares, idle_if_none_waits * none_waits


def _without_waiting(load: float, reps: int) -> tuple[float, float]:
    """Erlang B: the probability that all reps are busy, and how many are idle on average, if no lead would wait.

    The states are weighed against the full one, from it downwards: positive sums that lose no digits.
    """
    states = weight = 1.0
    idle = 0.0
    for free in range(1, reps + 1):
        weight *= (reps - free + 1) / load
        states += weight
        idle += free * weight
        if states > HUGE:  # all busy is as good as impossible
            return 0.0, reps - load
        if free * weight <= NEGLIGIBLE * idle:
            break
    return 1 / states, idle / states


def _waiting(load: float, reps: int, patience: float) -> tuple[float, float, float]:
    """The states with all reps busy, weighed against the one where nobody waits: their sum, and with the number
    of waiting leads and its square as factors.

    Under overload the sum may stop at a huge number: then only 1 / sum counts, and it is as good as 0.
    """
    states = weight = 1.0
    length = squares = 0.0
    for waiting in range(1, MOST_WAITING):
        weight *= load / (reps + waiting / patience)
        states += weight
        length += waiting * weight
        squares += waiting * waiting * weight
        if waiting * waiting * weight <= NEGLIGIBLE * squares or states > HUGE:
            return states, length, squares
    raise NumError(
        "LEADS_BURNED, BURN_MARGINAL, REPS_NEEDED: the leads keep all reps busy exactly, and wait almost for ever;"
        " give a shorter patience."
    )
