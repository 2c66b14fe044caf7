"""Who renewed and who left at each age: all that a retention curve needs to know of its customers.

A customer of age 3 has made three renewals; whether the fourth is made is one observation at age 3. Cohorts add up
age by age, and a customer whose next renewal is not due yet simply counts at no later age.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from holdwater.errors import KindError, NoDataError, NumError

Array = NDArray[np.float64]
Values = Sequence[float | None] | NDArray[np.float64] | NDArray[np.int64]

OLDEST = 100_000  # periods; whoever reaches it took the wrong unit for a period
_ROUNDING = 1e-9  # of a period: a renewal is due on its day, also where days / 7 does not come out even


@dataclass(frozen=True, slots=True)
class Renewals:
    """Customers who renewed and who left, by age in periods; several cohorts at once, weights added up."""

    stayed: Array
    left: Array

    def __post_init__(self) -> None:
        if not self.at_risk.any():
            raise NoDataError("nobody has reached a renewal yet, so nothing is known of retention; wait one period.")

    @classmethod
    def of_cohorts(cls, survivors: Sequence[Values] | Array, weights: Values | None = None) -> Renewals:
        """One row a cohort: customers still there at time 0, 1, 2, ...; younger cohorts have shorter rows.

        None or NaN may fill a row up, so a triangle of a table can be given as it is. `weights` multiply the rows.
        """
        rows = [_cohort(row, number) for number, row in enumerate(survivors)]
        times = _weights(weights, len(rows), "cohort")
        ages = max((len(row) for row in rows), default=1) - 1
        stayed, left = np.zeros(ages), np.zeros(ages)
        for row, weight in zip(rows, times, strict=True):
            stayed[: len(row) - 1] += weight * row[1:]
            left[: len(row) - 1] -= weight * np.diff(row)
        return cls(stayed, left)

    @classmethod
    def of_customers(
        cls,
        start: Values,
        end: Values,
        *,
        as_of: float,
        period: float = 1,
        weights: Values | None = None,
    ) -> Renewals:
        """One entry a customer: when it began and ended, in any unit; end is None or infinity for those still there.

        `period` is the time from one renewal to the next, `as_of` the time of the last look, both in that unit.
        A renewal counts once its day has come: who cancelled before that counts as a customer until then, because
        those of the same age who will stay cannot be counted before that day either.
        """
        began = _numbers(start, "start")
        ended = _numbers(end, "end", empty=math.inf)
        times = _weights(weights, len(began), "customer")
        if len(ended) != len(began):
            raise KindError(f"start has {len(began)} customers and end has {len(ended)}; give both for each customer.")
        if not (0 < period < math.inf and math.isfinite(as_of)):
            raise NumError(f"period is {period:g} and as_of is {as_of:g}; period must be above 0, and both finite.")
        _refuse(~np.isfinite(began), began, "start", "every customer needs a beginning", KindError)
        _refuse(began > as_of, began, "start", f"as_of is {as_of:.15g}; leave out who had not begun by then", NumError)
        _refuse(np.isnan(ended), ended, "end", "None or infinity stands for who is still there", KindError)
        _refuse(ended < began, ended, "end", "that is before its start; check the dates", NumError)
        due = np.floor((as_of - began) / period + _ROUNDING)
        if due.max(initial=0) > OLDEST:
            raise NumError(
                f"a customer has had {due.max():,.0f} renewals, at most {OLDEST:,} are allowed; give period in the"
                " unit of start and end."
            )
        # Who ends on the day of a renewal has not made it.
        made = np.maximum(np.ceil((ended - began) / period - _ROUNDING) - 1, 0)
        stays = np.minimum(made, due).astype(int)
        ages = int(due.max(initial=0))
        stayed = np.bincount(stays, times, ages + 1)[::-1].cumsum(dtype=float)[::-1][1:]
        left = np.bincount(stays, np.where(made < due, times, 0.0), ages + 1)[:-1].astype(float)
        return cls(stayed, left)

    @property
    def at_risk(self) -> Array:
        """Customers of each age whose next renewal is decided."""
        return self.stayed + self.left

    @property
    def customers(self) -> float:
        """All who have reached the first renewal."""
        return float(self.stayed[0] + self.left[0])

    @property
    def shares(self) -> Array:
        """Shares still there at time 0, 1, 2, ... as counted (Kaplan & Meier), up to the last age anybody reached."""
        reached = self.at_risk > 0
        known = len(reached) if reached.all() else int(np.argmin(reached))
        kept = self.stayed[:known] / self.at_risk[:known]
        return np.concatenate(([1.0], np.cumprod(kept)))


def _cohort(row: Values, number: int) -> Array:
    """The counts of one row without the empty cells after the last one."""
    if isinstance(row, str) or not hasattr(row, "__len__"):
        raise KindError(f"survivors holds {row!r} where a cohort belongs; give one list of counts for each cohort.")
    counts = _numbers(row, f"cohort {number} of survivors", empty=math.nan)
    filled = np.flatnonzero(~np.isnan(counts))
    counts = counts[: filled[-1] + 1] if len(filled) else np.zeros(1)
    for time, count in enumerate(counts):
        where = f"cohort {number} of survivors"
        if math.isnan(count):
            raise KindError(f"{where} has an empty cell at time {time}; give a count for every period up to the last.")
        if not 0 <= count < math.inf:
            raise NumError(f"{where} has {count:.15g} at time {time}; allowed is 0 or more.")
        if time and count > counts[time - 1]:
            raise NumError(
                f"{where} rises from {counts[time - 1]:.15g} to {count:.15g} at time {time}, but a cohort only"
                " shrinks; count only those who were there at time 0."
            )
    return counts


def _numbers(values: Values, name: str, empty: float | None = None) -> Array:
    """The values as an array; `empty` is what None stands for, if it may stand there."""
    if empty is not None and isinstance(values, Sequence):
        values = [empty if value is None else value for value in values]
    try:
        numbers = np.asarray(values, dtype=float)
    except (TypeError, ValueError):
        raise KindError(f"{name} holds something that is not a number; give numbers only.") from None
    if numbers.ndim != 1:
        raise KindError(f"{name} is no plain list of numbers; give one number after the other.")
    return numbers


def _weights(weights: Values | None, count: int, of: str) -> Array:
    if weights is None:
        return np.ones(count)
    numbers = _numbers(weights, "weights")
    if len(numbers) != count:
        raise KindError(f"weights has {len(numbers)} numbers for {count} {of}s; give one for each {of}.")
    _refuse(np.isnan(numbers), numbers, "weights", "allowed is 0 or more", KindError)
    _refuse((numbers < 0) | np.isinf(numbers), numbers, "weights", "allowed is 0 or more", NumError)
    return numbers


def _refuse(wrong: NDArray[np.bool_], numbers: Array, name: str, why: str, error: type[KindError | NumError]) -> None:
    if wrong.any():
        place = int(np.argmax(wrong))
        raise error(f"{name} is {numbers[place]:.15g} at place {place}; {why}.")
