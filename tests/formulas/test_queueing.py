"""Leads that wait, against the definition of the queue in 50 digits, its limits, published cases and a simulation."""

from __future__ import annotations

import heapq
import random
from itertools import product
from typing import Any

import mpmath
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import holdwater
from holdwater import burn_marginal, leads_burned, reps_needed

steady = settings(derandomize=True, deadline=None)  # the same cases on every machine, however slow

MINUTES = 10.0
REPS = (1, 2, 3, 10, 50, 200)
LOADS = (0.01, 0.1, 0.5, 0.9, 0.99, 0.999, 1, 1.001, 1.01, 1.2, 2, 3)  # of the capacity
PATIENCE = (0.01, 0.1, 0.5, 1, 1.5, 10, 100)  # in times of service


def exact(leads_per_hour: Any, minutes: float, reps: int, patience_minutes: float) -> Any:
    """The probability of abandonment in 50 digits and more: the sum over the waiting states in closed form."""
    patience = mpmath.mpf(patience_minutes) / minutes
    load = mpmath.mpf(leads_per_hour) * minutes / 60
    capacity, arrivals = reps * patience, load * patience  # in units of the rate at which one lead gives up
    weight, below = mpmath.mpf(1), mpmath.mpf(0)
    for busy in range(reps, 0, -1):
        weight *= busy / load
        below += weight
    waiting = mpmath.hyp1f1(1, capacity + 1, arrivals, maxterms=10**7)
    return ((arrivals - capacity) * waiting + capacity) / (arrivals * (below + waiting))


def by_definition(leads_per_hour: float, minutes: float, reps: int, patience_minutes: float) -> Any:
    """The same from the balance of neighbouring states, one after the other from the empty shop on."""
    arrivals, service, loss = mpmath.mpf(leads_per_hour) / 60, 1 / mpmath.mpf(minutes), 1 / mpmath.mpf(patience_minutes)
    probability = total = mpmath.mpf(1)
    queue = departures = mpmath.mpf(0)
    state = 0
    while state <= reps or departures < arrivals or probability * state > total * mpmath.mpf(10) ** -60:
        state += 1
        waiting = max(0, state - reps)
        departures = service * min(state, reps) + loss * waiting
        probability *= arrivals / departures
        total += probability
        queue += waiting * probability
    return loss * queue / total / arrivals


@pytest.fixture(autouse=True)
def _digits() -> Any:
    with mpmath.workdps(60):
        yield


@pytest.mark.parametrize(
    ("load", "reps", "patience"),
    [(0.5, 1, 1.5), (0.9, 10, 0.01), (0.99, 200, 10), (1, 50, 100), (1.2, 3, 0.1), (3, 1000, 1), (0.9, 1000, 10)],
)
def test_the_reference_is_the_definition(load: float, reps: int, patience: float) -> None:
    queue = load * reps * 60 / MINUTES, MINUTES, reps, patience * MINUTES
    assert exact(*queue) == pytest.approx(by_definition(*queue), rel=1e-45)


LONG_LINE = pytest.param(1000, (100,), marks=pytest.mark.slow)  # fifty digits take their time here


@pytest.mark.parametrize(("reps", "patiences"), [(n, PATIENCE) for n in REPS] + [(1000, PATIENCE[:-1]), LONG_LINE])
def test_burned_against_fifty_digits(reps: int, patiences: tuple[float, ...]) -> None:
    """Relative error, however small the share, down to 1e-290."""
    for load, patience in product(LOADS, patiences):
        queue = load * reps * 60 / MINUTES, MINUTES, reps, patience * MINUTES
        assert leads_burned(*queue) == pytest.approx(float(exact(*queue)), rel=1e-12, abs=1e-290), (load, patience)


@pytest.mark.parametrize("reps", [1, 2, 10, 50, 1000])
def test_marginal_against_the_derivative(reps: int) -> None:
    for load, patience in product((0.1, 0.9, 0.99, 1, 1.01, 3), (0.01, 0.5, 1, 100)):
        leads, *rest = load * reps * 60 / MINUTES, MINUTES, reps, patience * MINUTES
        slope = mpmath.diff(lambda x, rest=rest: x * exact(x, *rest), mpmath.mpf(leads))
        assert burn_marginal(leads, *rest) == pytest.approx(float(slope), rel=1e-11, abs=1e-290), (load, patience)


def blocked(load: float, reps: int) -> float:
    """Erlang B by its recursion."""
    share = 1.0
    for n in range(1, reps + 1):
        share = load * share / (n + load * share)
    return share


@steady
@given(st.integers(1, 300), st.floats(0.1, 3))
def test_without_patience_it_is_erlang_b(reps: int, per_rep: float) -> None:
    load = reps * per_rep
    assert leads_burned(load * 60, 1, reps, 1e-13) == pytest.approx(blocked(load, reps), rel=1e-9)


@steady
@given(st.integers(1, 300), st.floats(0.1, 0.95))
def test_with_endless_patience_it_is_erlang_c(reps: int, per_rep: float) -> None:
    """Below capacity nobody is lost, and the line is as long as in a queue that nobody leaves."""
    load, patience = reps * per_rep, 1e9
    b = blocked(load, reps)
    wait = reps * b / (reps - load * (1 - b))
    burned = leads_burned(load * 60, 1, reps, patience)
    assert burned * load * patience == pytest.approx(wait * load / (reps - load), rel=1e-5)
    assert burned < 1e-6


@steady
@given(st.integers(1, 1000), st.floats(1.01, 100))
def test_with_endless_patience_above_capacity_the_reps_are_always_busy(reps: int, per_rep: float) -> None:
    assert leads_burned(reps * per_rep * 60, 1, reps, 1e9) == pytest.approx(1 - 1 / per_rep, rel=1e-6)


@steady
@given(st.integers(1, 200), st.floats(0.05, 3))
def test_who_waits_as_long_as_a_call_leaves_a_poisson_number(reps: int, per_rep: float) -> None:
    load = reps * per_rep
    with mpmath.workdps(30):
        chance = [mpmath.exp(-load) * mpmath.mpf(load) ** k / mpmath.factorial(k) for k in range(reps)]
        busy = 1 - mpmath.fsum(chance)
        waiting = load - reps + mpmath.fsum((reps - k) * p for k, p in enumerate(chance))
    assert leads_burned(load * 60, 1, reps, 1) == pytest.approx(float(waiting / load), rel=1e-11)
    assert burn_marginal(load * 60, 1, reps, 1) == pytest.approx(float(busy), rel=1e-11)


def test_published_cases() -> None:
    assert leads_burned(2880, 1, 50, 2) == pytest.approx(0.031, abs=5e-4)  # Garnett, Mandelbaum & Reiman 2002
    assert round(leads_burned(6, 15, 2, 20), 2) == 0.17
    assert round(leads_burned(12, 15, 2, 20), 2) == 0.40
    handled = [round(leads * (1 - leads_burned(leads, 15, 2, 20)), 2) for leads in (6, 12)]
    assert handled == [4.98, 7.17]
    assert round(burn_marginal(6, 15, 2, 20), 2) == 0.42


QUEUE = st.tuples(st.floats(0.01, 500), st.floats(0.5, 60), st.integers(1, 60), st.floats(0.1, 600))


@steady
@given(QUEUE, st.floats(1, 3))
def test_what_makes_it_worse(queue: tuple[float, float, int, float], times: float) -> None:
    leads, minutes, reps, patience = queue
    burned = leads_burned(*queue)
    hair = burned * 1e-12
    assert max(0, 1 - reps * 60 / (leads * minutes)) - 1e-12 <= burned <= 1
    assert leads_burned(leads * times, minutes, reps, patience) >= burned - hair
    assert leads_burned(leads, minutes * times, reps, patience) >= burned - hair
    assert leads_burned(leads, minutes, reps, patience * times) <= burned + hair
    assert leads_burned(leads, minutes, reps + 1, patience) < burned or burned == 0  # too little to be a number
    assert leads_burned(leads * times, minutes / times, reps, patience / times) == pytest.approx(burned, rel=1e-11)
    assert burned - hair <= burn_marginal(*queue) <= 1 + 1e-12


@steady
@given(QUEUE)
def test_reps_needed_finds_its_way_back(queue: tuple[float, float, int, float]) -> None:
    leads, minutes, reps, patience = queue
    burned = leads_burned(*queue)
    if burned == 0:  # too little to be a number
        return
    assert reps_needed(leads, minutes, patience, burned) == reps
    assert reps_needed(leads, minutes, patience, burned * (1 - 1e-9)) == reps + 1


@pytest.mark.parametrize("max_burn", [0.001, 0.05, 0.3, 0.9, 0.999, 1])
def test_reps_needed_against_trying_each(max_burn: float) -> None:
    for leads, minutes, patience in product((0.5, 6, 40), (3, 15), (0.3, 20, 300)):
        fewest = next(n for n in range(1, 200) if leads_burned(leads, minutes, n, patience) <= max_burn)
        assert reps_needed(leads, minutes, patience, max_burn) == fewest
    assert reps_needed(6, 15, 20) == reps_needed(6, 15, 20, 0.05) == 4


def test_a_large_call_centre() -> None:
    assert leads_burned(11_400, 5, 846, 2) > 0.1
    reps = reps_needed(11_400, 5, 2, 0.001)
    assert leads_burned(11_400, 5, int(reps), 2) <= 0.001 < leads_burned(11_400, 5, int(reps) - 1, 2)


def test_edges() -> None:
    assert (leads_burned(0, 15, 2, 20), burn_marginal(0, 15, 2, 20), reps_needed(0, 15, 20)) == (0, 0, 1)
    assert leads_burned(1e-300, 15, 1000, 20) == 0, "too little to be a number"
    assert burn_marginal(1e-300, 15, 1000, 20) == 0
    assert leads_burned(60e6, 1, 1_000_000, 1) == pytest.approx(0.4e-3, rel=0.01)  # 1/sqrt(2 pi n) for n = load
    assert leads_burned(1e300, 1, 1, 1) == burn_marginal(1e300, 1, 1, 1) == 1
    for function in (leads_burned, burn_marginal):
        for reps in (0, 0.5, 2.5, -1, 1_000_001):
            with pytest.raises(holdwater.NumError, match=r"reps is .* allowed is a whole number of 1 or more"):
                function(6, 15, reps, 20)


def test_no_answer_takes_for_ever() -> None:
    with pytest.raises(holdwater.NumError, match="shorter patience"):
        leads_burned(60, 1, 1, 1e300)  # exactly at capacity, and nobody ever leaves
    assert leads_burned(59, 1, 1, 1e300) < 1e-298
    for leads in (1e9, 1e300):
        with pytest.raises(holdwater.NumError, match="too many reps"):
            reps_needed(leads, 1, 1)
    assert reps_needed(29e6, 1, 1) < 500_000


def test_against_a_simulated_line() -> None:
    """Each lead takes the rep who is free first, unless that is after its patience ends."""
    chance = random.Random(11)
    leads, minutes, reps, patience = 12, 15, 2, 20
    free, now, lost, trials = [0.0] * reps, 0.0, 0, 100_000
    for _ in range(trials):
        now += chance.expovariate(leads / 60)
        start = max(now, free[0])
        if start - now > chance.expovariate(1 / patience):
            lost += 1
        else:
            heapq.heapreplace(free, start + chance.expovariate(1 / minutes))
    assert lost / trials == pytest.approx(leads_burned(leads, minutes, reps, patience), abs=0.006)
