"""What each customer did: the three numbers that BG/NBD reads, and a count of customers who did the same."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from holdwater.errors import KindError, NoDataError, NumError

Array = NDArray[np.float64]

BLOCK = 8_192
_WHOLE_FLOATS = 2.0**53  # up to here a float tells every whole number from the next


class Histories(NamedTuple):
    """One element for each customer, or for each group of customers who did the same."""

    frequency: Array  # repeat purchases: the first one does not count
    recency: Array  # time from the first to the last purchase; 0 without a repeat
    age: Array  # time from the first purchase to the end of the observation
    weights: Array  # customers in the group

    def sample(self, size: int) -> Histories:
        """About so many of them, evenly spread."""
        step = max(1, len(self.age) // size)
        return Histories(*(column[::step] for column in self))


def grouped(histories: Histories) -> Histories:
    """Each different history once, with the number of its customers; as they are where times share no step.

    Times are mostly whole days, whatever the unit: a million customers then have some ten thousand histories.
    """
    step = _common_step(histories)
    if step is None:
        return histories
    spans = [round(float(column.max()) / step) + 1.0 for column in (histories.recency, histories.age)]
    if (float(histories.frequency.max()) + 1) * spans[0] * spans[1] >= _WHOLE_FLOATS:
        return histories
    key, per_time = np.empty(len(histories.age)), 1 / step
    for block in blocks(len(key)):
        recency, age = histories.recency[block] * per_time, histories.age[block] * per_time
        last, end = np.rint(recency), np.rint(age)
        if max(np.abs(last - recency).max(), np.abs(end - age).max()) > 1e-7:
            return histories
        key[block] = (histories.frequency[block] * spans[0] + last) * spans[1] + end
    order = None if (histories.weights == 1).all() else np.argsort(key)
    if order is None:
        key.sort()  # ten times faster than to find the order
    else:
        key = key[order]
    first = np.flatnonzero(np.concatenate(([True], key[1:] != key[:-1])))
    if order is None:
        weights = np.diff(first, append=len(key)).astype(float)
    else:
        weights = np.add.reduceat(histories.weights[order], first)
    rest, age = np.divmod(key[first], spans[1])
    frequency, recency = np.divmod(rest, spans[0])
    return Histories(frequency, recency * step, age * step, weights)


def _common_step(histories: Histories) -> float | None:
    """The unit of which all times seem to be multiples, from some of the customers."""
    times = np.unique(np.concatenate(histories.sample(10_000)[1:3]))
    apart = np.diff(times)
    apart = apart[apart > 1e-9 * times[-1]]
    if not apart.size:
        return None
    return float(times[-1] / np.rint(times[-1] / apart.min()))  # exact to the last digit, unlike the difference


def checked_histories(
    model: str, frequency: ArrayLike, recency: ArrayLike, age: ArrayLike, weights: ArrayLike | None = None
) -> Histories:
    """The histories as arrays of one length; KindError, NumError or NoDataError says what cannot be, and where."""
    histories = Histories(*checked_columns(model, weights, frequency=frequency, recency=recency, age=age))
    for block in blocks(len(histories.age)):
        x, last, end = (column[block] for column in histories[:3])
        _refuse_impossible(model, x, last, end, block)
    return histories


def checked_history(model: str, frequency: ArrayLike, recency: ArrayLike, age: ArrayLike) -> tuple[Array, Array, Array]:
    """The same rules for histories to predict from, of any shapes that go together."""
    x, last, end = columns = (
        numbers(model, "frequency", frequency),
        numbers(model, "recency", recency),
        numbers(model, "age", age),
    )
    try:
        x, last, end = np.broadcast_arrays(*columns)
    except ValueError:
        raise KindError(f"{model}: frequency, recency and age differ in length; give one of each a customer.") from None
    _refuse_impossible(model, x, last, end)
    return columns


def _refuse_impossible(model: str, x: Array, last: Array, end: Array, block: slice = slice(0, None)) -> None:
    refuse(model, x != np.floor(x), "frequency is no whole number", block)
    refuse(model, x > 1e6, "frequency is above a million repeat purchases", block)
    refuse(model, last > end, "recency is above age, the last purchase after the end,", block)
    refuse(model, (x > 0) != (last > 0), "of frequency and recency only one is 0", block)


def blocks(count: int) -> Iterator[slice]:
    """Of so many rows a few thousand at a time: they stay in the cache, and BLAS takes one thread for so few."""
    return (slice(start, min(start + BLOCK, count)) for start in range(0, count, BLOCK))


def checked_columns(model: str, weights: ArrayLike | None, **columns: ArrayLike) -> list[Array]:
    """Columns of numbers that are 0 or more, all of one length, and last their weights: 1 where none are given."""
    named = dict(columns)
    length = np.size(next(iter(columns.values())))
    named["weights"] = np.broadcast_to(1.0, length) if weights is None else weights
    arrays = [_numbers(model, name, column) for name, column in named.items()]
    for name, array in zip(named, arrays, strict=True):
        if len(array) != length:
            raise KindError(f"{model}: {name} has {len(array)} elements, not {length}; give one for each customer.")
    if not arrays[-1].sum() > 0:
        raise NoDataError(f"{model}: there are no customers; give at least one.")
    return arrays


def refuse(model: str, wrong: NDArray[np.bool_], why: str, block: slice = slice(0, None)) -> None:
    """NumError for the first element that is wrong; `block` says where these elements stand in their column."""
    if wrong.any():
        place = block.start + int(np.argmax(wrong))
        raise NumError(f"{model}: {why} in element {place}, counted from 0; mend it or leave it out.")


def _numbers(model: str, name: str, column: ArrayLike) -> Array:
    array = np.atleast_1d(numbers(model, name, column))
    if array.ndim != 1:
        raise KindError(f"{model}: {name} has {array.ndim} dimensions; give one number for each customer.")
    return array


def numbers(model: str, name: str, column: ArrayLike) -> Array:
    """Numbers of 0 or more, of any shape; KindError or NumError says which is none."""
    try:
        array = np.asarray(column, dtype=float)
    except (TypeError, ValueError):
        raise KindError(f"{model}: {name} holds something that is no number; give numbers only.") from None
    if array.size and not (array.min() >= 0 and array.max() < np.inf):  # NaN is the smallest of any
        refuse(model, ~((array >= 0) & (array < np.inf)), f"{name} is negative, infinite or no number")
    return array
