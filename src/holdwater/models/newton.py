"""The top of a smooth hill: damped Newton steps from exact slopes and bends, in the logarithms of the parameters."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

LONGEST_STEP = 3.0  # of a logarithm; a parabola is not to be trusted any farther
STEPS = 200
_OPEN = 1e4  # a variance of a logarithm that says: anything is possible


class Slope(NamedTuple):
    """A function of the log parameters at one place."""

    height: float
    gradient: Array
    hessian: Array


Hill = Callable[[Array], Slope]


@dataclass(frozen=True, slots=True)
class Top:
    at: Array  # logarithms of the parameters
    slope: Slope
    converged: bool
    steps: int

    @property
    def covariance(self) -> Array:
        """Laplace's approximation: the inverse of the bend; NaN where the top is (nearly) flat in some direction."""
        bend = -self.slope.hessian
        nowhere = np.full_like(bend, np.nan)
        try:
            np.linalg.cholesky(bend)
            spread = np.asarray(np.linalg.inv(bend), dtype=float)
        except np.linalg.LinAlgError:
            return nowhere
        return spread if spread.diagonal().max() < _OPEN else nowhere


@dataclass(frozen=True, slots=True)
class Prior:
    """What is believed before any data, as normal distributions of combinations of the log parameters.

    `combinations` has one row each, such as (1, -1) for the logarithm of a ratio. A prior that speaks of ratios
    without a unit does not depend on the unit of time or money.
    """

    combinations: Array
    centres: Array
    spreads: Array

    def slope(self, at: Array) -> Slope:
        off = (self.combinations @ at - self.centres) / self.spreads
        scaled = self.combinations / self.spreads[:, None]
        return Slope(float(-0.5 * off @ off), -scaled.T @ off, -scaled.T @ scaled)


def penalised(hill: Hill, prior: Prior | None) -> Hill:
    """The hill of the data raised by what is believed before."""
    if prior is None:
        return hill

    def both(at: Array) -> Slope:
        data, belief = hill(at), prior.slope(at)
        return Slope(data.height + belief.height, data.gradient + belief.gradient, data.hessian + belief.hessian)

    return both


def climb(hill: Hill, start: Array) -> Top:
    """From `start` uphill until a step gains nothing that can be seen; a ridge that rises for ever has no top."""
    top = _climbed(hill, start)
    return replace(top, converged=top.converged and bool(np.isfinite(top.covariance).all()))


def _climbed(hill: Hill, start: Array) -> Top:
    at, slope, damping = np.asarray(start, dtype=float), hill(np.asarray(start, dtype=float)), 0.0
    for taken in range(STEPS):
        whole = _step(slope, 0.0)
        if whole is not None:
            gain = float(slope.gradient @ whole) / max(1.0, abs(slope.height))
            if gain < 1e-22:
                return Top(at, slope, True, taken)
            if gain < 1e-14:  # heights do not tell any more, but slopes do: this step squares the error that is left
                return Top(at + whole, hill(at + whole), True, taken + 1)
        while True:
            step = _step(slope, damping)
            if step is not None:
                candidate = hill(at + step)
                # Close to the top rounding may look like a step down, more so where large terms cancel.
                if candidate.height >= slope.height - 1e-12 * max(1.0, abs(slope.height)):
                    break
            damping = max(10 * damping, 1e-4 * max(1.0, float(np.abs(np.diag(slope.hessian)).max())))
            if not damping < 1e30:
                return Top(at, slope, False, taken)
        at, slope = at + step, candidate
        damping = damping / 100 if damping > 1e-8 else 0.0
    return Top(at, slope, False, STEPS)


def _step(slope: Slope, damping: float) -> Array | None:
    """Newton's step, with the bend made steeper by `damping`; None where that is no step uphill or too far."""
    bend = damping * np.eye(len(slope.gradient)) - slope.hessian
    try:
        np.linalg.cholesky(bend)
        step = np.asarray(np.linalg.solve(bend, slope.gradient), dtype=float)
    except np.linalg.LinAlgError:
        return None
    return step if np.isfinite(step).all() and float(np.abs(step).max()) <= LONGEST_STEP else None
