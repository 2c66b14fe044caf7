"""Gamma functions of positive numbers and their logarithmic derivatives, to about 1e-14, on NumPy alone."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array = NDArray[np.float64]

_SHIFT = 10  # from here on Stirling's series is exact to the last digit
_STEPS = np.arange(_SHIFT, dtype=float)
_BERNOULLI = np.array([1 / 6, -1 / 30, 1 / 42, -1 / 30, 5 / 66, -691 / 2730, 7 / 6, -3617 / 510])
_TWICE = 2.0 * np.arange(1, len(_BERNOULLI) + 1)  # 2k
_HALF_LOG_TAU = 0.5 * np.log(2 * np.pi)


def log_gamma(x: ArrayLike) -> Array:
    """The logarithm of Gamma(x), for x above 0."""
    here, large, small = _shifted(x)
    with np.errstate(over="ignore", divide="ignore"):
        below = np.where(small, _over_steps(np.log, here), 0.0)
    series = _series(_BERNOULLI / (_TWICE * (_TWICE - 1)), large)
    return np.asarray((large - 0.5) * np.log(large) - large + _HALF_LOG_TAU + series - below)


def digamma(x: ArrayLike) -> Array:
    """The first derivative of log_gamma."""
    here, large, small = _shifted(x)
    below = np.where(small, _over_steps(np.reciprocal, here), 0.0)
    return np.asarray(np.log(large) - 0.5 / large - _series(_BERNOULLI / _TWICE, large) / large - below)


def trigamma(x: ArrayLike) -> Array:
    """The second derivative of log_gamma."""
    here, large, small = _shifted(x)
    below = np.where(small, _over_steps(lambda y: np.square(1 / y), here), 0.0)
    return np.asarray((1 + (0.5 + _series(_BERNOULLI, large)) / large) / large + below)


def log_beta(a: ArrayLike, b: ArrayLike) -> Array:
    """The logarithm of the beta function."""
    return log_gamma(a) + log_gamma(b) - log_gamma(np.add(a, b))


def rising(x: float, count: int) -> tuple[Array, Array, Array]:
    """log of Gamma(x + n) / Gamma(x) and its first two derivatives in x, for n = 0 ... count.

    Sums, so that whole numbers need no gamma function; look up with the counts as index.
    """
    steps = x + np.arange(count)
    terms = np.log(steps), 1 / steps, -1 / steps**2
    log, first, second = (np.concatenate(([0.0], np.cumsum(term))) for term in terms)
    return log, first, second


def rise(x: float, more: ArrayLike) -> tuple[Array, Array, Array]:
    """log of Gamma(x + more) / Gamma(x) and its first two derivatives in x, for any numbers from 0 on.

    Also where x is so large that the difference of two gamma functions would lose its digits.
    """
    more = np.asarray(more, dtype=float)
    far, near = x + more, np.asarray(float(x))
    if x < _SHIFT:
        return (
            np.asarray(log_gamma(far) - log_gamma(near)),
            np.asarray(digamma(far) - digamma(near)),
            np.asarray(trigamma(far) - trigamma(near)),
        )
    ratio, product = np.log1p(more / x), x * far

    def further(coefficients: Array, power: int) -> Array:
        return np.asarray(_series(coefficients, far) / far**power - _series(coefficients, near) / near**power)

    return (
        more * np.log(far) + (x - 0.5) * ratio - more + further(_BERNOULLI / (_TWICE * (_TWICE - 1)), 0),
        ratio + more / (2 * product) - further(_BERNOULLI / _TWICE, 1),
        -more / product - 0.5 * more * (x + far) / product**2 + further(_BERNOULLI, 2),
    )


def _shifted(x: ArrayLike) -> tuple[Array, Array, NDArray[np.bool_]]:
    """x, then x or x + 10, whichever is large enough for the series, and where it was shifted."""
    here = np.asarray(x, dtype=float)
    small = here < _SHIFT
    return here, np.where(small, here + _SHIFT, here), small


def _over_steps(term: Any, x: Array) -> Array:
    """The sum of term(x + 0) ... term(x + 9)."""
    total = np.zeros_like(x)
    for step in _STEPS:
        total += term(x + step)
    return total


def _series(coefficients: Array, x: Array) -> Array:
    """c1 / x + c2 / x^3 + c3 / x^5 ..."""
    inverse = 1 / x
    squared = inverse * inverse
    total = np.zeros_like(x)
    for coefficient in coefficients[::-1]:
        total = total * squared + coefficient
    return total * inverse
