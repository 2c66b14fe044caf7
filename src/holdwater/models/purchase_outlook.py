"""What BG/NBD expects of customers with a given history.

`parameters` are r, alpha, a, b along the last axis: those of a fit, or one row for each of its draws. Either they or
the histories may be many; NumPy's rules of broadcasting say what meets what. Times are in the unit of the data.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from holdwater.errors import NumError
from holdwater.models.beta_average import beta_nodes
from holdwater.models.purchase_histories import checked_history

Array = NDArray[np.float64]

_MODEL = "BG/NBD"
_ROWS = 512  # histories at a time, each a row of quadrature nodes: what is computed on the way stays small


def alive(parameters: Array, frequency: ArrayLike, recency: ArrayLike, age: ArrayLike) -> Array:
    """The probability of still being a customer: 1 for whoever bought once, as nobody leaves before a repeat."""
    return _alive(parameters, *checked_history(_MODEL, frequency, recency, age))


def _alive(parameters: Array, x: Array, last: Array, age: Array) -> Array:
    r, alpha, a, b = np.moveaxis(np.asarray(parameters), -1, 0)
    left = np.log(a) - np.log(b + np.maximum(x, 1) - 1) + (r + x) * np.log1p((age - last) / (alpha + last))
    return np.asarray(np.where(x > 0, np.exp(-np.logaddexp(0, left)), 1.0))


def buys(parameters: Array, time: float, frequency: ArrayLike = 0, recency: ArrayLike = 0, age: ArrayLike = 0) -> Array:
    """The probability of at least one purchase in the coming time."""
    _check("time", time)
    r, alpha, _, _ = np.moveaxis(np.asarray(parameters), -1, 0)
    x, last, age = checked_history(_MODEL, frequency, recency, age)
    silent = (r + x) * np.log1p(time / (alpha + age))
    return np.asarray(_alive(parameters, x, last, age) * -np.expm1(-silent))


def purchases(
    parameters: Array, time: float, frequency: ArrayLike = 0, recency: ArrayLike = 0, age: ArrayLike = 0
) -> Array:
    """Purchases expected in the coming time; without a history, those that follow a first purchase made just now."""
    return discounted_purchases(parameters, time, 0.0, frequency, recency, age, period=time)


def discounted_purchases(
    parameters: Array,
    time: float,
    discount: float,
    frequency: ArrayLike = 0,
    recency: ArrayLike = 0,
    age: ArrayLike = 0,
    *,
    period: float = 1.0,
) -> Array:
    """Purchases expected in the coming time, each counted as what money at the end of its period is worth now.

    `discount` is the rate for one period, and `period` how long that is in the unit of the data.
    """
    _check("time", time)
    _check("period", period)
    if not -1 < discount <= 1:
        raise NumError(f"BG/NBD: discount is {discount:.15g}; allowed is above -1 and at most 1.")
    ends = np.minimum(np.arange(1, np.ceil(time / period) + 1) * period, time)
    with np.errstate(over="ignore"):  # what is infinite is refused below
        worth = (1 + discount) ** -np.arange(1.0, len(ends) + 1)
    if not np.isfinite(worth).all():
        raise NumError(
            f"BG/NBD: with a discount of {discount:.15g} the last periods are worth more than a number can hold; give a"
            " higher discount or a shorter time."
        )
    parameters = np.asarray(parameters, dtype=float)
    x, last, age = checked_history(_MODEL, frequency, recency, age)
    here = _alive(parameters, x, last, age)
    x, age = np.broadcast_arrays(x, age)
    if parameters.ndim > 1:
        return here * _while_alive(parameters, x, age, ends, worth)
    # The last purchase matters for being alive only: most customers share their frequency and age with others.
    pairs, position = np.unique(x + 1j * age, return_inverse=True)
    expected = _while_alive(parameters, pairs.real, pairs.imag, ends, worth)
    return here * expected[position].reshape(x.shape)


def _while_alive(parameters: Array, x: Array, age: Array, ends: Array, worth: Array) -> Array:
    """The same for customers who are known to be alive: a mean over p, the probability of leaving after a purchase.

    For one p the purchases up to t are (1 - (1 + p t / (alpha + age))^-(r + x)) / p. Every term is positive, so that
    nothing cancels or overflows where the usual hypergeometric function does, at a = 1 as anywhere.
    """
    r, alpha, a, b = np.moveaxis(parameters, -1, 0)
    columns = np.broadcast_arrays(a, b + x, r + x, alpha + age)
    shape = columns[0].shape
    a, b, shape_of_rate, passed = (np.atleast_1d(column).ravel() for column in columns)
    answer = np.empty(len(a))
    for start in range(0, len(a), _ROWS):
        rows = slice(start, start + _ROWS)
        p, weight = beta_nodes(a[rows], b[rows])
        slowing, power = p / passed[rows, None], -shape_of_rate[rows, None]
        total, gone = np.zeros_like(p), np.zeros_like(p)
        for end, value in zip(ends, worth, strict=True):
            before, gone = gone, -np.expm1(power * np.log1p(slowing * end))
            total += value * (gone - before)
        answer[rows] = (weight * (total / p)).sum(axis=-1)
    return answer.reshape(shape)


def _check(name: str, time: float) -> None:
    if not 0 < time < np.inf:
        raise NumError(f"BG/NBD: {name} is {time:.15g}; allowed is above 0, in the unit of the data.")
