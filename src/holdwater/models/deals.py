"""A cohort of deals: how old each is or was when it closed, and how it stands."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from holdwater.errors import KindError, NoDataError, NumError

Array = NDArray[np.float64]

_MOST_DAYS_COUNTED = 100_000  # ages up to here, if whole, are counted in one pass instead of sorted
_BLOCK = 32_768


class Status(IntEnum):
    OPEN = 0
    WON = 1
    LOST = 2


_BY_NAME = {status.name.lower(): status for status in Status}


@dataclass(frozen=True, slots=True)
class Deals:
    """Deals of the same age and status are one number, so a million of them are a few hundred rows."""

    days: Array  # each age once, rising; any unit of time
    open: Array  # how many are still open at that age
    won: Array  # how many were won at that age
    lost: Array

    @classmethod
    def of(cls, days: ArrayLike, status: ArrayLike, weights: ArrayLike | None = None) -> Deals:
        """From one entry a deal (or group of deals alike): its age if open, else its days to close, and its status.

        `status` holds the words won, lost and open or their numbers in Status, `weights` the deals in each group.
        KindError, NumError or NoDataError says what cannot be, and where.
        """
        ages, codes = _numbers("days", days), _codes(status)
        _same_length("status", len(codes), len(ages))
        counts = None if weights is None else _checked_weights(weights, len(ages))
        if not len(ages) or (counts is not None and not counts.any()):
            raise NoDataError("Deals: there are none; give at least one.")
        table = _counted_by_day(ages, codes, counts)
        if table is not None:
            values = np.arange(len(table), dtype=float)
        else:
            _check_days(ages)
            values, place = np.unique(ages, return_inverse=True)
            cells = np.bincount(place * len(Status) + codes, counts, minlength=len(values) * len(Status))
            table = cells.reshape(-1, len(Status)).astype(float)
        seen = table.any(axis=1)
        return cls(values[seen], *table[seen].T)

    @property
    def all(self) -> Array:
        return self.open + self.won + self.lost

    @property
    def decided(self) -> float:
        """The share of the deals that is won or lost."""
        return 1 - float(self.open.sum() / self.all.sum())


def _counted_by_day(ages: Array, codes: NDArray[Any], counts: Array | None) -> Array | None:
    """How many of each status at each whole age from 0 on; None where an age is no whole number, or a large one."""
    cells = np.zeros(0)
    # A block at a time stays in the processor's cache.
    for start in range(0, len(ages), _BLOCK):
        rows = slice(start, start + _BLOCK)
        if np.count_nonzero(np.trunc(ages[rows]) != ages[rows]):  # NaN is no number, not even itself
            return None
        with np.errstate(invalid="ignore"):  # infinity comes out below 0 or too large
            place = ages[rows].astype(np.int32)
        last = int(place.view(np.uint32).max())  # so read, what is below 0 is large
        if last > _MOST_DAYS_COUNTED:
            return None
        # Three neighbours for each age, so that one pass counts all.
        place *= len(Status)
        place += codes[rows]
        size = max(len(cells), (last + 1) * len(Status))
        found = np.bincount(place, None if counts is None else counts[rows], minlength=size).astype(float)
        found[: len(cells)] += cells
        cells = found
    return cells.reshape(-1, len(Status))


def _check_days(ages: Array) -> None:
    fine = (ages >= 0) & (ages < np.inf)
    if not fine.all():
        wrong = int(np.argmin(fine))
        raise NumError(
            f"Deals: days is {ages[wrong]:.15g} in element {wrong}, counted from 0; allowed is 0 or more. A deal of the"
            " future has no age yet: leave it out."
        )


def _checked_weights(weights: ArrayLike, length: int) -> Array:
    counts = _numbers("weights", weights)
    _same_length("weights", len(counts), length)
    if length and not (counts.min() >= 0 and counts.max() < np.inf):
        wrong = int(np.argmin((counts >= 0) & (counts < np.inf)))
        raise NumError(
            f"Deals: weights is {counts[wrong]:.15g} in element {wrong}, counted from 0; allowed is 0 or more."
        )
    return counts


def _numbers(name: str, column: ArrayLike) -> Array:
    given = np.asarray(column)
    if given.dtype.kind not in "iuf" and given.size:
        raise KindError(f"Deals: {name} holds something that is no number; give numbers only.")
    return _in_a_row(name, given).astype(float, copy=False)


def _codes(status: ArrayLike) -> NDArray[Any]:
    given = _in_a_row("status", np.asarray(status))
    if given.dtype.kind in "iu" and given.size:
        if given.min() < 0 or given.max() >= len(Status):
            _refuse_status(int(np.argmin((given >= 0) & (given < len(Status)))))
        return given.astype(np.int8, copy=False)
    if given.dtype.kind == "U":
        codes = np.full(len(given), -1, dtype=np.int8)
        for name, code in _BY_NAME.items():
            codes[given == name] = code
        unclear = np.flatnonzero(codes < 0)
        codes[unclear] = [_code(text, int(place)) for text, place in zip(given[unclear], unclear, strict=True)]
        return codes
    return np.array([_code(text, place) for place, text in enumerate(given.tolist())], dtype=np.int8)


def _code(text: object, place: int) -> int:
    code = _BY_NAME.get(text.strip().casefold()) if isinstance(text, str) else None
    if code is None:
        _refuse_status(place)
    return int(code)  # type: ignore[arg-type]  # what is None was refused


def _refuse_status(place: int) -> None:
    raise KindError(f"Deals: status is no won, lost or open in element {place}, counted from 0; give one of them.")


def _in_a_row(name: str, given: NDArray[Any]) -> NDArray[Any]:
    if given.ndim != 1:
        raise KindError(f"Deals: {name} has {given.ndim} dimensions; give one entry for each deal.")
    return given


def _same_length(name: str, length: int, expected: int) -> None:
    if length != expected:
        raise KindError(f"Deals: {name} has {length} entries, days has {expected}; give one of each for each deal.")
