"""The likelihood of a cohort of deals of which some will be won, some lost, and some never closed by anyone."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from holdwater.models.deals import Deals
from holdwater.models.newton import Array, Hill, Slope

# The parameters, as logarithms. The odds that a deal will be won; how the days of the wins spread: shape and scale of a
# Weibull distribution; the odds that somebody closes a deal that will not be won; and shape and scale of those days.
NAMES = ("odds", "shape", "scale", "marked_odds", "loss_shape", "loss_scale")
ODDS, SHAPE, SCALE, MARKED, LOSS_SHAPE, LOSS_SCALE = range(len(NAMES))

_BLOCK = 8_192  # ages at a time: what is computed on the way stays in the processor's cache
_HIGHEST = 300.0  # the logarithm of a hazard: beyond e^300 nothing is left, and its squares must be numbers


class Likelihood:
    """The log-likelihood in all six log parameters, with its exact slope and bend.

    A deal of age t counts as c f(t) if won, (1 - c) m g(t) if lost, and c (1 - F) + (1 - c) m (1 - G) + (1 - c)(1 - m)
    if open. Where no deal is lost nobody closes them, m is 0, and the last three parameters play no part.
    """

    def __init__(self, deals: Deals) -> None:
        self.log_days = np.log(_above_zero(deals.days))
        self.won, self.lost = deals.won, deals.lost
        self.all_won, self.all_lost = float(deals.won.sum()), float(deals.lost.sum())
        self.waiting = np.flatnonzero(deals.open)
        self.open = deals.open[self.waiting]

    def __call__(self, at: Array) -> Slope:
        with np.errstate(over="ignore", invalid="ignore"):  # far out; the climb turns back there
            return self._slope(at)

    def _slope(self, at: Array) -> Slope:
        height, gradient, hessian = 0.0, np.zeros(len(NAMES)), np.zeros((len(NAMES), len(NAMES)))
        for odds, count, others in ((ODDS, self.all_won, self.all_lost), (MARKED, self.all_lost, 0.0)):
            share, rest = _sigmoid(at[odds]), _sigmoid(-at[odds])
            height += count * _log_sigmoid(at[odds]) + others * _log_sigmoid(-at[odds])
            gradient[odds] += count * rest - others * share
            hessian[odds, odds] -= (count + others) * share * rest
        for first, counts in ((SHAPE, self.won), (LOSS_SHAPE, self.lost)):
            closed = np.flatnonzero(counts)
            if len(closed):
                height += _add_closed(gradient, hessian, first, at, self.log_days[closed], counts[closed])
        for start in range(0, len(self.waiting), _BLOCK):
            rows = slice(start, start + _BLOCK)
            height += self._add_open(gradient, hessian, at, self.log_days[self.waiting[rows]], self.open[rows])
        return Slope(height, gradient, hessian)

    def _add_open(self, gradient: Array, hessian: Array, at: Array, log_days: Array, counts: Array) -> float:
        """The logarithm of a sum of shares: their slopes are averaged by how likely a deal belongs to each."""
        wait, loss = _Wait.of(at, SHAPE, log_days), _Wait.of(at, LOSS_SHAPE, log_days)
        win, no_win = _sigmoid(at[ODDS]), _sigmoid(-at[ODDS])
        to_win, never = _log_sigmoid(at[ODDS]) - wait.hazard, np.full_like(log_days, _log_sigmoid(-at[ODDS]))
        if not self.all_lost:
            shares, used = np.stack([to_win, never]), slice(0, MARKED)
        else:
            to_lose = never + _log_sigmoid(at[MARKED]) - loss.hazard
            shares, used = np.stack([to_win, to_lose, never + _log_sigmoid(-at[MARKED])]), slice(None)
        top = shares.max(axis=0)
        shares = np.exp(shares - top)
        total = shares.sum(axis=0)
        belongs = shares / total

        slopes = np.zeros((len(shares), len(NAMES), len(log_days)))
        slopes[0, ODDS], slopes[1:, ODDS] = no_win, -win
        slopes[0, SHAPE], slopes[0, SCALE] = -wait.hazard * wait.log, wait.shape * wait.hazard
        if self.all_lost:
            slopes[1, MARKED], slopes[2, MARKED] = _sigmoid(-at[MARKED]), -_sigmoid(at[MARKED])
            slopes[1, LOSS_SHAPE], slopes[1, LOSS_SCALE] = -loss.hazard * loss.log, loss.shape * loss.hazard
        slopes = slopes[:, used]
        mean = np.einsum("jn,jin->in", belongs, slopes)
        gradient[used] += mean @ counts

        # How unlike the slopes of the shares are, and then how each slope itself bends.
        apart = (np.sqrt(belongs * counts)[:, None] * (slopes - mean)).swapaxes(0, 1).reshape(slopes.shape[1], -1)
        hessian[used, used] += apart @ apart.T
        hessian[ODDS, ODDS] -= counts.sum() * win * no_win
        _add_bend(hessian, SHAPE, wait, belongs[0] * counts)
        if self.all_lost:
            losing = float((1 - belongs[0]) @ counts)
            hessian[MARKED, MARKED] -= losing * _sigmoid(at[MARKED]) * _sigmoid(-at[MARKED])
            _add_bend(hessian, LOSS_SHAPE, loss, belongs[1] * counts)
        return float(counts @ (top + np.log(total)))

    def wins_to_come(self, at: Array) -> float:
        """How many of the open deals will still be won."""
        waits = self.log_days[self.waiting]
        win = np.exp(_log_sigmoid(at[ODDS]) - _Wait.of(at, SHAPE, waits).hazard)
        others = np.full_like(waits, _sigmoid(-at[ODDS]))
        if self.all_lost:
            marked = _sigmoid(at[MARKED])
            others *= marked * np.exp(-_Wait.of(at, LOSS_SHAPE, waits).hazard) + _sigmoid(-at[MARKED])
        return float(self.open @ (win / np.maximum(win + others, np.finfo(float).tiny)))


class _Wait(NamedTuple):
    """A Weibull distribution at some ages."""

    shape: float
    log: Array  # of the hazard so far
    hazard: Array  # (t / scale)^shape: e to its negative is the share that waits longer

    @classmethod
    def of(cls, at: Array, first: int, log_days: Array) -> _Wait:
        """Its shape and scale stand at `first` and behind."""
        shape = float(np.exp(at[first]))
        log = np.minimum(shape * (log_days - at[first + 1]), _HIGHEST)
        return cls(shape, log, np.exp(log))


def _add_closed(gradient: Array, hessian: Array, first: int, at: Array, log_days: Array, counts: Array) -> float:
    """The density: log shape - log t + log hazard - hazard. Adds to the slope and bend, and gives the height."""
    wait = _Wait.of(at, first, log_days)
    rest = counts * (1 - wait.hazard)
    gradient[first] += counts.sum() + rest @ wait.log
    gradient[first + 1] -= wait.shape * rest.sum()
    hessian[first, first] += counts @ wait.log
    hessian[first, first + 1] -= wait.shape * counts.sum()
    hessian[first + 1, first] -= wait.shape * counts.sum()
    _add_bend(hessian, first, wait, counts)
    return float(counts @ (at[first] - log_days + wait.log - wait.hazard))


def _add_bend(hessian: Array, first: int, wait: _Wait, counts: Array) -> None:
    """The bend of -hazard in shape and scale."""
    weighted = counts * wait.hazard
    once, log, square = weighted.sum(), weighted @ wait.log, weighted @ (wait.log * wait.log)
    hessian[first, first] -= square + log
    hessian[first, first + 1] += wait.shape * (log + once)
    hessian[first + 1, first] += wait.shape * (log + once)
    hessian[first + 1, first + 1] -= wait.shape * wait.shape * once


def some_of(hill: Hill, free: list[int], fixed: Array) -> Hill:
    """The hill in some of its parameters, the others being held."""
    square = np.ix_(free, free)

    def free_ones(at: Array) -> Slope:
        everywhere = fixed.copy()
        everywhere[free] = at
        slope = hill(everywhere)
        return Slope(slope.height, slope.gradient[free], slope.hessian[square])

    return free_ones


def _above_zero(days: Array) -> Array:
    """A deal closed on its first day took some time all the same: half of the shortest time that was seen."""
    if days[0] > 0:
        return days
    return np.where(days > 0, days, days[1] / 2 if len(days) > 1 else 1.0)


def _sigmoid(x: float) -> float:
    return float(np.exp(_log_sigmoid(x)))


def _log_sigmoid(x: float) -> float:
    return float(-np.logaddexp(0.0, -x))
